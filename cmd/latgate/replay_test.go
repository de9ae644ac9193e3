package main

import (
	"bytes"
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
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A listening command serves until it is interrupted.
type listening struct {
	*harness
	url  string
	code chan int
}

// listening runs a command line that listens, at a free port.
func listen(t *testing.T, line string) *listening {
	t.Helper()
	l := &listening{harness: newHarness(nil), code: make(chan int, 1)}
	said := &firstLine{line: make(chan string, 1)}
	l.program.stdout = said
	go func() { l.code <- l.call(t, line+" --listen 127.0.0.1:0") }()
	select {
	case l.url = <-said.line:
	case code := <-l.code:
		require.FailNow(t, "it did not listen", "%d: %s", code, l.err.String())
	}
	return l
}

// interrupted returns what the command exits with when it is interrupted.
func (l *listening) interrupted() int {
	l.signals <- os.Interrupt
	return <-l.code
}

type firstLine struct{ line chan string }

func (f *firstLine) Write(p []byte) (int, error) {
	f.line <- strings.TrimSpace(string(p))
	return len(p), nil
}

const question = `{"model":"m","stream":true,"messages":[{"role":"user","content":"Where is my order?"}]}`

// ask posts a body as an SDK would, with a key.
func ask(t *testing.T, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+keys["OPENAI_API_KEY"])
	resp, err := new(http.Transport).RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, "broken off"
	}
	return resp, string(got)
}

// recordedAnswers makes a cassette of so many answers to the question, each of four
// events after 1 ms.
func recordedAnswers(t *testing.T, n int) string {
	t.Helper()
	var all []*cassette.Interaction
	for k := range n {
		var body bytes.Buffer
		var reads []wire.Mark
		for event := range 4 {
			body.WriteString(`data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("word ", k+1) + `"}}]}` + "\n\n")
			reads = append(reads, wire.Mark{End: int64(body.Len()), At: time.Duration(event+1) * time.Millisecond})
		}
		all = append(all, &cassette.Interaction{
			Call: time.Duration(k) * time.Second, Order: int64(k), Timing: cassette.Recorded,
			Request: cassette.Request{Method: "POST", Host: "api.openai.com", Path: "/v1/chat/completions", Body: []byte(question)},
			Response: cassette.Response{
				Proto: "HTTP/1.1", Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
				Body: body.Bytes(), Reads: reads, Phases: wire.Phases{Header: wire.At(time.Millisecond)},
				End: wire.At(4 * time.Millisecond), Ending: wire.EndEOF,
			},
		})
	}
	c, err := cassette.Assemble(cassette.Recording{Name: "answers"}, all...)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "answers.cassette.jsonl")
	require.NoError(t, cassette.Write(file, c))
	return file
}

func TestReplayServesARecording(t *testing.T) {
	t.Parallel()
	l := listen(t, "replay "+recordedAnswers(t, 2))
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, l.url)
	first, one := ask(t, l.url, question)
	_, two := ask(t, l.url, question)
	_, again := ask(t, l.url, question)
	assert.Equal(t, "text/event-stream", first.Header.Get("Content-Type"))
	assert.Equal(t, 4, strings.Count(one, "data: "))
	assert.NotEqual(t, one, two, "in turn")
	assert.Equal(t, one, again, "and from the first")
	assert.Equal(t, exitOK, l.interrupted(), l.err.String())
}

// What was not recorded is told, with what is different, and is the exit code.
func TestReplayTellsMisses(t *testing.T) {
	t.Parallel()
	l := listen(t, "replay --repeat=false "+recordedAnswers(t, 2))
	resp, text := ask(t, l.url, strings.Replace(question, "order", "bill\x1b[2J", 1))
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	assert.NotContains(t, text, "\x1b")
	resp, text = ask(t, l.url, strings.Replace(question, "order", "bill", 1))
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	assert.Contains(t, text, "messages[0].content")
	ask(t, l.url, question)
	assert.Equal(t, cassette.ExitMiss, l.interrupted())
	told := l.err.String()
	assert.Contains(t, told, "latgate: cassette answers: no recording for POST /v1/chat/completions: messages[0].content differs")
	assert.Contains(t, told, "Where is my bill?")
	assert.Contains(t, told, "latgate: 1 of 2 recordings were not asked for\n")
	assert.True(t, strings.HasSuffix(told, "latgate: 2 requests were not recorded\n"), told)
	assert.NotContains(t, told, "\x1b")
}

