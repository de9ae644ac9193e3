package calibrate

import (
	"fmt"
	"math"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
)

// leastStored is how many stored runs the gate wants before it decides.
const leastStored = 3

// smallest is the size of a run below which the gate decides nothing: 30, or where
// that is more the first n with qⁿ < .05.
func smallest(q float64) int { return max(30, int(math.Log(.05)/math.Log(q))+1) }

// decides reports whether the gate would judge sessions like these.
func (n *Noise) decides() bool {
	return n.TooFew == "" && len(n.Sessions) >= leastStored+2 && n.Requests >= smallest(float64(n.Question.Quantile))
}

// alarms takes each session in turn for a build, and has the gate judge it against
// those after it, in a circle, as many as a baseline keeps: first alone and, where it
// is a suspect, together with the next one, which no baseline of it holds. All
// questions of a build are one family. The rates of each question are put into noise,
// that of the builds is returned.
func alarms(all []*sessions, noise []Noise, count int, o stat.Options) (Rate, error) {
	o.SingleSession = false
	red, builds := 0, 0
	regressions, suspects, judgements := make([]int, len(all)), make([]int, len(all)), make([]int, len(all))
	for i := range count {
		next := (i + 1) % count
		var stored []int
		for j := 2; j < count && len(stored) < baseline.Keep; j++ {
			stored = append(stored, (i+j)%count)
		}
		var family []stat.Comparison
		var asked []int
		for q, s := range all {
			if !noise[q].decides() || s.values[i] == nil {
				continue
			}
			if c := s.comparison(stored, []int{i}); len(c.Baseline) >= leastStored {
				family, asked = append(family, c), append(asked, q)
			}
		}
		if len(family) == 0 {
			continue
		}
		results, err := stat.Judge(family, o)
		if err != nil {
			return Rate{}, err
		}
		for j := range results {
			if results[j].Suspect {
				suspects[asked[j]]++
				family[j] = all[asked[j]].comparison(stored, []int{i, next})
			}
		}
		if results, err = stat.Judge(family, o); err != nil {
			return Rate{}, err
		}
		isRed := false
		for j := range results {
			judgements[asked[j]]++
			if results[j].Verdict == stat.Regression {
				regressions[asked[j]]++
				isRed = true
			}
		}
		builds++
		if isRed {
			red++
		}
	}
	for q := range noise {
		noise[q].Alarms = newRate(regressions[q], judgements[q])
		noise[q].Suspects = newRate(suspects[q], judgements[q])
	}
	return newRate(red, builds), nil
}

func tooFew(n int) string {
	return fmt.Sprintf("%d of the sessions say something, want %d or more", n, Fewest)
}
