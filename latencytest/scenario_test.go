package latencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

func describe(p providers.Prompt) providers.Facts {
	return providers.Facts{
		{Name: "provider", Value: "bedrock"},
		{Name: "model", Value: p.Model},
		{Name: "region", Value: p.Region},
		{Name: "profile", Value: p.Profile},
	}
}

func names(groups []group) []string {
	var out []string
	for _, g := range groups {
		out = append(out, g.name)
	}
	return out
}

// A scenario is named after what tells it from the others, and only that.
func TestScenarioNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prompts []providers.Prompt
		want    []string
	}{
		{"one", []providers.Prompt{{Model: "m", Region: "r"}, {Model: "m", Region: "r"}}, []string{"all"}},
		{"models", []providers.Prompt{{Model: "m1"}, {Model: "m2"}, {Model: "m1"}}, []string{"m1", "m2"}},
		{"profiles", []providers.Prompt{{Model: "m", Profile: "standard"}, {Model: "m", Profile: "optimized"}}, []string{"standard", "optimized"}},
		{"the default has a name", []providers.Prompt{{Profile: "optimized"}, {}}, []string{"optimized", "default"}},
		{
			"models and regions and profiles",
			[]providers.Prompt{{Model: "m1", Region: "us-east-1", Profile: "standard"}, {Model: "m2", Region: "us-east-1", Profile: "standard"}, {Model: "m2", Region: "us-east-2", Profile: "optimized"}},
			[]string{"m1,us-east-1,standard", "m2,us-east-1,standard", "m2,us-east-2,optimized"},
		},
	} {
		assert.Equal(t, c.want, names(groupPrompts(c.prompts, describe)), c.name)
	}
}

// A target of a user's own may state a fact of some prompts only. Scenarios still
// have names, and no two the same: samples find their scenario by it.
func TestScenarioNamesDiffer(t *testing.T) {
	t.Parallel()
	describe := func(p providers.Prompt) providers.Facts {
		facts := providers.Facts{{Name: "model", Value: "m"}}
		if p.Region != "" {
			facts = append(facts, providers.Fact{Name: "region", Value: p.Region})
		}
		if p.Profile != "" {
			facts = append(facts, providers.Fact{Name: "profile", Value: p.Profile})
		}
		return facts
	}
	groups := groupPrompts([]providers.Prompt{{}, {Region: "x"}, {Profile: "x"}}, describe)
	assert.Equal(t, []string{"default,default", "x,default", "default,x"}, names(groups))
}

func TestGroupsKeepTheirPrompts(t *testing.T) {
	t.Parallel()
	groups := groupPrompts([]providers.Prompt{{ID: "1", Model: "a"}, {ID: "2", Model: "b"}, {ID: "3", Model: "a"}}, describe)
	require.Len(t, groups, 2)
	assert.Equal(t, []providers.Prompt{{ID: "1", Model: "a"}, {ID: "3", Model: "a"}}, groups[0].prompts)
	assert.Equal(t, "a", groups[0].facts.Get("model"))
}

// Everything that must be equal for two runs to be compared, in this order. What
// is added or renamed here separates new runs from all stored ones.
func TestIdentity(t *testing.T) {
	t.Parallel()
	plan := Plan{Name: "nightly", Prompts: promptSet("p", 2), Load: Closed(4), Cache: AsIsCache, Warmup: 8, Timeout: time.Minute, Environment: "virtual", Seed: 3, Requests: 200}
	g := group{name: "optimized", facts: describe(providers.Prompt{Model: "m", Region: "us-east-1", Profile: "optimized"}), prompts: plan.Prompts}
	assert.Equal(t, providers.Facts{
		{Name: "metrics", Value: "metrics/1"},
		{Name: "test", Value: "TestX"},
		{Name: "scenario", Value: "optimized"},
		{Name: "plan", Value: "nightly"},
		{Name: "provider", Value: "bedrock"},
		{Name: "model", Value: "m"},
		{Name: "region", Value: "us-east-1"},
		{Name: "profile", Value: "optimized"},
		{Name: "prompts", Value: digest(plan.Prompts)},
		{Name: "load", Value: "closed(4)"},
		{Name: "warmup", Value: "8"},
		{Name: "timeout", Value: "1m0s"},
		{Name: "prompt-cache", Value: "asis"},
		{Name: "environment", Value: "virtual"},
	}, plan.identity("TestX", g, ""))

	plan.Name = ""
	assert.Empty(t, plan.identity("TestX", g, "").Get("plan"))
	plan.Seed, plan.Requests = 99, 7
	without := plan.identity("TestX", g, "")
	assert.Len(t, without, 13, "neither the seed nor the number of requests is part of it")
}

// The digest is of what is sent: not of names, not of the order.
func TestDigest(t *testing.T) {
	t.Parallel()
	a, b := providers.Prompt{ID: "a", Text: "one"}, providers.Prompt{ID: "b", Text: "two"}
	base := digest([]providers.Prompt{a, b})
	assert.Equal(t, "25ada600ced4", base, "with another one, no stored baseline may be compared any more")
	assert.Equal(t, base, digest([]providers.Prompt{b, a}))
	assert.Equal(t, base, digest([]providers.Prompt{{ID: "x", Text: "one"}, b}))
	for _, other := range [][]providers.Prompt{
		{a},
		{a, b, b},
		{a, {Text: "two", MaxTokens: 50}},
		{a, {Text: "two", System: "Be brief."}},
		{a, {Text: "two", Caching: true, CachedContext: "x"}},
		{a, {Text: "two "}},
	} {
		assert.NotEqual(t, base, digest(other))
	}
	assert.Equal(t, "a", a.ID, "the caller's prompts stay as they are")
}

func TestObservedFacts(t *testing.T) {
	t.Parallel()
	sample := func(model, host string, class providers.Class) Sample {
		return Sample{Provider: "openai", API: "chat-completions", Model: model, Host: host, Class: class}
	}
	facts := func(samples ...Sample) providers.Facts {
		var seen sightings
		for i := range samples {
			seen.add(&samples[i])
		}
		return seen.facts()
	}
	assert.Equal(t, providers.Facts{
		{Name: "provider", Value: "openai"},
		{Name: "api", Value: "chat-completions"},
		{Name: "model", Value: "m1+m2"},
		{Name: "endpoint", Value: "::1+api.example.com"},
	}, facts(
		sample("m2", "api.example.com:443", providers.OK),
		sample("m1", "api.example.com", providers.OK),
		sample("m1", "[::1]:8080", providers.OK),
		sample("m3", "elsewhere", providers.Throttled),
	), "of requests that ended OK; the port of a test server is another in every run")
	assert.Equal(t, "", facts().Get("model"))
}
