package simulation

import (
	"math"
	"math/rand/v2"
)

// A Metric of a Build is lognormal.
type Metric struct {
	Name           string
	Sigma          float64
	HigherIsBetter bool
}

// Metrics are those of a Build. They share their requests (the correlation of the
// logarithms is .5) and the effect of the session.
var Metrics = [...]Metric{{"ttft", .45, false}, {"ttlt", .30, false}, {"otps", .30, true}}

// A Build is several scenarios, each with all Metrics.
type Build struct {
	Scenarios int
	SessionSD float64 // as in World
	N, K      int     // requests of a run, stored runs
	Effect    float64 // ratio by which the first metric of scenario 0 is slower; 0 is 1
}

// A Session is one run of a scenario: the values of each metric.
type Session [len(Metrics)][]float64

// Stored draws one stored run of any scenario.
func (b Build) Stored(rng *rand.Rand) Session {
	b.Effect = 0
	return b.Candidate(rng, 0)
}

// Candidate draws one session of a scenario of the candidate.
func (b Build) Candidate(rng *rand.Rand, scenario int) Session {
	effect := 0.0
	if scenario == 0 && b.Effect > 0 {
		effect = math.Log(b.Effect)
	}
	session := b.SessionSD * rng.NormFloat64()
	var s Session
	for i := range s {
		s[i] = make([]float64, b.N)
	}
	for request := range b.N {
		common := rng.NormFloat64()
		for i, m := range Metrics {
			worse := m.Sigma*math.Sqrt(.5)*(common+rng.NormFloat64()) + session
			if i == 0 {
				worse += effect
			}
			if m.HigherIsBetter {
				worse = -worse
			}
			s[i][request] = median * math.Exp(worse)
		}
	}
	return s
}
