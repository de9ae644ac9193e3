package latencytest_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// turnsOf measures n runs, as processes that only measure would, and reads them back.
func turnsOf(t *testing.T, n int, plan latencytest.Plan) []*latencytest.Result {
	t.Helper()
	var turns []*latencytest.Result
	for i := range n {
		plan.SampleFile = filepath.Join(t.TempDir(), fmt.Sprint(i), "latest.samples.jsonl")
		measured(t, fakes.Script{Seed: uint64(i)}, plan)
		turn, err := latencytest.Load(plan.SampleFile)
		require.NoError(t, err)
		turns = append(turns, turn)
	}
	return turns
}

func TestPairOf(t *testing.T) {
	t.Parallel()
	plan := latencytest.Plan{Prompts: promptSet(2), Requests: 5, Warmup: 2}
	a, b := turnsOf(t, 4, plan), turnsOf(t, 4, plan)
	pair, err := latencytest.PairOf(a, b)
	require.NoError(t, err)
	assert.Equal(t, 2, pair.Blocks)
	for _, res := range []*latencytest.Result{pair.A, pair.B} {
		assert.Equal(t, 4, res.Plan.Repetitions)
		assert.Equal(t, 5, res.Plan.Requests)
		assert.Len(t, res.Samples, 4*7)
		require.Len(t, res.Scenarios, 1)
		require.Len(t, res.Scenarios[0].Samples, 4*5, "without the warm-ups")
		for i, s := range res.Scenarios[0].Samples {
			assert.Equal(t, i/5, s.Repeated)
		}
		for i, s := range res.Samples {
			assert.Equal(t, i, s.Number)
		}
	}
	assert.Len(t, a[0].Samples, 7, "the turns are left as they are")
	assert.Zero(t, a[1].Samples[0].Repeated)
	assert.Zero(t, a[1].Samples[0].Number)
	_, err = pair.A.Again(t.Context())
	assert.Error(t, err)
}

func TestPairOfTurnsThatDoNotFit(t *testing.T) {
	t.Parallel()
	plan := latencytest.Plan{Prompts: promptSet(2), Requests: 2}
	turns := turnsOf(t, 2, plan)
	_, err := latencytest.PairOf(turns, turns[:1])
	require.EqualError(t, err, "there are 2 turns of A and 1 of B: want as many, and one at least")
	_, err = latencytest.PairOf(nil, nil)
	require.Error(t, err)
	pair, err := latencytest.PairOf(nil, turns)
	require.NoError(t, err)
	assert.Empty(t, pair.A.Scenarios)
	assert.Len(t, pair.B.Scenarios, 1)

	plan.Name = "long"
	other := turnsOf(t, 1, plan)
	_, err = latencytest.PairOf(turns, []*latencytest.Result{turns[0], other[0]})
	require.ErrorContains(t, err, "turn 1 is one of plan \"long\" of \"\", the first one of plan \"\" of \"\"")

	plan.Name, plan.Prompts = "", promptSet(3)
	other = turnsOf(t, 1, plan)
	_, err = latencytest.PairOf([]*latencytest.Result{other[0], turns[0]}, turns)
	require.ErrorContains(t, err, "all: turn 1 measured another scenario than the first one did")
}
