package convert_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers/wire"
)

const (
	ms      = time.Millisecond
	chatURL = "https://api.openai.com/v1/chat/completions"
)

var profile = convert.Profile{TTFT: 400 * ms, Gap: 20 * ms}

func imported(t *testing.T, content string, rec cassette.Recording) *cassette.Cassette {
	t.Helper()
	c, err := convert.From(strings.NewReader(content), "recording", profile, rec)
	require.NoError(t, err)
	return c
}

const stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\" you\"}}]}\n\ndata: [DONE]\n\n"

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}

// quoted is a YAML string in double quotes.
func quoted(text string) string { return strconv.QuoteToASCII(text) }

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// replay asks the cassette once, and returns the exchange.
func replay(t *testing.T, c *cassette.Cassette, body string) *wire.Exchange {
	t.Helper()
	player, err := c.Handler(cassette.ReplayOptions{})
	require.NoError(t, err)
	network := fakes.NewNetwork(player)
	defer network.Close()
	transport := &wire.Transport{Base: network.Transport()}
	defer transport.CloseIdleConnections()
	capture := wire.NewCapture(0)
	req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, chatURL, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, player.Err())
	return capture.Exchanges()[0]
}

func TestFormats(t *testing.T) {
	t.Parallel()
	const url, request = chatURL + "?key=canary", `{"model":"gpt-test","messages":[]}`
	zipped := base64.StdEncoding.EncodeToString(gzipped(t, stream))
	for name, content := range map[string]struct{ text, source, timing string }{
		"VCR.py": {"interactions:\n- request:\n    body: '" + request + "'\n    headers:\n      content-type:\n      - application/json\n      authorization: [Bearer canary]\n    method: POST\n    uri: " + url +
			"\n  response:\n    body:\n      string: " + quoted(stream) + "\n    headers:\n      Content-Type: [text/event-stream]\n      Content-Encoding: [gzip]\n    status:\n      code: 200\n      message: OK\nversion: 1\n", "vcr.py", ""},
		"VCR.py, binary": {"interactions:\n- request:\n    body: !!binary |\n      " + base64.StdEncoding.EncodeToString([]byte(request)) + "\n    headers: {}\n    method: POST\n    uri: " + url +
			"\n  response:\n    body:\n      string: !!binary |\n        " + zipped[:40] + "\n        " + zipped[40:] + "\n    headers:\n      content-type: [text/event-stream]\n      content-encoding: [gzip]\n    status: {code: 200, message: OK}\nversion: 1\n", "vcr.py", ""},
		"VCR.py, JSON": {`{"version":1,"interactions":[{"request":{"method":"POST","uri":"` + url + `","body":` + quoted(request) + `,"headers":{}},"response":{"status":{"code":200,"message":"OK"},"headers":{"Content-Type":["text/event-stream"]},"body":{"string":` + quoted(stream) + `}}}]}`, "vcr.py", ""},
		"VCR": {"---\nhttp_interactions:\n- request:\n    method: post\n    uri: " + url + "\n    body:\n      encoding: UTF-8\n      string: '" + request + "'\n    headers:\n      Authorization:\n      - Bearer canary\n" +
			"  response:\n    status:\n      code: 200\n      message: OK\n    headers:\n      Content-Type:\n      - text/event-stream; charset=utf-8\n    body:\n      encoding: ASCII-8BIT\n      string: !binary |-\n        " +
			base64.StdEncoding.EncodeToString([]byte(stream)) + "\n    http_version: '1.1'\n  recorded_at: Thu, 20 Nov 2026 03:17:05 GMT\nrecorded_with: VCR 6.3.1\n", "vcr", ""},
		"VCR, base64": {"---\nhttp_interactions:\n- request:\n    method: post\n    uri: " + url + "\n    body: {encoding: UTF-8, base64_string: " + base64.StdEncoding.EncodeToString([]byte(request)) + "}\n    headers: {}\n" +
			"  response:\n    status: {code: 200, message: OK}\n    headers: {Content-Type: [text/event-stream]}\n    body:\n      encoding: UTF-8\n      base64_string: " + base64.StdEncoding.EncodeToString([]byte(stream)) + "\nrecorded_with: VCR 6.3.1\n", "vcr", ""},
		"go-vcr v1": {"---\nversion: 1\ninteractions:\n- request:\n    body: '" + request + "'\n    form: {}\n    headers:\n      Authorization:\n      - Bearer canary\n    url: " + url + "\n    method: POST\n  response:\n    body: |+\n" +
			indent(stream, "      ") + "\n\n    headers:\n      Content-Type:\n      - text/event-stream\n    status: 200 OK\n    code: 200\n    duration: \"\"\n", "go-vcr", ""},
		"go-vcr v4": {"---\nversion: 2\ninteractions:\n    - id: 0\n      request:\n        proto: HTTP/1.1\n        proto_major: 1\n        content_length: 34\n        transfer_encoding: []\n        trailer: {}\n        host: api.openai.com\n" +
			"        remote_addr: \"\"\n        request_uri: \"\"\n        body: " + quoted(request) + "\n        form: {}\n        headers:\n            Authorization:\n                - Bearer canary\n        url: " + url + "\n        method: POST\n" +
			"      response:\n        proto: HTTP/2.0\n        proto_major: 2\n        content_length: -1\n        uncompressed: true\n        body: " + quoted(stream) + "\n        headers:\n            Content-Type:\n                - text/event-stream\n" +
			"        status: 200 OK\n        code: 200\n        duration: 731.5ms\n", "go-vcr", "synthesised (head recorded, gap 20ms)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := imported(t, content.text, cassette.Recording{Name: "imported"})
			assert.Equal(t, content.source, c.Header.Source)
			require.Equal(t, 1, c.Len())
			i := c.At(0)
			assert.Equal(t, "POST", i.Request.Method)
			assert.Equal(t, "api.openai.com", i.Request.Host)
			assert.Equal(t, "/v1/chat/completions", i.Request.Path)
			assert.Equal(t, "key=***", i.Request.Query)
			assert.Equal(t, request, string(i.Request.Body))
			assert.Empty(t, i.Request.Header.Get("Authorization"))
			assert.Equal(t, 200, i.Response.Status)
			assert.Equal(t, stream, string(i.Response.Body))

			head, timing := 400*ms, "synthesised (profile TTFT 400ms, gap 20ms)"
			if content.timing != "" {
				head, timing = 731500*time.Microsecond, content.timing
			}
			assert.Equal(t, timing, i.Timing)
			assert.Equal(t, []wire.Mark{{End: 48, At: head}, {End: 98, At: head + 20*ms}, {End: 112, At: head + 40*ms}}, i.Response.Reads)
			reason, synthesised := c.Synthesised()
			assert.True(t, synthesised)
			assert.Contains(t, reason, "1 of 1 interactions")

			synctest.Test(t, func(t *testing.T) {
				x := replay(t, c, request)
				assert.Equal(t, i.Response.Reads, x.Marks)
				assert.Equal(t, wire.EndEOF, x.Ending)
			})
		})
	}
}

