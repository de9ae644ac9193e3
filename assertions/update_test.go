package assertions_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

func TestUpdateAddsTheRunWithItsReason(t *testing.T) {
	t.Setenv("LATGATE_UPDATE", "1")
	t.Setenv("LATGATE_REASON", "two-step tool call, 30% slower (100%d)")
	store := stored(t, 3)
	res := result(scenario(200, 1, later(2)))
	res.Started = res.Started.AddDate(0, 1, 0)
	var f fakeT
	assert.True(t, assertions.Check(&f, res, store, assertions.NoRegression(latencytest.TTFTVisible, latencytest.P90)))
	assert.Empty(t, f.errors)
	require.Len(t, f.logs, 1)
	assert.Contains(t, f.logs[0], "[latgate] accepted: "+store.Location(baseline.NewKey(identity())))
	assert.Contains(t, f.logs[0], "reason: two-step tool call, 30% slower (100%d)")

	runs, err := store.Runs(baseline.NewKey(identity()))
	require.NoError(t, err)
	require.Len(t, runs, 4)
	assert.Equal(t, "two-step tool call, 30% slower (100%d)", runs[3].Header.Reason)
	assert.Len(t, runs[3].Values(latencytest.TTFTVisible), 200, "the gated metric is stored")
}

// Updating is how a baseline of another model, or with a new gate, comes to be.
func TestUpdateAcceptsWhatCannotBeCompared(t *testing.T) {
	t.Setenv("LATGATE_UPDATE", "1")
	t.Setenv("LATGATE_REASON", "a new model")
	store := stored(t, 3)
	s := scenario(200, 1)
	s.Identity[3].Value = "amazon.nova-pro-v1:0"
	var f fakeT
	assert.True(t, assertions.Check(&f, result(s), store, ttft90, alone))
	runs, err := store.Runs(baseline.KeyOf(s))
	require.NoError(t, err)
	assert.Len(t, runs, 1)
	assert.Equal(t, 3, runsIn(t, store))
}

func TestUpdateIsRefused(t *testing.T) {
	for _, test := range []struct {
		name      string
		variables map[string]string
		scenario  *latencytest.Scenario
		want      string
	}{
		{"without a reason", nil, scenario(200, 1), "without a reason: give -latgate.reason or LATGATE_REASON"},
		{"with a blank reason", map[string]string{"LATGATE_REASON": " "}, scenario(200, 1), "without a reason"},
		{"in CI", map[string]string{"LATGATE_REASON": "x", "CI": "true"}, scenario(200, 1), "LATGATE_ALLOW_CI_UPDATE=1"},
		{"in CI, by a false permission", map[string]string{"LATGATE_REASON": "x", "CI": "true", "LATGATE_ALLOW_CI_UPDATE": "0"}, scenario(200, 1), "not updated in CI"},
		{"of no requests", map[string]string{"LATGATE_REASON": "x"}, scenario(0, 1), "no requests were measured"},
		{"of failed requests", map[string]string{"LATGATE_REASON": "x"}, scenario(200, 1, failing(20, providers.HTTP5xx)), "20 of 200 requests failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("LATGATE_UPDATE", "true")
			for name, value := range test.variables {
				t.Setenv(name, value)
			}
			store := stored(t, 3)
			var f fakeT
			assert.False(t, assertions.Check(&f, result(test.scenario), store, ttft90, alone))
			require.Len(t, f.errors, 1)
			assert.Contains(t, f.errors[0], test.want)
			assert.Empty(t, f.logs)
			assert.Equal(t, 3, runsIn(t, store))
		})
	}
}

func TestUpdateInCIWithPermission(t *testing.T) {
	t.Setenv("CI", "true")
	t.Setenv("LATGATE_UPDATE", "1")
	t.Setenv("LATGATE_REASON", "the nightly refresh")
	t.Setenv("LATGATE_ALLOW_CI_UPDATE", "1")
	store := stored(t, 3)
	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(200, 1)), store, ttft90, alone))
	assert.Equal(t, 4, runsIn(t, store))
}

// A permission without a request for an update does nothing.
func TestPermissionAloneCreatesNothing(t *testing.T) {
	t.Setenv("CI", "true")
	t.Setenv("LATGATE_ALLOW_CI_UPDATE", "1")
	store := baseline.Dir(t.TempDir())
	var f fakeT
	assert.False(t, assertions.Check(&f, result(scenario(200, 1)), store, ttft90, alone))
	assert.Zero(t, runsIn(t, store))
}
