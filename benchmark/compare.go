package benchmark

import (
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// A Comparison is one quantile of one metric of one scenario, of an endpoint against the
// first one of the file.
type Comparison struct {
	baseline.Comparison
	Base, Head Combination
}

// Compare compares each endpoint of each scenario with the first one of the file, as
// latgate compare does with stored runs: one run each, with what is assumed of how much
// runs vary. All of it is one family. The answers are kept in Comparisons as well.
//
// A verdict says how the endpoint differs from the first one: regression is slower by
// MinEffect or more, and not by chance; improved is faster; pass is at most RuleOut
// slower. A metric that no reply of one side has is missing; where requests failed so
// often, or the client was so late, that the times say nothing, it is infrastructure.
func (r *Results) Compare(o stat.Options, questions ...baseline.Question) ([]Comparison, error) {
	o.SingleSession, o.MinRuns = true, 1
	r.Comparisons = nil
	var family []stat.Comparison
	var asked []int
	for _, s := range r.File.Scenarios {
		outcomes := slices.DeleteFunc(slices.Clone(r.Outcomes), func(o Outcome) bool { return o.Combination.Scenario != s.Name })
		for _, head := range outcomes[1:] {
			for _, pair := range pairs(outcomes[0], head) {
				for _, q := range questions {
					c, numbers, known := pair.ask(q)
					if !known {
						continue
					}
					if c.Verdict == "" {
						asked = append(asked, len(r.Comparisons))
						family = append(family, numbers)
					}
					r.Comparisons = append(r.Comparisons, c)
				}
			}
		}
	}
	results, err := stat.Judge(family, o)
	if err != nil {
		return nil, err
	}
	for i := range results {
		c := &r.Comparisons[asked[i]]
		c.Result, c.Verdict, c.Reason = &results[i], baseline.Verdict(results[i].Verdict), results[i].Reason
	}
	return r.Comparisons, nil
}

// A pair is a scenario of two outcomes; the scenarios are nil where there are none.
type pair struct {
	base, head         Outcome
	baseSide, headSide *latencytest.Scenario
	name               string // where a run has several
}

// pairs matches the scenarios of two runs: those that prompts of their own form by name,
// and single ones whatever they are called.
func pairs(base, head Outcome) []pair {
	if base.Result == nil || head.Result == nil {
		return []pair{{base: base, head: head}}
	}
	a, b := base.Result.Scenarios, head.Result.Scenarios
	if len(a) == 1 && len(b) == 1 {
		return []pair{{base, head, a[0], b[0], ""}}
	}
	var all []pair
	for _, s := range b {
		all = append(all, pair{base, head, base.Result.Scenario(s.Name), s, s.Name})
	}
	return all
}

// ask returns the question of a pair, with a verdict where statistics cannot answer it.
// It is not known where neither side has a value, as short answers have no speed.
func (p pair) ask(q baseline.Question) (c Comparison, numbers stat.Comparison, known bool) {
	name := p.head.Combination.Scenario
	if p.name != "" {
		name += "/" + p.name
	}
	c = Comparison{
		Comparison: baseline.Comparison{Question: q, Scenario: name + ": " + p.head.Combination.Endpoint(), Runs: 1},
		Base:       p.base.Combination, Head: p.head.Combination,
	}
	sides := []struct {
		of string
		o  Outcome
		s  *latencytest.Scenario
	}{{p.base.Combination.Endpoint(), p.base, p.baseSide}, {p.head.Combination.Endpoint(), p.head, p.headSide}}
	values := make([][]float64, len(sides))
	for i, side := range sides {
		verdict, reason := baseline.Verdict(""), ""
		if side.s == nil || side.s.Attempts() == 0 {
			verdict, reason = baseline.Infrastructure, "it was not measured"
			if side.o.Reason != "" {
				reason += ": " + side.o.Reason
			}
		} else {
			values[i] = baseline.Values(side.s, q.Metric)
			if reason = baseline.Invalid(side.s, q.Metric); reason != "" {
				verdict = baseline.Infrastructure
			}
			if len(values[i]) == 0 && side.s.Failed() < side.s.Attempts() {
				verdict, reason = baseline.Missing, fmt.Sprintf("no reply has a value of %v", q.Metric)
			}
		}
		if c.Verdict == "" && verdict != "" {
			c.Verdict, c.Reason = verdict, side.of+": "+reason
		} else if c.Verdict == baseline.Missing && verdict == baseline.Missing {
			return c, numbers, false
		}
	}
	numbers = stat.Comparison{
		Scenario: c.Scenario, Metric: q.Metric.Name(), Q: float64(q.Quantile), HigherIsBetter: q.Metric.HigherIsBetter(),
		Baseline: values[:1], Candidate: values[1:], Fresh: true,
	}
	return c, numbers, true
}

// ComparisonTable renders the comparisons: for each scenario the endpoints side by side,
// and below what is known of each ratio.
func (r *Results) ComparisonTable() string {
	var b strings.Builder
	for _, s := range r.File.Scenarios {
		var lines []string
		var base *Combination
		for i, c := range r.Comparisons {
			if c.Head.Scenario == s.Name {
				lines = append(lines, inert(c.String()))
				base = &r.Comparisons[i].Base
			}
		}
		if base == nil {
			continue
		}
		fmt.Fprintf(&b, "Comparison with %s: %s\n\n", base.Endpoint(), inert(s.Name))
		b.WriteString(box(r.sideBySide(s.Name), 20, 8) + "\n" + strings.Join(lines, "\n") + "\n\n")
	}
	if b.Len() == 0 {
		return "There is nothing to compare: the file has one endpoint.\n"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sideBySide has a row for each endpoint of a scenario and a column for each question:
// the value, as other tools compute it, and how many times that of the first one it is.
func (r *Results) sideBySide(scenario string) [][]string {
	header := []string{"Endpoint"}
	var questions []baseline.Question
	for _, c := range r.Comparisons {
		if c.Head.Scenario == scenario && !slices.Contains(questions, c.Question) {
			questions = append(questions, c.Question)
			header = append(header, c.Question.String())
		}
	}
	table := [][]string{header}
	for _, o := range r.Outcomes {
		if o.Combination.Scenario != scenario {
			continue
		}
		row := []string{report.Line(o.Endpoint(), 40)}
		for _, q := range questions {
			row = append(row, r.value(o, q))
		}
		table = append(table, row)
	}
	return table
}

// value is a cell of an endpoint's row.
func (r *Results) value(o Outcome, q baseline.Question) string {
	if o.Result == nil || len(o.Result.Scenarios) != 1 {
		return missing
	}
	v := o.Result.Scenarios[0].Quantile(q.Metric, q.Quantile)
	if finite(v) == nil {
		return missing
	}
	text := q.Metric.Format(v)
	for _, c := range r.Comparisons {
		if c.Head == o.Combination && c.Question == q {
			if ratio, _, _, known := c.Ratio(); known {
				text += fmt.Sprintf(" ×%.2f", ratio)
			}
		}
	}
	return text
}

// Ratio returns how many times the first endpoint's quantile the other one's is, with a
// 90 % interval. It is not known where there was nothing to compare, or too little.
func (c Comparison) Ratio() (ratio, low, high float64, known bool) {
	r := c.Result
	if r == nil || !(r.SE > 0) {
		return 0, 0, 0, false
	}
	if r.HigherIsBetter {
		return 1 / r.Ratio, 1 / r.High, 1 / r.Low, true
	}
	return r.Ratio, r.Low, r.High, true
}

// A ComparisonRecord is a comparison in a [Document]. Values are type-7 quantiles in the
// metric's unit, the ratio is that of the gate's own estimator.
type ComparisonRecord struct {
	Scenario  string           `json:"scenario"`
	Base      Combination      `json:"base"`
	Head      Combination      `json:"head"`
	Metric    string           `json:"metric"`
	Unit      string           `json:"unit"`
	Quantile  float64          `json:"quantile"` // towards the bad end
	BaseValue *float64         `json:"base_value"`
	HeadValue *float64         `json:"head_value"`
	BaseN     int              `json:"base_n"`
	HeadN     int              `json:"head_n"`
	Ratio     *float64         `json:"ratio"` // head over base, with a 90 % interval
	Low       *float64         `json:"ratio_low"`
	High      *float64         `json:"ratio_high"`
	P         *float64         `json:"p"`      // one-sided, of being no worse
	HolmP     *float64         `json:"holm_p"` // the same, over all comparisons
	Verdict   baseline.Verdict `json:"verdict"`
	Reason    string           `json:"reason"`
}

func (c Comparison) record() ComparisonRecord {
	plain := func(c Combination) Combination {
		return Combination{inert(c.Provider), inert(c.Model), inert(c.Scenario)}
	}
	d := ComparisonRecord{
		Scenario: inert(c.Head.Scenario), Base: plain(c.Base), Head: plain(c.Head), Metric: c.Metric.Name(), Unit: unitOf(c.Metric),
		Quantile: float64(c.Quantile), Verdict: c.Verdict, Reason: inert(c.Reason),
	}
	if r := c.Result; r != nil {
		d.BaseValue, d.HeadValue = finite(r.Baseline.Type7), finite(r.Candidate.Type7)
		d.BaseN, d.HeadN = r.BaselineN[0], r.N[0]
	}
	if ratio, low, high, known := c.Ratio(); known {
		d.Ratio, d.Low, d.High, d.P, d.HolmP = finite(ratio), finite(low), finite(high), finite(c.Result.P), finite(c.Result.HolmP)
	}
	return d
}
