package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
)

// TestMain keeps the machine's own credentials and settings out of the tests.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "LATGATE_") || strings.HasSuffix(name, "_API_KEY") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	os.Exit(m.Run())
}

// keys are the environment of the tests.
var keys = map[string]string{
	"OPENAI_API_KEY": "openai-0123456789", "AZURE_OPENAI_API_KEY": "azure-0123456789", "ANTHROPIC_API_KEY": "anthropic-0123456789",
	"GEMINI_API_KEY": "gemini-0123456789", "GOOGLE_OAUTH_ACCESS_TOKEN": "google-0123456789", "CO_API_KEY": "cohere-0123456789",
	"GROQ_API_KEY": "groq-0123456789", "TEAM_TOKEN": "team-0123456789\n", "GOOGLE_CLOUD_PROJECT": "my-project",
}

// A harness is a program whose world is made up.
type harness struct {
	*program
	in, out, err bytes.Buffer
	signals      chan os.Signal
}

func newHarness(env map[string]string) *harness {
	h := &harness{signals: make(chan os.Signal)}
	h.program = &program{
		stdin: &h.in, stdout: &h.out, stderr: &h.err,
		lookup:     func(name string) (string, bool) { v, set := env[name]; return v, set },
		terminal:   func() (int, int, bool) { return 0, 0, false },
		interrupts: func() (<-chan os.Signal, func()) { return h.signals, func() {} },
	}
	return h
}

// call runs a command line of words without spaces in them.
func (h *harness) call(t *testing.T, line string, more ...string) int {
	t.Helper()
	return h.program.run(t.Context(), append(strings.Fields(line), more...))
}

// A sent request, as an endpoint got it.
type sent struct {
	path, query string
	header      http.Header
	body        map[string]any
}

// A served endpoint serves a handler and keeps the requests.
type served struct {
	URL string

	mu       sync.Mutex
	requests []sent
}

func serve(t *testing.T, h http.Handler) *served {
	t.Helper()
	s := new(served)
	server := fakes.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(data))
		got := sent{path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone()}
		_ = json.Unmarshal(data, &got.body)
		s.mu.Lock()
		s.requests = append(s.requests, got)
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func (s *served) all() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent{}, s.requests...)
}

func (s *served) last(t *testing.T) sent {
	t.Helper()
	all := s.all()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// refuse answers everything with an error.
func refuse(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}
