// Package recorded gives tests the recorded responses of real providers, with
// the values that other decoders read from them:
//
//	for _, r := range recorded.Responses(t) {
//		x := r.Capture(t, "https://api.openai.com/v1/chat/completions", 7) // 7 bytes a read
//		...
//	}
//
// The recordings are other people's data and no part of the module. Tests find
// them in the folder that LATGATE_STREAMS names, or in shared/streams beside the
// module; without it they skip, and say so loudly.
package recorded

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// File returns the path of a file among the recordings.
func File(t testing.TB, name ...string) string {
	t.Helper()
	dir, named := os.LookupEnv("LATGATE_STREAMS")
	if !named {
		_, here, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "streams")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if named {
			t.Fatalf("LATGATE_STREAMS: %v", err)
		}
		t.Skip("LATGATE_STREAMS: not set, and no shared/streams beside the module: RECORDED STREAMS WERE NOT CHECKED")
	}
	return filepath.Join(append([]string{dir}, name...)...)
}

// A Response is one recorded response: the columns of the manifest by name.
type Response map[string]string

// Responses returns all of them.
func Responses(t testing.TB) []Response {
	t.Helper()
	file, err := os.Open(File(t, "MANIFEST.tsv"))
	require.NoError(t, err)
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	require.NoError(t, err)
	var responses []Response
	for _, record := range records[1:] {
		response := make(Response)
		for i, column := range records[0] {
			response[column] = record[i]
		}
		responses = append(responses, response)
	}
	return responses
}

// Body returns the bytes as they came.
func (r Response) Body(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile(File(t, filepath.FromSlash(r["body_file"])))
	require.NoError(t, err)
	return body
}

// Int returns a column that must be a number.
func (r Response) Int(t testing.TB, column string) int {
	t.Helper()
	n, err := strconv.Atoi(r[column])
	require.NoError(t, err, column)
	return n
}

// Count returns a column that is empty where the recording does not tell.
func (r Response) Count(t testing.TB, column string) providers.Count {
	t.Helper()
	if r[column] == "" {
		return providers.Count{}
	}
	return providers.CountOf(int64(r.Int(t, column)))
}

// Capture posts a request that is answered with the recording, so many bytes a
// read, and returns what the transport captured.
func (r Response) Capture(t testing.TB, url string, bytesPerRead int) *wire.Exchange {
	t.Helper()
	body := r.Body(t)
	capture := wire.NewCapture(0)
	client := &http.Client{Transport: &wire.Transport{Base: replay{r, body, bytesPerRead}}}
	req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, url, strings.NewReader("{}"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	served, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, body, served, "the caller gets every byte")
	return capture.Exchanges()[0]
}

// replay is a network that answers with a recording.
type replay struct {
	response Response
	body     []byte
	step     int
}

func (r replay) RoundTrip(req *http.Request) (*http.Response, error) {
	status, err := strconv.Atoi(r.response["status"])
	header := make(http.Header)
	header.Set("Content-Type", r.response["content_type"])
	header.Set("X-Request-Id", r.response["request_id"])
	header.Set("x-amzn-requestid", r.response["request_id"])
	header.Set("x-amzn-ErrorType", r.response["error"])
	if encoding := r.response["content_encoding"]; encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	for name, value := range r.response.latencyHeaders() {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", Header: header, Request: req,
		Body: io.NopCloser(&stepReader{r: bytes.NewReader(r.body), step: r.step}),
	}, err
}

// latencyHeaders are the response headers among the server's own times.
func (r Response) latencyHeaders() map[string]string {
	var times map[string]any
	_ = json.Unmarshal([]byte(r["server_latency"]), &times) // empty where there are none
	headers := make(map[string]string)
	for name, value := range times {
		if text, ok := value.(string); ok && strings.Contains(name, "-") {
			headers[name] = text
		}
	}
	return headers
}

type stepReader struct {
	r    io.Reader
	step int
}

func (s *stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(s.step, len(p))]) }
