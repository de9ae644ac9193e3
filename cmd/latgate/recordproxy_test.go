package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// What goes through the proxy reaches the endpoint with its key, comes back as it was,
// and is replayed; the key is nowhere.
func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	upstream := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8, TTFT: fakes.Constant(5 * time.Millisecond)}))
	file := filepath.Join(t.TempDir(), "answer.cassette.jsonl")
	l := listen(t, "record --upstream "+upstream.URL+" "+file)
	resp, body := ask(t, l.url, question)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Contains(t, body, "data: [DONE]")
	assert.Empty(t, resp.Header.Get("X-Latgate-Recorded"))
	assert.NoFileExists(t, file, "until the end")
	require.Equal(t, exitOK, l.interrupted(), l.err.String())
	sent := upstream.last(t)
	assert.Equal(t, "Bearer "+keys["OPENAI_API_KEY"], sent.header.Get("Authorization"))
	assert.Empty(t, sent.header.Get("X-Forwarded-For"))
	assert.Regexp(t, `latgate: POST /v1/chat/completions: 200, \d+ reads, \d+m?s, eof\n`, l.err.String())
	assert.Contains(t, l.err.String(), "latgate: 1 exchanges recorded in "+file+"\n")

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(data), keys["OPENAI_API_KEY"])
	assert.Contains(t, string(data), "Where is my order?")
	c, err := cassette.Read(file)
	require.NoError(t, err)
	assert.Equal(t, "answer", c.Header.Name)
	assert.GreaterOrEqual(t, c.At(0).Response.Reads[0].At, 5*time.Millisecond)

	r := listen(t, "replay "+file)
	_, replayed := ask(t, r.url, question)
	assert.Equal(t, body, replayed)
	assert.Equal(t, exitOK, r.interrupted(), r.err.String())
}

func TestRecordRedacted(t *testing.T) {
	t.Parallel()
	upstream := serve(t, fakes.OpenAI(fakes.Script{OutputTokens: 8}))
	file := filepath.Join(t.TempDir(), "answer.cassette.jsonl")
	l := listen(t, "record --redact --name mine --upstream "+upstream.URL+" "+file)
	ask(t, l.url, question)
	require.Equal(t, exitOK, l.interrupted(), l.err.String())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "my order")

	r := listen(t, "replay "+file)
	resp, _ := ask(t, r.url, question)
	assert.Equal(t, 200, resp.StatusCode, "matched by its hash")
	assert.Equal(t, exitOK, r.interrupted(), r.err.String())
}

// Each read is handed on when it comes: the endpoint sends its second event only after
// the client has seen the first.
func TestRecordDoesNotBuffer(t *testing.T) {
	t.Parallel()
	seen := make(chan bool)
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		<-seen
		_, _ = io.WriteString(w, "two")
	}))
	file := filepath.Join(t.TempDir(), "c.jsonl")
	l := listen(t, "record --upstream "+upstream.URL+"/base "+file)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+"/model", strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := new(http.Transport).RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	first := make([]byte, 3)
	_, err = io.ReadFull(resp.Body, first)
	require.NoError(t, err)
	assert.Equal(t, "one", string(first))
	seen <- true
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "two", string(rest))
	require.Equal(t, exitOK, l.interrupted(), l.err.String())
	c, err := cassette.Read(file)
	require.NoError(t, err)
	assert.Equal(t, "/base/model", c.At(0).Request.Path)
	assert.Len(t, c.At(0).Response.Reads, 2)
}

// A second interrupt ends what would never end; what came until then is recorded.
func TestRecordInterruptedTwice(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	file := filepath.Join(t.TempDir(), "c.jsonl")
	l := listen(t, "record --upstream "+upstream.URL+" "+file)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url+"/hang", nil)
	require.NoError(t, err)
	resp, err := new(http.Transport).RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadFull(resp.Body, make([]byte, 3))
	require.NoError(t, err)
	l.signals <- os.Interrupt
	require.Equal(t, exitOK, l.interrupted(), l.err.String())
	c, err := cassette.Read(file)
	require.NoError(t, err)
	assert.Equal(t, "one", string(c.At(0).Response.Body))
	assert.Equal(t, wire.EndContext, c.At(0).Response.Ending)
}

// Nothing recorded leaves nothing behind; what cannot be recorded is told.
func TestRecordNothing(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, "compressed")
	}))
	dir := t.TempDir()
	l := listen(t, "record --upstream "+upstream.URL+" "+dir+"/c.jsonl")
	ask(t, l.url, question)
	assert.Equal(t, exitUsage, l.interrupted())
	assert.Contains(t, l.err.String(), "POST 127.0.0.1")
	assert.Contains(t, l.err.String(), "was not recorded")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestOnlyEncodingsThatCanBeUndone(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"gzip, deflate, br, zstd": "gzip, deflate", "br;q=1.0, gzip;q=0.8": "gzip;q=0.8", "zstd": "identity"} {
		h := http.Header{"Accept-Encoding": {given}}
		accept(h)
		assert.Equal(t, want, h.Get("Accept-Encoding"))
	}
	none := http.Header{}
	accept(none)
	assert.Empty(t, none)
}
