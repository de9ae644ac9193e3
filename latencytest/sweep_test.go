package latencytest_test

import (
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/bedrock"
)

// crowded lets so many requests through at a time.
func crowded(places int, h http.Handler) http.Handler {
	var once sync.Once
	var free chan struct{} // made inside the bubble
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { free = make(chan struct{}, places) })
		free <- struct{}{}
		defer func() { <-free }()
		h.ServeHTTP(w, r)
	})
}

func TestSweepFindsSaturation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bubbleOf(t, crowded(4, fakes.Bedrock(steady)), func(t *testing.T, network *fakes.Network) {
		plan := latencytest.Plan{Prompts: promptSet(1), Requests: 64, SampleFile: filepath.Join(dir, "x.samples.jsonl")}
		target := bedrock.ConverseStream(client(network.Transport()), model)
		sweep, err := latencytest.Sweep(t.Context(), target, plan, 1, 2, 4, 8, 16)
		require.NoError(t, err)
		clients, reached := sweep.Saturation()
		assert.True(t, reached)
		assert.Equal(t, 4, clients)
		assert.Len(t, sweep.Steps, 5)
		assert.Contains(t, sweep.String(), "saturated with 4 clients")
		assert.InEpsilon(t, 300, sweep.Steps[0].Scenarios[0].Rates().Completed, .01, "5 a second")
		assert.InEpsilon(t, 1200, sweep.Steps[4].Scenarios[0].Rates().Completed, .05)
		assert.Greater(t, sweep.Steps[4].Scenarios[0].Quantile(latencytest.TTFT, latencytest.P50), float64(600*ms), "they queue")
		assert.FileExists(t, filepath.Join(dir, "x.16-clients.samples.jsonl"))

		sweep, err = latencytest.Sweep(t.Context(), target, plan, 1, 2)
		require.NoError(t, err)
		_, reached = sweep.Saturation()
		assert.False(t, reached)
		assert.Contains(t, sweep.String(), "not saturated with 2 clients")

		_, err = latencytest.Sweep(t.Context(), target, plan)
		assert.ErrorContains(t, err, "no number of clients")
	})
}

func TestRepetitions(t *testing.T) {
	t.Parallel()
	res := measured(t, steady, latencytest.Plan{Prompts: promptSet(2), Requests: 10, Repetitions: 3, Pause: time.Second})
	samples := res.Scenarios[0].Samples
	require.Len(t, samples, 30)
	for i, s := range samples {
		assert.Equal(t, i/10, s.Repeated)
	}
}
