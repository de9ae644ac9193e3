package attribution

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/latgate/latgate/baseline/stat"
)

// Prompts says which prompts carry a shift.
type Prompts struct {
	Of int `json:"of"` // prompts; 0 where one has too few requests to tell

	// Few are the prompts that carry most of the shift while the others moved less
	// than half as much. It is empty where no third of the prompts, or one, does.
	Few []Prompt `json:"few,omitempty"`

	// FewRatio and OthersRatio are candidate over stored runs, of the quantile (of the
	// times: more is worse) over the requests of the few and over those of the others.
	FewRatio    float64 `json:"few_ratio,omitzero"`
	OthersRatio float64 `json:"others_ratio,omitzero"`
}

// A Prompt is what one prompt contributes to a shift.
type Prompt struct {
	ID    string  `json:"id"`
	Share float64 `json:"share"` // of the shift
	N     int     `json:"n"`     // requests of the candidate
}

// What makes few prompts the carriers of a shift.
const (
	mostOfShift  = .8
	leastPerSide = 5 // requests of a prompt
)

// prompts finds the prompts that carry the shift. A prompt's share is what of the
// shift goes away when its requests are as fast as those of the stored runs, rank
// by rank; shares are computed like those of the phases.
func (c *comparison) prompts() Prompts {
	base, cand := byPrompt(slices.Concat(c.base...)), byPrompt(c.cand)
	ids := slices.Sorted(maps.Keys(cand))
	for _, id := range ids {
		if min(len(base[id]), len(cand[id])) < leastPerSide {
			return Prompts{}
		}
	}
	out := Prompts{Of: len(ids)}
	if len(ids) < 2 {
		return out // it carries all
	}
	shares := c.promptShares(ids, base, cand)
	list := make([]Prompt, len(ids))
	for i, id := range ids {
		list[i] = Prompt{id, shares[i], len(cand[id])}
	}
	slices.SortStableFunc(list, func(x, y Prompt) int { return cmp.Compare(y.Share, x.Share) })
	few, carried := 0, 0.
	for few < len(list) && carried < mostOfShift {
		carried += list[few].Share
		few++
	}
	if few > max(1, len(list)/3) {
		return out
	}
	q := float64(c.question.Quantile)
	ratio := func(prompts []Prompt) float64 {
		var from, to []float64
		for _, p := range prompts {
			from, to = append(from, base[p.ID]...), append(to, cand[p.ID]...)
		}
		return quantileOf(to, q) / quantileOf(from, q)
	}
	fewRatio, othersRatio := ratio(list[:few]), ratio(list[few:])
	if math.Log(othersRatio)/math.Log(fewRatio) < .5 {
		out.Few, out.FewRatio, out.OthersRatio = list[:few], fewRatio, othersRatio
	}
	return out
}

// promptShares gives each prompt its share of the shift.
func (c *comparison) promptShares(ids []string, base, cand map[string][]float64) []float64 {
	before, after := make(map[string][]float64), make(map[string][]float64)
	for _, id := range ids {
		from, to := slices.Sorted(slices.Values(base[id])), slices.Sorted(slices.Values(cand[id]))
		after[id] = to
		for i := range to {
			before[id] = append(before[id], stat.Type7(from, (float64(i)+.5)/float64(len(to))))
		}
	}
	shares := make([]float64, len(ids))
	whole := 0.
	for _, backward := range []bool{false, true} {
		now := maps.Clone(before)
		last := c.quantileOver(now, ids)
		for k := range ids {
			i := k
			if backward {
				i = len(ids) - 1 - k
			}
			now[ids[i]] = after[ids[i]]
			next := c.quantileOver(now, ids)
			shares[i] += next - last
			whole += next - last
			last = next
		}
	}
	for i := range shares {
		shares[i] /= whole
	}
	return shares
}

func (c *comparison) quantileOver(times map[string][]float64, ids []string) float64 {
	var all []float64
	for _, id := range ids {
		all = append(all, times[id]...)
	}
	return quantileOf(all, float64(c.question.Quantile))
}

func quantileOf(times []float64, q float64) float64 {
	logs := make([]float64, len(times))
	for i, t := range times {
		logs[i] = math.Log(max(t, 1))
	}
	slices.Sort(logs)
	return math.Exp(stat.HarrellDavis(logs, q, 0))
}

// byPrompt returns the times of each prompt's requests.
func byPrompt(list []request) map[string][]float64 {
	out := make(map[string][]float64)
	for _, r := range list {
		out[r.prompt] = append(out[r.prompt], r.total)
	}
	return out
}
