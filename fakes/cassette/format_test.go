package cassette_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// sample is an interaction with a bit of everything.
func sample(call time.Duration, body string, reads ...wire.Mark) *cassette.Interaction {
	return &cassette.Interaction{
		Call: call, Sample: -1, Timing: cassette.Recorded,
		Request: cassette.Request{Method: "POST", Host: "api.test:8080", Path: "/v1/chat", Query: "alt=sse", Header: http.Header{"Accept": {"*/*"}}, Body: []byte(`{"model":"m"}`)},
		Response: cassette.Response{
			Proto: "HTTP/2.0", Status: 200, Header: http.Header{"Content-Type": {"text/plain"}, "Server": {"a", "b"}}, Body: []byte(body), Reads: reads,
			Phases: wire.Phases{GotConn: wire.At(1), Header: wire.At(2), Reused: true, Idle: 3}, End: wire.At(900), Ending: wire.EndEOF,
		},
	}
}

func assemble(t *testing.T, interactions ...*cassette.Interaction) *cassette.Cassette {
	t.Helper()
	c, err := cassette.Assemble(cassette.Recording{Name: "test", Provenance: map[string]string{"commit": "4f1c2ab"}}, interactions...)
	require.NoError(t, err)
	return c
}

// three is a cassette file of three interactions, by lines.
func three(t *testing.T) []string {
	t.Helper()
	path := temporary(t, "three.cassette.jsonl")
	require.NoError(t, cassette.Write(path, assemble(t, sample(0, "one", wire.Mark{End: 3, At: 5}), sample(10, "two", wire.Mark{End: 3, At: 5}), sample(20, "three", wire.Mark{End: 5, At: 5}))))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	require.Len(t, lines, 6)
	return lines[:5]
}

