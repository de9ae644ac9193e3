package benchmark_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// steady answers after 100 ms with 11 tokens, one each 10 ms.
func steady() fakes.Script {
	return fakes.Script{OutputTokens: 11, TTFT: fakes.Constant(100 * time.Millisecond), Gap: fakes.Constant(10 * time.Millisecond)}
}

// inVirtualTime runs f with a function that makes targets on a network where each
// provider, by its label, is served by a handler of its own.
func inVirtualTime(t *testing.T, handlers map[string]http.Handler, f func(t *testing.T, open opener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handlers[r.Host].ServeHTTP(w, r)
		}))
		defer network.Close()
		f(t, func(_ context.Context, e benchmark.Endpoint) (providers.Target, error) {
			o := endpoint.Options{BaseURL: "http://" + e.Label, Key: "key-0123456789", Client: network.Client(), Unary: e.Unary, Temperature: e.Temperature}
			if e.Name == "anthropic" {
				return anthropic.Messages(e.Model, o), nil
			}
			o.BaseURL += "/v1"
			return openai.Chat(e.Model, o), nil
		})
	})
}

type opener func(context.Context, benchmark.Endpoint) (providers.Target, error)

func parse(t *testing.T, content string) *benchmark.File {
	t.Helper()
	f, err := benchmark.Parse([]byte(content), filepath.Join(t.TempDir(), "b.yaml"))
	require.NoError(t, err)
	return f
}

func prepare(t *testing.T, content string, open opener, exports ...benchmark.Export) *benchmark.Benchmark {
	t.Helper()
	b, err := parse(t, content).Prepare(t.Context(), open, exports...)
	require.NoError(t, err)
	return b
}

func measure(t *testing.T, b *benchmark.Benchmark, w benchmark.Watch) *benchmark.Results {
	t.Helper()
	r, err := b.Measure(t.Context(), w)
	require.NoError(t, err)
	return r
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}
