package latencytest_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// Two scenarios are asked about at their looks; one ends at its second, the other
// goes on to its end.
func TestEnoughEndsAScenario(t *testing.T) {
	t.Parallel()
	prompts := promptSet(2)
	prompts[1].Model = "another.model-v1:0"
	type look struct {
		scenario string
		n        int
	}
	var looks []look
	plan := latencytest.Plan{
		Prompts: prompts, Requests: 250, Load: latencytest.Closed(4), Seed: 3,
		SampleFile: filepath.Join(t.TempDir(), "samples.jsonl"),
		Enough: func(soFar *latencytest.Scenario, planned int) string {
			assert.Equal(t, 250, planned)
			for i := 1; i < len(soFar.Samples); i++ {
				assert.Less(t, soFar.Samples[i-1].Number, soFar.Samples[i].Number, "in request order")
			}
			looks = append(looks, look{soFar.Name, len(soFar.Samples)})
			if soFar.Name == "another.model-v1:0" && len(soFar.Samples) >= 100 {
				return "enough is enough"
			}
			return ""
		},
	}
	res := measured(t, lively, plan)
	stopped, whole := res.Scenario("another.model-v1:0"), res.Scenario(model)
	assert.ElementsMatch(t, []look{{model, 50}, {model, 100}, {model, 200}, {"another.model-v1:0", 50}, {"another.model-v1:0", 100}}, looks)
	assert.Equal(t, "enough is enough (after 100 of 250 requests)", stopped.Stopped)
	assert.Empty(t, whole.Stopped)
	assert.Len(t, whole.Samples, 250)
	assert.GreaterOrEqual(t, len(stopped.Samples), 100)
	assert.LessOrEqual(t, len(stopped.Samples), 104, "those under way still count")

	loaded, err := latencytest.Load(plan.SampleFile)
	require.NoError(t, err)
	assert.Equal(t, stopped.Stopped, loaded.Scenario("another.model-v1:0").Stopped)
	again := measured(t, lively, plan)
	assert.Equal(t, len(stopped.Samples), len(again.Scenario("another.model-v1:0").Samples), "it stops in the same place each time")
}

// All scenarios ended end the run, be it one that only time would end.
func TestEnoughOfAll(t *testing.T) {
	t.Parallel()
	res := measured(t, steady, latencytest.Plan{
		Prompts: promptSet(1), Duration: 1e15, Load: latencytest.Open(20),
		Enough: func(_ *latencytest.Scenario, planned int) string {
			assert.Zero(t, planned)
			return "done"
		},
	})
	assert.Equal(t, "done", res.Scenarios[0].Stopped)
	assert.Less(t, res.Scenarios[0].Attempts(), 100)

	_, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(nil), model), latencytest.Plan{
		LowMemory: true, Enough: func(*latencytest.Scenario, int) string { return "" },
	})
	assert.ErrorContains(t, err, "Plan.Enough")
}

func TestAgain(t *testing.T) {
	t.Parallel()
	prompts := promptSet(2)
	prompts[1].Model = "another.model-v1:0"
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		path := filepath.Join(t.TempDir(), "samples.jsonl")
		res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model),
			latencytest.Plan{Prompts: prompts, Requests: 20, SampleFile: path})
		require.NoError(t, err)
		again, err := res.Again(t.Context(), "another.model-v1:0")
		require.NoError(t, err)
		require.Len(t, again.Scenarios, 1)
		assert.Len(t, again.Scenarios[0].Samples, 20)
		assert.Equal(t, res.Scenario("another.model-v1:0").Identity, again.Scenarios[0].Identity)
		_, err = res.Again(t.Context(), "no such scenario")
		assert.ErrorContains(t, err, `no scenario called ["no such scenario"]`)

		loaded, err := latencytest.Load(path)
		require.NoError(t, err)
		assert.Len(t, loaded.Samples, len(res.Samples), "the file is that of the first session")
		_, err = loaded.Again(t.Context())
		assert.ErrorContains(t, err, "read from a file")
	})
}