func TestReadReturnsWhatWasWritten(t *testing.T) {
	t.Parallel()
	hostile := "::set-output name=x::1\x1b[31m\u202e\u2028\u0085\x00\x7f\"\\ é 一 😀"
	binary := "\xff\xfe\x00binary"
	c := assemble(t,
		sample(20, hostile, wire.Mark{End: 4, At: 100}, wire.Mark{End: 9, At: 100}, wire.Mark{End: int64(len(hostile)), At: 899}),
		sample(10, binary, wire.Mark{End: int64(len(binary)), At: 7}),
		sample(10, ""),
	)
	assert.Equal(t, []time.Duration{0, 0, 10}, c.Arrivals())
	for _, name := range []string{"c.jsonl", "c.jsonl.gz"} {
		path := filepath.Join(t.TempDir(), "deep", name)
		require.NoError(t, cassette.Write(path, c))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, strings.HasSuffix(name, ".gz"), bytes.HasPrefix(data, []byte("\x1f\x8b")))
		if !strings.HasSuffix(name, ".gz") {
			assert.NotContains(t, string(data), "\x1b")
			assert.NotContains(t, string(data), "\u202e")
			assert.NotContains(t, string(data), "\u0085")
			assert.True(t, strings.HasPrefix(string(data), `{"n":0,"sum":"`))
			assert.Contains(t, string(data), `"schema":"latgate.cassette/1"`)
		}
		again, err := cassette.Read(path)
		require.NoError(t, err)
		assert.Equal(t, c.Header, again.Header)
		require.Equal(t, c.Len(), again.Len())
		for n, i := range c.All() {
			assert.Equal(t, i, again.At(n))
		}
		assert.Equal(t, hostile, string(again.At(2).Response.Body))
		assert.Equal(t, binary, string(again.At(0).Response.Body))

		// The same cassette is the same file.
		second := path + ".2" + filepath.Ext(path)
		require.NoError(t, cassette.Write(second, again))
		same, err := os.ReadFile(second)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, same))
		left, err := filepath.Glob(path + "*.partial")
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	lines := three(t)
	join := func(lines ...string) string { return strings.Join(lines, "") }
	for name, file := range map[string]struct {
		content string
		is      error
		says    []string
	}{
		"nothing":                 {"", cassette.ErrNoCassette, []string{":1:", "empty", "record it again"}},
		"something else":          {"hello\n", cassette.ErrNoCassette, []string{":1:"}},
		"something else, cut":     {"hello", cassette.ErrNoCassette, []string{":1:"}},
		"no end":                  {join(lines[:4]...), cassette.ErrTruncated, []string{":5:", "3 interactions", "record it again", "Reseal"}},
		"half a line":             {join(lines[:3]...) + lines[3][:40], cassette.ErrTruncated, []string{":4:", "2 interactions"}},
		"half an end":             {join(lines[:4]...) + lines[4][:20], cassette.ErrTruncated, []string{":5:", "3 interactions"}},
		"half a header":           {lines[0][:30], cassette.ErrNoCassette, []string{":1:", "cut"}},
		"swapped":                 {join(lines[0], lines[2], lines[1], lines[3], lines[4]), cassette.ErrReordered, []string{":2:", "line 1 is expected here, and this is line 2"}},
		"a line lost":             {join(lines[0], lines[1], lines[3], lines[4]), cassette.ErrReordered, []string{":3:"}},
		"a line twice":            {join(lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]), cassette.ErrReordered, []string{":3:"}},
		"more after the end":      {join(lines...) + lines[4], cassette.ErrReordered, []string{":6:", "after the end"}},
		"rubbish after the end":   {join(lines...) + "x", cassette.ErrReordered, []string{":6:"}},
		"two files joined":        {join(lines[:4]...) + join(lines...), cassette.ErrReordered, []string{":5:", "second header"}},
		"no header":               {join(lines[1:]...), cassette.ErrReordered, []string{":1:", "header"}},
		"edited body":             {strings.Replace(join(lines...), `"body":"two"`, `"body":"too"`, 1), cassette.ErrEdited, []string{":3:", "sum", "Reseal"}},
		"edited time":             {strings.Replace(join(lines...), `[5,5]`, `[5,4]`, 1), cassette.ErrEdited, []string{":4:"}},
		"edited header":           {strings.Replace(join(lines...), `4f1c2ab`, `4f1c2ac`, 1), cassette.ErrEdited, []string{":1:"}},
		"edited end":              {strings.Replace(join(lines...), `"exchanges":3`, `"exchanges":2`, 1), cassette.ErrEdited, []string{":5:"}},
		"edited sum":              {strings.Replace(join(lines...), lines[2][:30], lines[2][:29]+"z", 1), cassette.ErrEdited, []string{":3:"}},
		"reformatted":             {strings.Replace(join(lines...), `{"n":2,`, `{ "n":2,`, 1), cassette.ErrEdited, []string{":3:"}},
		"newer":                   {strings.Replace(join(lines...), "latgate.cassette/1", "latgate.cassette/2", 1), cassette.ErrVersion, []string{":1:", `"latgate.cassette/2" is newer`, "update latgate"}},
		"newer, of another shape": {`{"v":7,"schema":"latgate.cassette/31"}` + "\n", cassette.ErrVersion, []string{":1:", "newer"}},
		"another file of latgate": {strings.Replace(join(lines...), "latgate.cassette/1", "latgate.samples/1", 1), cassette.ErrVersion, []string{":1:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := cassette.Decode(strings.NewReader(file.content), "dir/file.jsonl")
			require.ErrorIs(t, err, file.is)
			assert.Equal(t, errors.Is(err, cassette.ErrTruncated), c != nil, "what is there of one that is cut")
			assert.ErrorContains(t, err, "dir/file.jsonl:")
			for _, words := range file.says {
				assert.ErrorContains(t, err, words)
			}
		})
	}
}

// Git may write CRLF on Windows.
func TestReadTakesCRLF(t *testing.T) {
	t.Parallel()
	c, err := cassette.Decode(strings.NewReader(strings.ReplaceAll(strings.Join(three(t), ""), "\n", "\r\n")), "file")
	require.NoError(t, err)
	assert.Equal(t, 3, c.Len())
}

func TestReseal(t *testing.T) {
	t.Parallel()
	lines := three(t)
	path := temporary(t, "c.jsonl")
	write := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o644)) }

	write(lines[0] + strings.Replace(lines[3], "three", "drei!", 1) + lines[1])
	_, err := cassette.Read(path)
	require.Error(t, err)
	require.NoError(t, cassette.Reseal(path))
	c, err := cassette.Read(path)
	require.NoError(t, err)
	require.Equal(t, 2, c.Len())
	assert.Equal(t, "drei!", string(c.At(1).Response.Body))

	for _, bad := range []string{"", lines[0], lines[0] + strings.Replace(lines[1], "[3,5]", "[4,5]", 1) + lines[4], lines[0] + strings.Replace(lines[1], `"order"`, `"ordre"`, 1)} {
		write(bad)
		require.Error(t, cassette.Reseal(path))
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, bad, string(left), "left alone")
	}
}

