package assertions

import (
	"fmt"
	"slices"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// openAB reads the two sides of a check that took turns.
func (j *judging) openAB(list []Gate) (err error) {
	if j.gates, err = collectAB(list); err != nil {
		return err
	}
	j.pair = &latencytest.Pair{Blocks: j.Record.Blocks}
	for _, side := range []struct {
		into       **latencytest.Result
		file, name string
	}{{&j.pair.A, j.Record.AgainstFile(), j.Record.Against}, {&j.pair.B, j.Record.SampleFile(), j.Record.Samples}} {
		res, err := latencytest.Load(side.file)
		if err != nil {
			return err
		}
		if res.Plan.Repetitions != 2*j.Record.Blocks {
			return fmt.Errorf("%s: the samples are of %d repetitions, the check is of %d blocks, which have %d: run the tests again",
				side.file, res.Plan.Repetitions, j.Record.Blocks, 2*j.Record.Blocks)
		}
		res.Plan.SampleFile = side.name // it is told, and only this machine knows its directory
		*side.into = res
	}
	j.result = j.pair.B
	if len(j.result.Scenarios) == 0 {
		return errNoScenario
	}
	return nil
}

// togetherAB is together for sides that took turns.
func togetherAB(all []*judging) error {
	var settings []stat.Options
	var cases []baseline.PairCase
	for _, j := range all {
		cases = append(cases, baseline.PairCase{
			Pair: j.pair, Questions: j.gates.questions,
			MinEffect: j.gates.options.MinEffect, RuleOut: j.gates.options.RuleOut,
		})
		if o := j.gates.family(); !slices.Contains(settings, o) {
			settings = append(settings, o)
		}
	}
	for _, o := range settings {
		compared, err := baseline.ComparePairs(o, cases...)
		if err != nil {
			return err
		}
		for _, c := range compared.Comparisons {
			if j := all[c.Case]; j.gates.family() == o {
				j.answers = append(j.answers, j.gates.describeAB(c, j.pair))
			}
		}
	}
	return nil
}