func TestHAR(t *testing.T) {
	t.Parallel()
	entry := func(started, timings, content string) string {
		return `{"startedDateTime":"` + started + `","time":1500,"request":{"method":"POST","url":"` + chatURL + `","headers":[{"name":":authority","value":"x"},{"name":"authorization","value":"Bearer canary"}],` +
			`"postData":{"mimeType":"application/json","text":"{}"}},"response":{"status":200,"httpVersion":"h2","headers":[{"name":"content-type","value":"text/event-stream"},{"name":"content-encoding","value":"br"}],` +
			`"content":` + content + `},"timings":` + timings + `}`
	}
	c := imported(t, `{"log":{"version":"1.2","creator":{"name":"x"},"entries":[`+
		entry("2026-11-20T03:17:07.250Z", `{"blocked":2.5,"dns":10,"connect":40,"ssl":25,"send":0.5,"wait":447,"receive":1000}`, `{"size":112,"mimeType":"text/event-stream","text":`+quoted(stream)+`}`)+`,`+
		entry("2026-11-20T03:17:05Z", `{"blocked":0,"dns":-1,"connect":-1,"send":0,"wait":300,"receive":200}`,
			`{"size":2,"mimeType":"application/json","encoding":"base64","text":"e30="}`)+`]}}`, cassette.Recording{})
	require.Equal(t, 2, c.Len())
	assert.Equal(t, []time.Duration{0, 2250 * ms}, c.Arrivals())

	i := c.At(1)
	assert.Equal(t, "HTTP/2.0", i.Response.Proto)
	assert.Equal(t, "synthesised (head and end recorded, 3 events spread evenly between)", i.Timing)
	assert.Equal(t, []wire.Mark{{End: 48, At: 500 * ms}, {End: 98, At: 1000 * ms}, {End: 112, At: 1500 * ms}}, i.Response.Reads)
	assert.Equal(t, wire.Phases{
		DNSStart: wire.At(2500 * time.Microsecond), DNSDone: wire.At(12500 * time.Microsecond),
		ConnectStart: wire.At(12500 * time.Microsecond), ConnectDone: wire.At(27500 * time.Microsecond),
		TLSStart: wire.At(27500 * time.Microsecond), TLSDone: wire.At(52500 * time.Microsecond),
		GotConn: wire.At(52500 * time.Microsecond), Wrote: wire.At(53 * ms), Header: wire.At(500 * ms),
	}, i.Response.Phases)
	assert.Equal(t, wire.At(1500*ms), i.Response.End)

	// What is one piece has only times that were recorded.
	assert.Equal(t, cassette.Recorded, c.At(0).Timing)
	assert.Equal(t, []wire.Mark{{End: 2, At: 500 * ms}}, c.At(0).Response.Reads)
	assert.True(t, c.At(0).Response.Phases.Reused)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                           "empty",
		"hello":                      "VCR.py",
		"a: [":                       "VCR.py",
		"a: 1":                       `neither "interactions" nor "http_interactions"`,
		`{"log":{"entries":[]}}`:     "no interactions",
		`{"log":{"entries":[{}]}`:    "HAR",
		"interactions: []":           "neither",
		`{"n":0,"sum":"` + "x" + `"`: "cassette.Read",
		`{"run":{"schema":"x"}}`:     "use Samples",
		"interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {body: {string: a}}":                                                                 "interaction 0: response: its status is missing",
		"interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {status: {code: 200}, body: {base64_string: '*'}}":                                   "base64",
		"interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {status: {code: 200}, headers: {Content-Encoding: [br]}, body: !!binary gICA}":       "identity",
		"interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {status: {code: 200}, body: [1]}":                                                    "its body is a list",
		`{"log":{"entries":[{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"size":7,"mimeType":"text/html"}}}]}}`:                 "export the HAR with content",
		`{"log":{"entries":[{"request":{"method":"GET","url":"http://a/%zz"},"response":{"status":200,"content":{"size":0,"mimeType":"text/html"}},"timings":{}}]}}`: "URL",
	} {
		_, err := convert.From(strings.NewReader(content), "recording", profile, cassette.Recording{})
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "recording: ")
	}
	_, err := convert.From(strings.NewReader("a"), "recording", convert.Profile{TTFT: -1}, cassette.Recording{})
	assert.ErrorContains(t, err, "negative")
	_, err = convert.File(filepath.Join(t.TempDir(), "none"), profile, cassette.Recording{})
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// The recordings that others have published are read to the byte.
func TestPublishedRecordings(t *testing.T) {
	t.Parallel()
	root := filepath.Dir(recorded.File(t, "MANIFEST.tsv"))
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[filepath.Base(path)] = path
		}
		return err
	}))
	sources := map[string]int{}
	cassettes := map[string]*cassette.Cassette{}
	for _, r := range recorded.Responses(t) {
		path, known := files[r["file"]]
		require.True(t, known, r["file"])
		c := cassettes[path]
		if c == nil {
			var err error
			c, err = convert.File(path, profile, cassette.Recording{})
			require.NoError(t, err, r["file"])
			cassettes[path] = c
		}
		sources[c.Header.Source]++
		n := r.Int(t, "interaction")
		require.Less(t, n, c.Len(), r["file"])
		i := c.At(n)
		body := r.Body(t)
		if r["content_encoding"] != "" {
			if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
				body, err = io.ReadAll(z)
				require.NoError(t, err)
			}
		}
		assert.Equal(t, r["status"], strconv.Itoa(i.Response.Status), r["file"])
		assert.Equal(t, len(body), len(i.Response.Body), r["file"])
		if events := r["n_events"]; events != "" && i.Response.Header.Get("Content-Type") == r["content_type"] {
			assert.InDelta(t, r.Int(t, "n_events"), len(i.Response.Reads), 1, r["file"])
		}
		assert.True(t, i.Synthesised())
	}
	assert.Equal(t, 3, len(sources), "%v", sources)
}

