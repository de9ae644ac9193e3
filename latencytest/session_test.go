package latencytest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// A process that only measures does so for the scenarios it was told, at full length,
// and leaves its samples where it was told.
func TestSession(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	session := latencytest.Session{Dir: dir, Plan: "chat", Scenarios: []string{"another.model-v1:0"}}
	t.Setenv(latencytest.SessionVariable, session.String())
	settings, err := latencytest.ReadSettings()
	require.NoError(t, err)
	assert.Equal(t, &session, settings.Session)

	prompts := promptSet(2)
	prompts[1].Model = "another.model-v1:0"
	run := func(t *testing.T, plan string) (res *latencytest.Result) {
		tb := pretend("TestChat", func(tb testing.TB) {
			bubble(t, lively, func(_ *testing.T, network *fakes.Network) {
				res = latencytest.Run(tb, bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{
					Name: plan, Prompts: prompts, Requests: 60,
					Enough: func(*latencytest.Scenario, int) string { return "never asked" },
				})
			})
		})
		require.Empty(t, tb.fatal)
		return res
	}
	res := run(t, "chat")
	require.Len(t, res.Scenarios, 1)
	assert.Len(t, res.Scenarios[0].Samples, 60)
	loaded, err := latencytest.Load(session.SampleFile("TestChat", "chat"))
	require.NoError(t, err)
	assert.Equal(t, "another.model-v1:0", loaded.Scenarios[0].Name)

	res = run(t, "another plan")
	require.Len(t, res.Scenarios, 2, "the test may count on its result")
	assert.Len(t, res.Scenarios[0].Samples, 1)

	for _, text := range []string{"{", `{"dir":"relative"}`} {
		t.Setenv(latencytest.SessionVariable, text)
		_, err := latencytest.ReadSettings()
		assert.ErrorContains(t, err, "LATGATE_SESSION")
	}
}
