package latencytest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// cachedSet is prompts with a long context that is marked to be cached.
func cachedSet(n int) []providers.Prompt {
	prompts := promptSet(n)
	for i := range prompts {
		prompts[i].Caching, prompts[i].CachedContext = true, prompts[i].Text+longText
	}
	return prompts
}

var longText = func() string {
	text := ""
	for range 100 {
		text += "A sentence of the long context. "
	}
	return text
}()

func TestCachePolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy  latencytest.CachePolicy
		prompts []providers.Prompt
		hit     bool
		invalid bool
	}{
		{latencytest.WarmCache, cachedSet(4), true, false},
		{latencytest.BustCache, cachedSet(4), false, false},
		{"", cachedSet(4), true, false},
		{latencytest.WarmCache, promptSet(4), false, true},
	} {
		res := measured(t, steady, latencytest.Plan{Prompts: c.prompts, Requests: 40, Cache: c.policy})
		s := res.Scenarios[0]
		assert.Equal(t, c.hit, s.HitRate() > .9, "%q: %v", c.policy, s.HitRate())
		assert.Equal(t, c.invalid, s.Invalid() != "", "%q: %s", c.policy, s.Invalid())
		if c.policy != "" {
			assert.Equal(t, string(c.policy), s.Identity.Get("prompt-cache"))
		}
		if c.policy == latencytest.WarmCache {
			assert.GreaterOrEqual(t, res.Plan.Warmup, 4, "each prompt once")
		}
	}
}

func TestBustedPromptsBeginDifferently(t *testing.T) {
	t.Parallel()
	bubble(t, steady, func(t *testing.T, network *fakes.Network) {
		seen := map[string]bool{}
		length := 0
		rec := latencytest.NewRecorder(t)
		rec.Base = network.Transport()
		_, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{
			Prompts: []providers.Prompt{{Text: "Hello", System: "Be brief."}}, Requests: 20, Cache: latencytest.BustCache,
		}, func(_ context.Context, p providers.Prompt) error {
			seen[p.System[:19]] = true
			length = len(p.System)
			assert.Equal(t, "Hello", p.Text)
			time.Sleep(ms)
			return nil
		})
		require.Error(t, err, "no request was made")
		assert.Len(t, seen, 1)
		assert.Equal(t, len("Be brief.")+19, length)
	})
}

func TestDialAnew(t *testing.T) {
	t.Parallel()
	for _, anew := range []bool{false, true} {
		res, err := latencytest.Measure(t.Context(), loopback(fakes.Script{OutputTokens: 1}), latencytest.Plan{Prompts: promptSet(1), Requests: 10, DialAnew: anew})
		require.NoError(t, err)
		dialled := 0
		for _, s := range res.Scenarios[0].Samples {
			if s.ConnectDone.Known() {
				dialled++
			}
		}
		if anew {
			assert.Equal(t, 10, dialled)
			assert.Equal(t, "new", res.Scenarios[0].Identity.Get("connections"))
			assert.Contains(t, res.String(), "connections: 10 of 10 requests set up their own")
		} else {
			assert.Zero(t, dialled, "those of the warm-up serve")
		}
	}
}