// What no exchange can be is refused, wherever it comes from.
func TestInvalidInteractions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(i *cassette.Interaction){
		"no method":           func(i *cassette.Interaction) { i.Request.Method = "" },
		"no timing":           func(i *cassette.Interaction) { i.Timing = "" },
		"reads out of order":  func(i *cassette.Interaction) { i.Response.Reads = []wire.Mark{{End: 3, At: 5}, {End: 2, At: 6}} },
		"times out of order":  func(i *cassette.Interaction) { i.Response.Reads = []wire.Mark{{End: 1, At: 5}, {End: 3, At: 4}} },
		"reads beyond":        func(i *cassette.Interaction) { i.Response.Reads = []wire.Mark{{End: 4, At: 5}} },
		"bytes without reads": func(i *cassette.Interaction) { i.Response.Reads = nil },
		"before the call":     func(i *cassette.Interaction) { i.Response.Reads = []wire.Mark{{End: 3, At: -1}} },
		"no end":              func(i *cassette.Interaction) { i.Response.End = wire.Instant{} },
		"an early end":        func(i *cassette.Interaction) { i.Response.End = wire.At(1) },
		"no ending":           func(i *cassette.Interaction) { i.Response.Ending = "" },
		"a body from nowhere": func(i *cassette.Interaction) { i.Response.Status = 0 },
		"an interim response": func(i *cassette.Interaction) { i.Response.Status = 100 },
	} {
		i := sample(0, "abc", wire.Mark{End: 3, At: 5})
		change(i)
		_, err := cassette.Assemble(cassette.Recording{}, i)
		assert.ErrorContains(t, err, "interaction 0", name)
	}
}

// A recording that is killed leaves whole lines, and what was recorded before.
func TestRecorderSurvives(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"c.jsonl", "c.jsonl.gz"} {
		path := temporary(t, name)
		require.NoError(t, os.WriteFile(path, []byte("what was there"), 0o644))
		recorder, err := cassette.Create(path, cassette.Recording{Name: "killed"})
		require.NoError(t, err)
		x := sample(0, "one", wire.Mark{End: 3, At: 5}).Exchange(time.Now())
		require.NoError(t, recorder.Add(x))
		require.NoError(t, recorder.Add(x))

		partial, err := filepath.Glob(path + ".*.partial")
		require.NoError(t, err)
		require.Len(t, partial, 1)
		c, err := cassette.Read(partial[0])
		require.ErrorIs(t, err, cassette.ErrTruncated)
		assert.Equal(t, 2, c.Len())

		require.NoError(t, recorder.Abandon())
		require.NoError(t, recorder.Abandon())
		require.NoError(t, recorder.Close())
		require.Error(t, recorder.Add(x))
		there, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "what was there", string(there))
		require.NoError(t, cassette.Reseal(partial[0]))
		c, err = cassette.Read(partial[0])
		require.NoError(t, err)
		assert.Equal(t, 2, c.Len())
	}
}

func TestRecorderReplaces(t *testing.T) {
	t.Parallel()
	path := temporary(t, "c.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("what was there"), 0o644))
	recorder, err := cassette.Create(path, cassette.Recording{})
	require.NoError(t, err)
	var adding sync.WaitGroup
	for range 50 {
		adding.Go(func() {
			assert.NoError(t, recorder.Add(sample(0, "one", wire.Mark{End: 3, At: 5}).Exchange(time.Now())))
		})
	}
	adding.Wait()
	require.NoError(t, recorder.Close())
	require.NoError(t, recorder.Close())
	c, err := cassette.Read(path)
	require.NoError(t, err)
	assert.Equal(t, 50, c.Len())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 1)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode().Perm())
}

