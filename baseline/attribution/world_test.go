package attribution_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

// A world is an endpoint, the way to it, and an application that asks it.
type world struct {
	script  fakes.Script
	connect fakes.Dist // time to a connection
	server  fakes.Dist // time before the script's begins

	slow     string        // a prompt whose time before the script's begins is longer,
	longer   time.Duration // by so much
	uncached time.Duration // the same, of a prompt that is not in the cache

	retries int     // of the plan
	calls   int     // of the application in one operation
	context int     // bytes of each prompt beside its text
	unique  float64 // share of the operations whose prompts no cache can hold
}

// usual is a world in which nothing is wrong. Sessions differ by 3 %, requests by
// much more.
func usual() world {
	return world{
		script: fakes.Script{
			Session: .03,
			Head:    fakes.Lognormal(60*ms, .3), TTFT: fakes.Lognormal(220*ms, .3), Gap: fakes.Lognormal(20*ms, .4),
			OutputTokens: 16,
		},
		connect: fakes.Lognormal(30*ms, .3),
		server:  fakes.Lognormal(140*ms, .35),
		calls:   1,
	}
}

const prompts = 4

// run measures a world in virtual time.
func (w world) run(t *testing.T, seed uint64) *baseline.Run {
	t.Helper()
	var run *baseline.Run
	synctest.Test(t, func(t *testing.T) {
		w.script.Seed = seed
		network := fakes.NewNetwork(&gateway{world: w, endpoint: fakes.OpenAI(w.script), seen: make(map[string]bool)})
		defer network.Close()
		rec := &latencytest.Recorder{Base: &dialler{base: network.Transport(), wait: w.connect, seed: seed}}
		plan := latencytest.Plan{Requests: requests, Warmup: prompts, Retries: w.retries, Seed: seed}
		for i := range prompts {
			text := fmt.Sprintf("[p%d] %s", i, strings.Repeat("context ", w.context/8))
			plan.Prompts = append(plan.Prompts, providers.Prompt{ID: fmt.Sprint("p", i), Text: text})
		}
		res, err := latencytest.MeasureFunc(t.Context(), rec, plan, func(ctx context.Context, p providers.Prompt) error {
			return w.answer(ctx, rec.Client(), p.Text)
		})
		require.NoError(t, err)
		run = baseline.NewRun(res, res.Scenarios[0], "", latencytest.StreamEnd, latencytest.TTFB, latencytest.TPOT, latencytest.ITL, latencytest.Stall)
	})
	return run
}

// answer is the application: it asks, and then asks again if it is one that calls
// the model more than once.
func (w world) answer(ctx context.Context, client *http.Client, text string) error {
	number, _ := wire.SampleNumber(ctx)
	if luck(w.script.Seed, number, 1) < w.unique {
		text = fmt.Sprintf("[unique %d] %s", number, text)
	}
	for range w.calls {
		if err := ask(ctx, client, text); err != nil {
			return err
		}
	}
	return nil
}

// ask streams a chat completion to its end.
func ask(ctx context.Context, client *http.Client, text string) error {
	body, err := json.Marshal(map[string]any{
		"model": "m", "stream": true, "stream_options": map[string]any{"include_usage": true},
		"messages": []any{map[string]any{"role": "user", "content": text}},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://openai.test/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return err
}

// A gateway is what a request passes before the endpoint answers it.
type gateway struct {
	world
	endpoint http.Handler

	mu   sync.Mutex
	seen map[string]bool // prompts, which are in the cache then
	n    int
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	g.mu.Lock()
	g.n++
	wait := fakes.Quantile(g.server, luck(g.script.Seed, g.n, 3))
	if !g.seen[string(body)] {
		wait += g.uncached
	}
	g.seen[string(body)] = true
	g.mu.Unlock()
	if g.slow != "" && bytes.Contains(body, []byte("["+g.slow+"]")) {
		wait += g.longer
	}
	time.Sleep(wait)
	g.endpoint.ServeHTTP(w, req)
}

// A dialler takes its time before each request, as a network does that sets up a
// connection.
type dialler struct {
	base http.RoundTripper
	wait fakes.Dist
	seed uint64

	mu sync.Mutex
	n  int
}

func (d *dialler) RoundTrip(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.n++
	wait := fakes.Quantile(d.wait, luck(d.seed, d.n, 2))
	d.mu.Unlock()
	time.Sleep(wait)
	return d.base.RoundTrip(req)
}

// luck is uniform in (0, 1).
func luck(seed uint64, n, kind int) float64 {
	return 1 - rand.New(rand.NewPCG(seed, uint64(n)<<8|uint64(kind))).Float64()*(1-1e-9)
}

// A pool is runs of one world, measured when they are first asked for.
type pool struct {
	once sync.Once
	runs []*baseline.Run
}

const history = 5 // stored runs of a comparison

// of measures enough runs of a world that each seed has a history and a candidate
// of its own.
func (p *pool) of(t *testing.T, w world, from uint64) []*baseline.Run {
	t.Helper()
	p.once.Do(func() {
		for i := range uint64(seeds + history) {
			p.runs = append(p.runs, w.run(t, from+i))
		}
	})
	return p.runs
}

// comparison returns the candidate and the history of a seed.
func comparison(candidates, stored []*baseline.Run, seed int) (*baseline.Run, []*baseline.Run) {
	return candidates[seed], stored[seed+1 : seed+1+history]
}
