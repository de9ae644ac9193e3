package latencytest_test

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// exactly compares results bit for bit.
var exactly = cmp.Options{
	cmp.AllowUnexported(wire.Instant{}, providers.Count{}, latencytest.LoadModel{}),
	cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(latencytest.Scenario{}, latencytest.Result{}), cmpopts.EquateComparable(latencytest.Metric{}),
}

// A seed gives the same samples to the last bit, whatever the scheduler does:
// everything but the date is compared.
func TestSameSeedSameSamples(t *testing.T) { // not parallel: GOMAXPROCS is the process's
	script := lively
	script.Reasoning, script.ToolCalls = 3, 1
	script.Faults = []fakes.Fault{
		{On: fakes.Share(.05), Effect: fakes.Refuse{}},
		{On: fakes.Share(.05), Effect: fakes.Cut{At: fakes.Abort, After: 5}},
		{On: fakes.Share(.05), Effect: fakes.Hang{}},
		{On: fakes.Share(.1), Effect: fakes.Stall{At: 7, For: 3e9}},
	}
	plan := latencytest.Plan{
		Prompts:  append(promptSet(5), providers.Prompt{ID: "other", Text: "Of another scenario.", Profile: "optimized"}),
		Requests: 60, Load: latencytest.Closed(4), Seed: 11,
	}
	run := func(procs int) *latencytest.Result {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		return measured(t, script, plan)
	}
	first := run(1)
	require.Less(t, len(first.Scenarios[0].Values(latencytest.TTFT)), 60, "some requests fail")
	for _, procs := range []int{2, 8, 2} {
		again := run(procs)
		require.Empty(t, cmp.Diff(first, again, exactly, cmpopts.IgnoreFields(latencytest.Result{}, "Started")), "GOMAXPROCS=%d", procs)
	}
	plan.Seed = 12
	require.NotEmpty(t, cmp.Diff(first.Samples, run(2).Samples, exactly))
}