func TestEmptyRecording(t *testing.T) {
	t.Parallel()
	path := temporary(t, "c.jsonl")
	recorder, err := cassette.Create(path, cassette.Recording{})
	require.NoError(t, err)
	assert.ErrorContains(t, recorder.Close(), "nothing was recorded")
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestCreateInNowhere(t *testing.T) {
	t.Parallel()
	file := temporary(t, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := cassette.Create(filepath.Join(file, "c.jsonl"), cassette.Recording{})
	assert.ErrorContains(t, err, "cannot be written")
	assert.Error(t, cassette.Write(filepath.Join(file, "c.jsonl"), assemble(t)))
}

// The recorder takes bodies and queries from the transport below the capture, whatever
// reader they come from, and goes without what it did not see.
func TestRecorderKeepsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := temporary(t, "c.jsonl")
		network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}))
		defer network.Close()
		recorder, err := cassette.Create(path, cassette.Recording{Matching: cassette.Matching{Headers: []string{"x-tenant"}}})
		require.NoError(t, err)
		transport := &wire.Transport{Base: recorder.Transport(network.Transport())}
		send := func(n int, body io.Reader, through http.RoundTripper) *wire.Exchange {
			capture := wire.NewCapture(n)
			req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, "http://a.test/v1?alt=sse&key=secret", body)
			require.NoError(t, err)
			req.Header.Set("X-Tenant", "blue")
			req.Header.Set("Anthropic-Version", "2023-06-01")
			resp, err := through.RoundTrip(req)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			if body != nil {
				assert.Equal(t, "a body", string(got))
			}
			return capture.Exchanges()[0]
		}
		reader, writer := io.Pipe()
		go func() {
			_, _ = writer.Write([]byte("a "))
			time.Sleep(ms)
			_, _ = writer.Write([]byte("body"))
			writer.Close()
		}()
		for n, body := range []io.Reader{strings.NewReader("a body"), struct{ io.Reader }{strings.NewReader("a body")}, reader, nil} {
			require.NoError(t, recorder.Add(send(n, body, transport)))
			time.Sleep(10 * ms)
		}
		recorder.Forget(send(9, strings.NewReader("a body"), transport))
		require.NoError(t, recorder.Add(send(4, strings.NewReader("a body"), &wire.Transport{Base: network.Transport()})))
		require.NoError(t, recorder.Close())

		c, err := cassette.Read(path)
		require.NoError(t, err)
		require.Equal(t, 5, c.Len())
		for n, i := range c.All() {
			switch n {
			case 3:
				assert.Equal(t, []byte{}, i.Request.Body)
			case 4:
				assert.Nil(t, i.Request.Body, "not known")
				assert.Equal(t, "", i.Request.Query)
				assert.Equal(t, -1, i.Sample)
				continue
			default:
				assert.Equal(t, "a body", string(i.Request.Body))
			}
			assert.Equal(t, n, i.Sample)
			assert.Equal(t, "alt=sse&key=***", i.Request.Query)
			assert.Equal(t, "blue", i.Request.Header.Get("X-Tenant"))
			assert.Equal(t, "2023-06-01", i.Request.Header.Get("Anthropic-Version"))
			assert.Empty(t, i.Response.Header.Get("X-Latgate-Recorded"))
		}
		assert.Equal(t, 1, strings.Count(strings.Join(c.At(3).Response.Header["Date"], ""), "GMT"))
	})
}

func FuzzRead(f *testing.F) {
	c, err := cassette.Assemble(cassette.Recording{Name: "seed"}, sample(0, "one", wire.Mark{End: 3, At: 5}), sample(3, "\xff", wire.Mark{End: 1, At: 5}))
	require.NoError(f, err)
	path := filepath.Join(f.TempDir(), "c.jsonl")
	require.NoError(f, cassette.Write(path, c))
	data, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:len(data)/2])
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(data)
	require.NoError(f, z.Close())
	f.Add(zipped.Bytes())
	f.Add(zipped.Bytes()[:zipped.Len()/2])
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(io.Reader, string) (*cassette.Cassette, error){cassette.Decode, cassette.DecodeEdited} {
			c, err := read(bytes.NewReader(data), "file")
			if err != nil {
				assert.Equal(t, errors.Is(err, cassette.ErrTruncated), c != nil, "%v", err)
			}
			if c == nil {
				continue
			}
			for n := range c.Arrivals() {
				_ = c.At(n).Exchange(time.Now())
			}
			_, _ = c.Buffered()
			_, err = c.Handler(cassette.ReplayOptions{})
			require.NoError(t, err)
		}
	})
}