func FuzzFrom(f *testing.F) {
	f.Add("interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {status: {code: 200}, headers: {Content-Type: [text/event-stream]}, body: {string: \"data: 1\\n\\n\"}}")
	f.Add("http_interactions:\n- request: {method: get, uri: 'http://a/'}\n  response: {status: {code: 200}, body: {base64_string: aGk=}}")
	f.Add(`{"log":{"entries":[{"startedDateTime":"2026-11-20T03:17:05Z","request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"text":"x"}},"timings":{"wait":1,"receive":2}}]}}`)
	f.Add("version: 2\ninteractions:\n- request: {method: GET, url: 'http://a/', body: !!binary aGk=}\n  response: {code: 200, duration: 3s, body: hi}")
	f.Fuzz(func(t *testing.T, content string) {
		c, err := convert.From(strings.NewReader(content), "recording", profile, cassette.Recording{})
		if err != nil {
			assert.Nil(t, c)
			return
		}
		// What was imported is a cassette: it can be written and read back.
		path := filepath.Join(t.TempDir(), "c.jsonl")
		require.NoError(t, cassette.Write(path, c))
		again, err := cassette.Read(path)
		require.NoError(t, err)
		require.Equal(t, c.Len(), again.Len())
		for n, i := range c.All() {
			assert.Equal(t, i, again.At(n))
		}
		require.NoError(t, os.Remove(path))
	})
}
