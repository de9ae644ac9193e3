package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// sampledAnswers measures a fake in virtual time, and returns the sample file.
func sampledAnswers(t *testing.T, script fakes.Script) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "latest.samples.jsonl")
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.OpenAI(script))
		defer network.Close()
		target := openai.Chat("gpt-5-mini", endpoint.Options{Client: network.Client(), Key: "key"})
		_, err := latencytest.Measure(t.Context(), target, latencytest.Plan{
			Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 4, Storm: -1, SampleFile: file,
		})
		require.NoError(t, err)
	})
	return file
}

func TestImportOfSamples(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	samples := sampledAnswers(t, fakes.Script{
		TTFT: fakes.Constant(5 * ms), Gap: fakes.Constant(ms), OutputTokens: 6,
		Faults: []fakes.Fault{{On: fakes.Request(2), Effect: fakes.Refuse{}}},
	})
	out := filepath.Join(t.TempDir(), "chat.cassette.jsonl.gz")
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "import "+samples+" --out "+out), h.err.String())
	assert.Empty(t, h.err.String())
	assert.Equal(t, "3 interactions from latgate samples in "+out+"\n"+
		"left out: 1 of the warm-up, 1 that failed\n"+
		"times: the times of 3 of 3 interactions were not recorded: synthesised (head, first and last content measured, 4 events spread evenly between)\n", h.out.String())
	c, err := cassette.Read(out)
	require.NoError(t, err)
	assert.Equal(t, "chat", c.Header.Name)
	assert.Equal(t, "1 of the warm-up, 1 that failed", c.Header.Provenance["left out"])

	// It is an endpoint for any client, which asks anything.
	l := listen(t, "replay "+out)
	for range 4 {
		resp, err := http.Post(l.url+"/v1/chat/completions", "application/json", strings.NewReader(`{"any":"thing"}`))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 7, bytes.Count(body, []byte(`"content":"`)), "the role, and six tokens")
		assert.Contains(t, string(body), `"completion_tokens":6`)
		assert.Contains(t, string(body), "[DONE]")
	}
	assert.Equal(t, exitOK, l.interrupted())
	assert.Contains(t, l.err.String(), "the recording has no times of its own")
}

// Of a run that was killed there is what it left behind.
func TestImportOfInterruptedSamples(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(sampledAnswers(t, fakes.Script{}))
	require.NoError(t, err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	partial := write(t, "run.samples.jsonl.partial", string(bytes.Join(lines[:4], nil)))
	out := filepath.Join(t.TempDir(), "chat.cassette.jsonl")
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "import "+partial+" --redact --name nightly --out "+out), h.err.String())
	assert.Contains(t, h.err.String(), "the run ended early")
	assert.Contains(t, h.out.String(), "2 interactions from latgate samples")
	c, err := cassette.Read(out)
	require.NoError(t, err)
	assert.True(t, c.Header.Redacted)
	assert.Equal(t, "nightly", c.Header.Name)
}

func TestUsageOfImport(t *testing.T) {
	t.Parallel()
	samples := sampledAnswers(t, fakes.Script{Faults: []fakes.Fault{{On: fakes.Share(.999), Effect: fakes.Cut{After: 2}}}})
	data, err := os.ReadFile(samples)
	require.NoError(t, err)
	newer := write(t, "newer.jsonl", strings.Replace(string(data), latencytest.SampleSchema, "latgate.samples/9", 1))
	edited := write(t, "edited.jsonl", strings.Replace(string(data), `"class"`, `"klass"`, 1))
	out := filepath.Join(t.TempDir(), "x.jsonl")
	for _, c := range []struct{ line, want string }{
		{samples + " --ttft 400ms", "--ttft: " + samples + " is a sample file, which holds the times of its requests: leave the flag out"},
		{samples + " --gap 0", "--gap: " + samples + " is a sample file"},
		{samples, "has no sample that can be replayed: 1 of the warm-up, 4 that failed"},
		{newer, `schema "latgate.samples/9" is not "latgate.samples/1"`},
		{edited, `edited.jsonl:2: json: unknown field "klass"`},
		{"none.jsonl", "open none.jsonl: no such file"},
		{t.TempDir(), "is a directory"},
		{write(t, "empty", ""), "the file is empty"},
		{write(t, "short", "{"), "VCR.py"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, "import --out "+out+" "+c.line), c.line)
		assert.Contains(t, h.err.String(), c.want, c.line)
		assert.Empty(t, h.out.String())
	}
	assert.NoFileExists(t, out)
}
