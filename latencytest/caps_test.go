package latencytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// cheap is an endpoint that answers at once, and a plan of so many requests to it.
func cheap(t *testing.T, requests int) (providers.Target, latencytest.Plan) {
	t.Helper()
	server := fakes.NewServer(fakes.OpenAI(fakes.Script{OutputTokens: 10}))
	t.Cleanup(server.Close)
	target := openai.Chat("m", endpoint.Options{BaseURL: server.URL + "/v1", Client: server.Client()})
	return target, latencytest.Plan{
		Requests: requests, Warmup: 1, Load: latencytest.Closed(2),
		Prompts: []providers.Prompt{{Text: "Hello", MaxTokens: 10}},
		Prices:  latencytest.Prices{"m": {Input: new(float64), Output: new(.01)}},
	}
}

func TestCapsOnRequests(t *testing.T) { // not parallel: it sets variables
	spent := t.TempDir()
	t.Setenv("LATGATE_MAX_REQUESTS", "20")
	t.Setenv("LATGATE_SPENT", spent)
	require.NoError(t, os.WriteFile(filepath.Join(spent, "1-1.json"), []byte(`{"requests":5,"dollars":0}`), 0o644))
	target, plan := cheap(t, 10)
	first, err := latencytest.Measure(t.Context(), target, plan)
	require.NoError(t, err)
	assert.Empty(t, first.Ended)
	assert.Len(t, first.Samples, 12, "10 and one warm-up request of each client")
	second, err := latencytest.Measure(t.Context(), target, plan)
	require.NoError(t, err)
	assert.Len(t, second.Samples, 20-5-12)
	assert.Equal(t, "LATGATE_MAX_REQUESTS: the 20 requests that the build may make are made", second.Ended)

	files, err := os.ReadDir(spent)
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, f := range files {
		if f.Name() != "1-1.json" {
			data, err := os.ReadFile(filepath.Join(spent, f.Name()))
			require.NoError(t, err)
			assert.JSONEq(t, `{"requests":15,"dollars":0}`, string(data), "for the processes to come")
		}
	}
}

func TestCapsOnDollars(t *testing.T) { // not parallel: it sets variables
	t.Setenv("LATGATE_MAX_USD", "1")
	target, plan := cheap(t, 50)
	res, err := latencytest.Measure(t.Context(), target, plan)
	require.NoError(t, err)
	spent := 0.0
	for _, s := range res.Samples {
		spent += *s.Cost
	}
	assert.LessOrEqual(t, spent, 1+1e-9)
	assert.Greater(t, spent, .85)
	assert.True(t, strings.HasPrefix(res.Ended, "LATGATE_MAX_USD: the build has spent $"), res.Ended)

	plan.Prices = nil
	_, err = latencytest.Measure(t.Context(), target, plan)
	require.ErrorContains(t, err, "LATGATE_MAX_USD: Plan.Prices has no prices to keep it by")
}

func TestCapsThatMakeNoSense(t *testing.T) { // not parallel: it sets variables
	for name, value := range map[string]string{"LATGATE_MAX_USD": "-1", "LATGATE_MAX_REQUESTS": "0", "LATGATE_SPENT": "spent"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := latencytest.ReadSettings()
			require.ErrorContains(t, err, name)
		})
	}
}
