package junit

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// The elements, as most systems read them.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"` // seconds
		Suites   []*suite `xml:"testsuite"`
	}
	suite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Cases      []testCase `xml:"testcase"`
	}
	testCase struct {
		Name       string     `xml:"name,attr"`
		Class      string     `xml:"classname,attr"`
		File       string     `xml:"file,attr,omitempty"`
		Line       int        `xml:"line,attr,omitempty"`
		Time       string     `xml:"time,attr"`
		Properties []property `xml:"properties>property"`
		Failure    *problem   `xml:"failure"`
		Error      *problem   `xml:"error"`
		Skipped    *problem   `xml:"skipped"`
		Output     string     `xml:"system-out,omitempty"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	problem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// Write writes the build.
func Write(w io.Writer, b *report.Build) error {
	all := suites{Name: "latgate", Time: seconds(b.Ended.Sub(b.Started))}
	at := make(map[string]*suite)
	for _, row := range b.Rows {
		name := report.Line(strings.TrimPrefix(row.Package+"."+row.Test, "."), 300)
		s := at[name]
		if s == nil {
			s = &suite{Name: name, Timestamp: b.Started.UTC().Format("2006-01-02T15:04:05"), Properties: propertiesOf(
				"mode", string(b.Mode), "base", b.Base, "head", b.Head, "tool", b.Tool)}
			at[name] = s
			all.Suites = append(all.Suites, s)
		}
		c := caseOf(row, name)
		s.Cases = append(s.Cases, c)
		s.Tests, all.Tests = s.Tests+1, all.Tests+1
		switch {
		case c.Failure != nil:
			s.Failures, all.Failures = s.Failures+1, all.Failures+1
		case c.Error != nil:
			s.Errors, all.Errors = s.Errors+1, all.Errors+1
		case c.Skipped != nil:
			s.Skipped, all.Skipped = s.Skipped+1, all.Skipped+1
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func caseOf(r report.Row, class string) testCase {
	c := testCase{
		Name: report.Line(strings.TrimSpace(strings.TrimPrefix(r.Name(), r.Test+"/")+" "+r.Gate), 300), Class: class,
		File: report.Line(r.File, 300), Line: r.Line, Time: "0", Properties: properties(r),
	}
	message := string(r.Verdict)
	if r.Reason != "" {
		message += ": " + r.Reason
	}
	p := &problem{Message: report.Line(message, 600), Type: report.Line(string(r.Verdict), 40), Text: text(r)}
	switch r.Verdict {
	case baseline.Pass, baseline.Improved, baseline.Accepted:
		c.Output = p.Text
	case baseline.Inconclusive:
		c.Skipped, c.Output = &problem{Message: p.Message}, p.Text
	case baseline.Regression, baseline.OverBudget:
		c.Failure = p
	default:
		c.Error = p
	}
	return c
}

// text is what the test printed, and what is known beside it.
func text(r report.Row) string {
	lines := report.Lines(r.Text, 40, 1000)
	for _, more := range [][]string{r.Attribution, r.Warnings} {
		for _, line := range more[:min(len(more), 10)] {
			lines = append(lines, report.Line(line, 1000))
		}
	}
	for _, command := range []string{report.Command(r.Again), report.Command(r.Accept)} {
		if command != "" {
			lines = append(lines, command)
		}
	}
	return strings.Join(lines, "\n")
}

func properties(r report.Row) []property {
	list := propertiesOf("verdict", string(r.Verdict), "baseline", r.Baseline, "samples", r.Samples)
	if q := r.Quantity; q != nil {
		list = append(list, propertiesOf("metric", q.Metric, "unit", q.Unit, "quantile", number(q.Quantile))...)
	}
	if r.Limit > 0 {
		list = append(list, propertiesOf("limit", number(r.Limit))...)
	}
	if c := r.Comparison; c != nil {
		list = append(list, propertiesOf(
			"base", number(c.Base), "head", number(c.Head), "ratio", number(c.Ratio), "low", number(c.Low), "high", number(c.High),
			"p", number(c.P), "holm_p", number(c.HolmP), "run_sd", number(c.RunSD), "detectable", number(c.Detectable),
			"min_effect", number(c.MinEffect), "rule_out", number(c.RuleOut), "head_n", counts(c.HeadN), "base_n", counts(c.BaseN),
		)...)
	}
	if a := r.Accepted; a != nil {
		list = append(list, propertiesOf("accepted", a.Reason, "accepted_by", a.By, "accepted_until", a.Until, "accepted_in", a.Source)...)
	}
	return list
}

// propertiesOf makes properties of names and values; those without a value are left out.
func propertiesOf(namesAndValues ...string) []property {
	var list []property
	for i := 0; i < len(namesAndValues); i += 2 {
		if value := report.Line(namesAndValues[i+1], 300); value != "" {
			list = append(list, property{namesAndValues[i], value})
		}
	}
	return list
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// counts prints "200 150".
func counts(n []int) string {
	var s []string
	for _, n := range n[:min(len(n), 50)] {
		s = append(s, strconv.Itoa(n))
	}
	return strings.Join(s, " ")
}

func seconds(d time.Duration) string { return strconv.FormatFloat(max(0, d.Seconds()), 'f', 3, 64) }
