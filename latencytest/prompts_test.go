package latencytest_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// AWS's latency notebook writes such files.
const notebook = `{"text_prompt": "Summarize the key features of cloud computing in one sentence.", "expected_output_tokens": 50, "task_type": "Text-Generation", "model_id": "us.meta.llama3-1-70b-instruct-v1:0", "region": "us-east-2", "inference_profile": "optimized"}

{"text_prompt": "Explain machine learning.", "prompt_caching": true, "cache_ttl": "1h", "cached_context": "A long context."}
`

func TestPromptsReadsTheNotebooksFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prompts.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(notebook), 0o644))
	assert.Equal(t, []providers.Prompt{
		{
			ID: "p1", Text: "Summarize the key features of cloud computing in one sentence.", MaxTokens: 50, TaskType: "Text-Generation",
			Model: "us.meta.llama3-1-70b-instruct-v1:0", Region: "us-east-2", Profile: "optimized",
		},
		{ID: "p3", Text: "Explain machine learning.", Caching: true, CacheTTL: "1h", CachedContext: "A long context."},
	}, latencytest.Prompts(t, path))
}

// A bad line is an error with file, line and field; every one is reported.
func TestPromptsNamesEveryBadLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prompts.jsonl")
	content := `{"text_prompt": "fine"}
{"text_prompt": 5}
{"text_prompt": "x", "expected_output_tokens": "many"}
{"text_prompt": "x", "temperature": 0.5}
{"text_prompt": "x", "inference_profile": "fast"}
{"text_prompt": " "}
{"text_prompt": "x", "task_type": "Image-Generation"}
{"id": "p1", "text_prompt": "x"}
text_prompt: x
{"text_prompt": "x"} {"text_prompt": "y"}
{"text_prompt": "x", "prompt_caching": true}
{"text_prompt": "x", "cache_ttl": "2h"}
`
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	tb := pretend("TestLatency", func(tb testing.TB) {
		latencytest.Prompts(tb, path)
		t.Error("Prompts returned")
	})
	want := "[latgate] "
	for i, line := range []string{
		":2: text_prompt: want a string, got number",
		":3: expected_output_tokens: want an integer, got string",
		":4: temperature: unknown field",
		`:5: inference_profile: want standard or optimized, got "fast"`,
		":6: text_prompt: missing or blank",
		`:7: task_type: want Text-Generation, got "Image-Generation"`,
		`:8: id: "p1" is used on line 1 already`,
		":9: not a JSON object: invalid character 'e' in literal true (expecting 'r')",
		":10: more than one JSON value on the line",
		":11: cached_context: prompt_caching is on, but there is nothing to cache",
		`:12: cache_ttl: want 5m or 1h, got "2h"`,
	} {
		if i > 0 {
			want += "\n"
		}
		want += path + line
	}
	assert.Equal(t, want, tb.fatal)
}

func TestPromptsWithoutAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prompts.jsonl")
	assert.Contains(t, pretend("T", func(tb testing.TB) { latencytest.Prompts(tb, path) }).fatal, "[latgate] open "+path)
	require.NoError(t, os.WriteFile(path, []byte("\n\n"), 0o644))
	assert.Contains(t, pretend("T", func(tb testing.TB) { latencytest.Prompts(tb, path) }).fatal, path+": no prompts: want one JSON object a line")
}

// Run prints the table whatever happened, writes the samples where they belong,
// and fails the test where the run means nothing.
func TestRun(t *testing.T) { // not parallel: it changes the working directory
	t.Chdir(t.TempDir())
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		target := bedrock.ConverseStream(client(network.Transport()), model)
		var res *latencytest.Result
		plan := latencytest.Plan{Prompts: promptSet(2), Requests: 20}
		tb := pretend("TestLatency/short", func(tb testing.TB) { res = latencytest.Run(tb, target, plan) })
		require.Empty(t, tb.fatal)
		require.Len(t, tb.logs, 1)
		assert.Equal(t, "[latgate] "+res.String(), tb.logs[0])
		assert.Equal(t, "TestLatency/short", res.Test)
		assert.Equal(t, "TestLatency/short", res.Scenarios[0].Identity.Get("test"))
		loaded, err := latencytest.Load("testdata/latgate/TestLatency_short/latest.samples.jsonl")
		require.NoError(t, err)
		assert.Len(t, loaded.Samples, 21)
		ignored, err := os.ReadFile("testdata/latgate/.gitignore")
		require.NoError(t, err)
		assert.Equal(t, "*.samples.jsonl\n*.check.json\n*.partial\nuncached\n", string(ignored))

		require.NoError(t, os.WriteFile("testdata/latgate/.gitignore", []byte("mine\n"), 0o644))
		plan.Name = "nightly"
		require.Empty(t, pretend("TestLatency/short", func(tb testing.TB) { latencytest.Run(tb, target, plan) }).fatal)
		assert.FileExists(t, "testdata/latgate/TestLatency_short/nightly.latest.samples.jsonl")
		assert.FileExists(t, "testdata/latgate/TestLatency_short/latest.samples.jsonl", "the test's other plan")
		ignored, err = os.ReadFile("testdata/latgate/.gitignore")
		require.NoError(t, err)
		assert.Equal(t, "mine\n", string(ignored), "what the user put there stays")

		plan.Requests = -1
		tb = pretend("TestLatency", func(tb testing.TB) { latencytest.Run(tb, target, plan); t.Error("Run returned") })
		assert.Equal(t, "[latgate] Plan.Requests: want a positive number, got -1", tb.fatal)

		rec := latencytest.NewRecorder(&fakeTB{})
		tb = pretend("TestLatency", func(tb testing.TB) {
			latencytest.RunFunc(tb, rec, latencytest.Plan{Prompts: promptSet(1)}, func(context.Context, providers.Prompt) error { return nil })
			t.Error("RunFunc returned")
		})
		assert.Equal(t, "[latgate] all 1 warm-up requests failed, nothing was measured: connect: no request went through the measured client", tb.fatal)
		assert.Len(t, tb.logs, 1, "the table, for what it is worth")
	})
}

// A variable that cannot be read is no reason to measure something else.
func TestRunWithABadSetting(t *testing.T) { // not parallel: the environment is the process's
	t.Chdir(t.TempDir())
	t.Setenv("LATGATE_REQUESTS", "many")
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		tb := pretend("TestLatency", func(tb testing.TB) {
			latencytest.Run(tb, bedrock.ConverseStream(client(network.Transport()), model), latencytest.Plan{Prompts: promptSet(1)})
		})
		assert.Contains(t, tb.fatal, `[latgate] LATGATE_REQUESTS="many": `)
	})
}

// A recorder's connections are closed when its test ends.
func TestRecorderClosesItsConnections(t *testing.T) {
	t.Parallel()
	closed := false
	pretend("TestX", func(tb testing.TB) {
		rec := latencytest.NewRecorder(tb)
		rec.Base = closer{&closed}
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 1}, chatApp(rec.Client(), 0))
		assert.Error(t, err)
		assert.Len(t, res.Samples, 1)
	})
	assert.True(t, closed)
}

type closer struct{ closed *bool }

func (c closer) CloseIdleConnections() { *c.closed = true }

func (c closer) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}
