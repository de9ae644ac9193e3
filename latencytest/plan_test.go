package latencytest

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

func TestZeroPlan(t *testing.T) {
	t.Parallel()
	p := Plan{Prompts: promptSet("p", 1)}.withDefaults(Settings{Seed: 5})
	assert.Equal(t, Plan{
		Prompts: promptSet("p", 1), Requests: 100, Repetitions: 1, Warmup: 1, Load: Closed(1), Cache: AsIsCache, Storm: .9, Grace: 10 * time.Second, ProgressEvery: 10 * time.Second, Live: []Metric{TTFT, TTLT}, Timeout: 2 * time.Minute, Seed: 5,
		Environment: runtime.GOOS + "/" + runtime.GOARCH,
	}, p)
	require.NoError(t, p.validate())
}

func TestPlanDefaultsThatDependOnOthers(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 8, Plan{Load: Closed(8)}.withDefaults(Settings{}).Warmup, "a full wave")
	assert.Equal(t, 8, Plan{Load: Closed(8), Warmup: 3}.withDefaults(Settings{}).Warmup, "raised to one")
	assert.Equal(t, 20, Plan{Load: Closed(8), Warmup: 20}.withDefaults(Settings{}).Warmup)
	assert.Equal(t, 40, Plan{Requests: 7}.withDefaults(Settings{Requests: 40}).Requests, "the setting goes first")
	assert.Equal(t, 7, Plan{Requests: 7}.withDefaults(Settings{}).Requests)
	assert.EqualValues(t, 3, Plan{Seed: 3}.withDefaults(Settings{Seed: 9}).Seed, "the plan goes first")
	assert.Equal(t, runtime.GOOS+"/"+runtime.GOARCH+"/ci-large", Plan{}.withDefaults(Settings{RunnerClass: "ci-large"}).Environment)
	assert.Equal(t, "staging", Plan{Environment: "staging"}.withDefaults(Settings{RunnerClass: "ci-large"}).Environment)
	abroad := Settings{Region: "eu-west-1"}
	assert.Equal(t, "staging@eu-west-1", Plan{Environment: "staging"}.withDefaults(abroad).withDefaults(abroad).Environment)
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "virtual", Plan{}.withDefaults(Settings{RunnerClass: "ci-large", Region: "eu-west-1"}).Environment, "no machine matters")
	})
}

// Prompts made in code need no ids; those of the caller's slice stay as they are.
func TestPromptsWithoutIDs(t *testing.T) {
	t.Parallel()
	prompts := []providers.Prompt{{Text: "a"}, {ID: "named", Text: "b"}, {Text: "c"}}
	p := Plan{Prompts: prompts}.withDefaults(Settings{})
	require.NoError(t, p.validate())
	assert.Equal(t, []string{"p1", "named", "p3"}, []string{p.Prompts[0].ID, p.Prompts[1].ID, p.Prompts[2].ID})
	assert.Empty(t, prompts[0].ID)
}

// All that is wrong is said at once.
func TestPlanNamesEveryFault(t *testing.T) {
	t.Parallel()
	err := Plan{
		Prompts: []providers.Prompt{
			{ID: "a", Text: "fine"}, {ID: "b"}, {ID: "a", Text: "x", Profile: "fast"},
		},
		Requests: -1, Warmup: -2, Load: Closed(-3), Timeout: -time.Second,
	}.withDefaults(Settings{}).validate()
	require.Error(t, err)
	assert.Equal(t, []string{
		`Plan.Prompts: prompt 1: text_prompt: missing or blank`,
		`Plan.Prompts: prompt 2: inference_profile: want standard or optimized, got "fast"`,
		`Plan.Prompts: prompt 2: the id "a" is used twice`,
		`Plan.Requests: want a positive number, got -1`,
		`Plan.Warmup: want 0 or more, got -2`,
		`Plan.Load: want at least one client, got closed(-3)`,
		`Plan.Timeout: want a positive duration, got -1s`,
	}, strings.Split(err.Error(), "\n"))

	err = Plan{}.withDefaults(Settings{}).validate()
	assert.EqualError(t, err, "Plan.Prompts: there are none; give at least one, or read a set with latencytest.Prompts")
}
