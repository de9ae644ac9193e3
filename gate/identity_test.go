package gate_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/report"
)

// A quietT lets a check fail: the gate judges.
type quietT struct{ testing.TB }

func (quietT) Errorf(string, ...any) {}
func (quietT) Logf(string, ...any)   {}

// A question is what a test asks of an endpoint, and how.
type question struct {
	model   string
	options endpoint.Options
	plan    latencytest.Plan
	target  func(model string, o endpoint.Options) providers.Target
	facts   providers.Facts // more, such as those of AWS
	script  fakes.Script    // of the endpoint
	gates   []assertions.Gate
}

func ask() question {
	return question{
		model: "m", options: endpoint.Options{BaseURL: "http://model.test/v1", Key: "k"},
		plan: latencytest.Plan{
			Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 30, Warmup: 1, Load: latencytest.Closed(1), Timeout: time.Minute, Environment: "ci-large",
		},
		target: func(model string, o endpoint.Options) providers.Target { return openai.Chat(model, o) },
		facts:  providers.Facts{{Name: "region", Value: "us-east-1"}, {Name: "profile", Value: "standard"}, {Name: "retries", Value: "none"}},
		script: fakes.Script{Seed: 1, OutputTokens: 3, TTFT: fakes.Constant(200 * time.Millisecond)},
		gates:  []assertions.Gate{assertions.NoRegression(latencytest.TTFT, latencytest.P90), assertions.SingleSession()},
	}
}

// A described target says more of itself.
type described struct {
	providers.Target
	more providers.Facts
}

func (d described) Describe(p providers.Prompt) providers.Facts {
	return append(d.Target.Describe(p), d.more...)
}

// measured asks, has it checked, and leaves what a build leaves in a directory.
func (q question) measured(t *testing.T, dir string, store baseline.Store) *latencytest.Result {
	t.Helper()
	var res *latencytest.Result
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("/", fakes.OpenAI(q.script))
		mux.Handle("/v1/v1/messages", fakes.Anthropic(q.script))
		network := fakes.NewNetwork(mux)
		defer network.Close()
		q.options.Client = network.Client()
		q.plan.SampleFile = filepath.Join(dir, "latest.samples.jsonl")
		res = latencytest.Run(quietT{t}, described{q.target(q.model, q.options), q.facts}, q.plan)
		assertions.Check(quietT{t}, res, store, q.gates...)
	})
	writeManifest(t, dir, gate.Shard{Of: 1}, func(m *gate.Manifest) {
		m.Planned, m.Tests = nil, []gate.Ran{{Package: "example.com/app", Dir: ".", Test: t.Name(), Outcome: gate.Passed}}
	})
	return res
}

// What changes the question makes the answer incomparable, and the field that did is
// named: every one of a measurement's identity.
func TestEachFieldOfTheIdentity(t *testing.T) {
	t.Setenv("CI", "true") // where no check stores a run
	store := baseline.Dir(t.TempDir())
	dir := filepath.Join(t.TempDir(), "out")
	res := ask().measured(t, dir, store)
	_, err := baseline.Accept(res, store, "first")
	require.NoError(t, err)
	again := ask()
	again.plan.Seed = 2
	again.measured(t, dir, store)
	same, _ := judgeHere(t, dir)
	require.NotContains(t, []int{report.ExitMissing, report.ExitIncomparable}, same, "the same question has this baseline")

	inFacts := func(name, value string) func(*question) {
		return func(q *question) {
			q.facts = slices.Clone(q.facts)
			if i := slices.IndexFunc(q.facts, func(f providers.Fact) bool { return f.Name == name }); i >= 0 {
				q.facts[i].Value = value
				return
			}
			q.facts = append(q.facts, providers.Fact{Name: name, Value: value})
		}
	}
	changes := map[string]func(*question){
		"model": func(q *question) { q.model = "n" },
		"api": func(q *question) {
			q.target = func(m string, o endpoint.Options) providers.Target { return openai.Responses(m, o) }
		},
		"provider": func(q *question) {
			q.target = func(m string, o endpoint.Options) providers.Target { return anthropic.Messages(m, o) }
		},
		"api-version": func(q *question) {
			q.target = func(m string, o endpoint.Options) providers.Target { return openai.Azure(m, "2024-10-21", o) }
		},
		"endpoint":     func(q *question) { q.options.BaseURL = "http://other.test/v1" },
		"stream":       func(q *question) { q.options.Unary = true },
		"temperature":  func(q *question) { q.options.Temperature = endpoint.Value(.5) },
		"top-p":        func(q *question) { q.options.TopP = endpoint.Value(.5) },
		"fields":       func(q *question) { q.options.Fields = map[string]any{"reasoning_effort": "low"} },
		"headers":      func(q *question) { q.options.Header = http.Header{"X-Tier": {"flex"}} },
		"prompts":      func(q *question) { q.plan.Prompts = []providers.Prompt{{Text: "Hello", MaxTokens: 7}} },
		"load":         func(q *question) { q.plan.Load = latencytest.Closed(2) },
		"warmup":       func(q *question) { q.plan.Warmup = 2 },
		"timeout":      func(q *question) { q.plan.Timeout = 30 * time.Second },
		"prompt-cache": func(q *question) { q.plan.Cache = latencytest.BustCache },
		"connections":  func(q *question) { q.plan.DialAnew = true },
		"region":       inFacts("region", "eu-west-1"), // of AWS, as the next ones
		"profile":      inFacts("profile", "optimized"),
		"retries":      inFacts("retries", "sdk"),
		"top-k":        inFacts("top-k", "5"),
		"family":       inFacts("family", "nova"),
	}
	for field, change := range changes {
		q := ask()
		change(&q)
		dir := filepath.Join(t.TempDir(), "out")
		q.measured(t, dir, store)
		code, build := judgeHere(t, dir)
		assert.Equal(t, report.ExitIncomparable, code, field)
		require.Len(t, build.Rows, 1, field)
		assert.Equal(t, baseline.Incomparable, build.Rows[0].Verdict, field)
		assert.Contains(t, build.Rows[0].Reason, " "+field+": the baseline has ", field)
	}

	q := ask()
	q.plan.Environment = "ci-small"
	dir = filepath.Join(t.TempDir(), "out")
	q.measured(t, dir, store)
	code, build := judgeHere(t, dir)
	assert.Equal(t, report.ExitMissing, code, "each environment has a baseline of its own")
	assert.Contains(t, build.Rows[0].Reason, `no baseline for the environment "ci-small" yet, there is one for "ci-large"`)

	// The test, its scenario and the version of the metrics do not change by what a test
	// says; recordings are their own, see TestReplayIsExact of package latencytest.
	others := []string{"metrics", "test", "scenario", "environment"}
	for _, f := range res.Scenarios[0].Identity {
		assert.Contains(t, slices.Concat(others, slices.Collect(maps.Keys(changes))), f.Name, "a field that nothing is known of")
	}
}

func judgeHere(t *testing.T, dir string) (int, *report.Build) {
	t.Helper()
	build, err := gate.Judge(t.Context(), gate.Options{Dir: dir, Root: t.TempDir()})
	require.NoError(t, err, fmt.Sprint(dir))
	return build.ExitCode, build
}
