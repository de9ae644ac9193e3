package calibrate

import (
	"math"
	"slices"
	"time"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
)

// A Noise is how much one quantile of one scenario varies although nothing has changed.
type Noise struct {
	Scenario string
	Question baseline.Question
	Sessions []Session
	LeftOut  []error // why other sessions are not among them

	// TooFew says why there is nothing else. It is empty where there is.
	TooFew string

	// Requests are those of the shortest session.
	Requests int

	// Quantile is the geometric mean of those of the sessions, in the unit of the
	// metric.
	Quantile float64

	// SD is the standard deviation between sessions, on the log scale (.03 is 3 %),
	// without the part that the requests of each make; Low to High is its 90 %
	// interval. It is 0 where the sessions differ no more than their requests explain.
	SD, Low, High float64

	// RequestVariance is the variance of the log quantile times the requests of a
	// session: a of GATE's formula. RequestSD is what the requests of the shortest
	// session add to SD.
	RequestVariance, RequestSD float64

	// Alarms is how often the gate would have called a session a regression, measured
	// against the others and, where it looked like one, confirmed in the session after
	// it; Suspects is how often it looked like one. Every session is compared, so the
	// comparisons share most of their runs: the truth is at least as uncertain as the
	// intervals, which take them for independent. There are none where the sessions are
	// fewer than five, or too short for a verdict.
	Alarms, Suspects Rate
}

// A Session is one of the sessions compared.
type Session struct {
	Time     time.Time
	Requests int
	Quantile float64 // in the unit of the metric
	Type7    float64 // the same as other tools print it
}

// noise estimates the variance between sessions as that of their log quantiles θ less
// what the requests make of it,
//
//	τ² = max(0, Σ(θ − θ̄)²/(k−1) − v̄),  v̄ = a·mean(1/n),
//
// and its interval from Σ(θ − θ̄)²/(τ² + v̄), which is χ² with k−1 degrees of freedom.
func (s *sessions) noise() (Noise, error) {
	n := Noise{Scenario: s.scenario, Question: s.question, LeftOut: s.leftOut}
	var valid []int
	for i, values := range s.values {
		if values != nil {
			valid = append(valid, i)
		}
	}
	if len(valid) < Fewest {
		n.TooFew = tooFew(len(valid))
		return n, nil
	}
	n.Requests = math.MaxInt
	for _, i := range valid {
		n.Requests = min(n.Requests, len(s.values[i]))
	}
	direction := 1.0
	if s.question.Metric.HigherIsBetter() {
		direction = -1
	}
	theta := make([]float64, len(valid))
	mean, reciprocal := 0.0, 0.0
	for j, i := range valid {
		sorted := slices.Sorted(slices.Values(s.values[i]))
		rank := s.question.Quantile.Rank(s.question.Metric)
		logs := make([]float64, len(sorted))
		for r, v := range sorted {
			logs[r] = math.Log(v)
		}
		natural := stat.HarrellDavis(logs, rank, n.Requests)
		theta[j] = direction * natural
		mean += theta[j] / float64(len(valid))
		reciprocal += 1 / float64(len(sorted)) / float64(len(valid))
		n.Sessions = append(n.Sessions, Session{
			Time: s.times[i], Requests: len(sorted), Quantile: math.Exp(natural), Type7: stat.Type7(sorted, rank),
		})
	}
	n.Quantile = math.Exp(direction * mean)

	// The gate's own variance of a request, pooled over the sessions.
	judged, err := stat.Judge([]stat.Comparison{s.comparison(valid[1:], valid[:1])}, stat.Options{})
	if err != nil {
		return n, err
	}
	n.RequestVariance = judged[0].RunSE * judged[0].RunSE * float64(len(s.values[valid[0]]))
	n.RequestSD = math.Sqrt(n.RequestVariance / float64(n.Requests))

	squares := 0.0
	for _, t := range theta {
		squares += (t - mean) * (t - mean)
	}
	within, df := n.RequestVariance*reciprocal, len(valid)-1
	between := func(divisor float64) float64 { return math.Sqrt(max(0, squares/divisor-within)) }
	n.SD, n.Low, n.High = between(float64(df)), between(chiSquare(outside, df)), between(chiSquare(1-outside, df))
	return n, nil
}
