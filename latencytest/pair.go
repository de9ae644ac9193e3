package latencytest

import (
	"errors"
	"fmt"
)

// A Pair is two results that were measured by turns in one session: what shifts or
// drifts in the session, as the endpoint's load does over a day, meets both alike.
//
// Each result is one as any other, whose turns are its repetitions: the samples of A
// and of B with the same [Sample.Repeated] were measured next to one another.
type Pair struct {
	A, B *Result

	// Blocks is how many blocks A B B A there were, half a block's samples of each
	// side being of one repetition, the other half of the next.
	Blocks int
}

// PairOf puts turns together that were measured one by one, as by test processes of
// two builds: a[i] and b[i] next to one another. All results are of one test and
// plan, and those of a side have the same scenarios. A side without turns has none:
// it did not measure what the other one did.
func PairOf(a, b []*Result) (*Pair, error) {
	if len(a) != len(b) && len(a)*len(b) > 0 || len(a)+len(b) == 0 {
		return nil, fmt.Errorf("there are %d turns of A and %d of B: want as many, and one at least", len(a), len(b))
	}
	pair := &Pair{Blocks: (max(len(a), len(b)) + 1) / 2}
	var errA, errB error
	pair.A, errA = joined(a)
	pair.B, errB = joined(b)
	return pair, errors.Join(errA, errB)
}

// joined is the results as repetitions of one.
func joined(turns []*Result) (*Result, error) {
	if len(turns) == 0 {
		return new(Result), nil
	}
	res := *turns[0]
	res.Plan.Repetitions, res.Samples, res.Scenarios, res.again = len(turns), nil, nil, nil
	for _, s := range turns[0].Scenarios {
		res.Scenarios = append(res.Scenarios, &Scenario{Name: s.Name, Identity: s.Identity})
	}
	number := 0
	for i, t := range turns {
		full, err := t.Full()
		if err != nil {
			return nil, err
		}
		if t.Test != res.Test || t.Plan.Name != res.Plan.Name {
			return nil, fmt.Errorf("turn %d is one of plan %q of %q, the first one of plan %q of %q", i, t.Plan.Name, t.Test, res.Plan.Name, res.Test)
		}
		if res.Ended == "" {
			res.Ended = t.Ended
		}
		for _, s := range full.Scenarios {
			of := res.Scenario(s.Name)
			if of == nil || of.Identity.String() != s.Identity.String() {
				return nil, fmt.Errorf("%s: turn %d measured another scenario than the first one did", s.Name, i)
			}
		}
		for _, s := range full.Samples {
			s.Number, s.Repeated = number, i
			number++
			res.Samples = append(res.Samples, s)
		}
	}
	res.Plan.LowMemory = false
	res.distribute()
	return &res, nil
}