func TestReplayOfFaults(t *testing.T) {
	t.Parallel()
	file := recordedAnswers(t, 1)
	throttled := listen(t, "replay --throttle --retry-after 1500ms --every 2 "+file)
	one, _ := ask(t, throttled.url, question)
	two, _ := ask(t, throttled.url, question)
	assert.Equal(t, []int{200, 429}, []int{one.StatusCode, two.StatusCode})
	assert.Equal(t, "2", two.Header.Get("Retry-After"))
	assert.Equal(t, exitOK, throttled.interrupted(), throttled.err.String())

	cut := listen(t, "replay --cut --event 2 "+file)
	_, text := ask(t, cut.url, question)
	assert.Equal(t, "broken off", text)
	assert.Equal(t, exitOK, cut.interrupted(), cut.err.String())

	stalled := listen(t, "replay --stall 80ms --event 2 --speed 2 "+file)
	begin := time.Now()
	_, text = ask(t, stalled.url, question)
	assert.GreaterOrEqual(t, time.Since(begin), 80*time.Millisecond)
	assert.Equal(t, 4, strings.Count(text, "data: "))
	assert.Equal(t, exitOK, stalled.interrupted(), stalled.err.String())
}

// The pace is that of the first content, whatever the protocol.
func TestReplayOptions(t *testing.T) {
	t.Parallel()
	o, err := replayFlags{ttft: 1.5, gaps: 2, repeat: true, every: 1}.options()
	require.NoError(t, err)
	assert.Empty(t, o.Faults)
	reply := o.Pace.Content.Decode(&wire.Exchange{
		Path: "/v1/chat/completions", Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: []byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n"), Marks: []wire.Mark{{End: 73, At: 7}}, End: wire.At(7), Ending: wire.EndEOF,
	})
	assert.Equal(t, providers.OK, reply.Class)
}

func TestImport(t *testing.T) {
	t.Parallel()
	vcr := write(t, "chat.yaml", `interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers: {Authorization: [Bearer sk-abcdefghijklmnopqrstuvwx]}
    body: '{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [text/event-stream]}
    body: {string: "data: {\"a\":1}\n\ndata: {\"a\":2}\n\n"}
version: 1
`)
	out := filepath.Join(t.TempDir(), "chat.cassette.jsonl")
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "import "+vcr+" --out "+out+" --ttft 300ms --gap 10ms"), h.err.String())
	assert.Contains(t, h.out.String(), "1 interactions from ")
	assert.Contains(t, h.out.String(), "profile TTFT 300ms, gap 10ms")
	c, err := cassette.Read(out)
	require.NoError(t, err)
	assert.Equal(t, "chat", c.Header.Name)
	assert.Equal(t, []wire.Mark{{End: 15, At: 300 * time.Millisecond}, {End: 30, At: 310 * time.Millisecond}}, c.At(0).Response.Reads)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "sk-abc")

	l := listen(t, "replay "+out)
	assert.Equal(t, exitOK, l.interrupted())
	assert.Contains(t, l.err.String(), "the recording has no times of its own")
}

func TestUsageOfRecordings(t *testing.T) {
	t.Parallel()
	file := recordedAnswers(t, 1)
	server := fakes.NewServer(http.NotFoundHandler())
	defer server.Close()
	taken := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []struct{ line, want string }{
		{"replay", "accepts 1 arg(s), received 0"},
		{"replay none.jsonl", "no such file"},
		{"replay --speed 0 " + file, "--speed: want more than 0, got 0"},
		{"replay --every 3 " + file, "--every, --event, --retry-after: say what goes wrong as well: --throttle, --stall or --cut"},
		{"replay --stall -1s " + file, "want no time below 0"},
		{"replay --cut --event -1 " + file, "--event: want 0 or more, got -1"},
		{"replay --cut --throttle " + file, "if any flags in the group [throttle stall cut] are set none of the others can be"},
		{"replay --listen " + taken + " " + file, "--listen: listen tcp"},
		{"record x.jsonl", "--upstream: want http:// or https://, a host, and a path at most"},
		{"record --upstream https://me:secret@api.openai.com x.jsonl", "--upstream: want http:// or https://, a host, and a path at most"},
		{"import " + file, "--out: say where to write"},
		{"import " + file + " --out x.jsonl", "it is a cassette already"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Contains(t, h.err.String(), c.want, c.line)
		assert.NotContains(t, h.err.String(), "secret")
	}
	assert.NoFileExists(t, "x.jsonl")
	assert.NoFileExists(t, "x.jsonl.partial")
}
