package fakeapi

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// An Answer is the application's function that is measured: it returns the text of
// the answer to a question.
type Answer func(ctx context.Context, question string) (string, error)

// Script is lively: an answer that reasons first, then talks, then calls a tool, at
// times that differ from event to event and from request to request.
var Script = fakes.Script{
	Seed:         42,
	TTFT:         fakes.Lognormal(400*time.Millisecond, .3),
	Head:         fakes.Constant(60 * time.Millisecond),
	Gap:          fakes.Lognormal(20*time.Millisecond, .25),
	OutputTokens: 40,
	Reasoning:    5,
	ToolCalls:    1,
}

// A Sample is what was measured of one call, beside what the application made of
// it and what the fake knows.
type Sample struct {
	latencytest.Sample
	Script fakes.Script

	Text string // what the application returned
	Err  error

	Arrivals []time.Time // of each attempt at the fake
}

// Measure asks as many questions of the fake as requests says, in virtual time, of
// that many clients at once. The application is made inside the bubble, with the
// client that records. The questions of the warm-up are left out.
func Measure(t *testing.T, fake Fake, script fakes.Script, requests, clients int, app func(*http.Client) Answer) []Sample {
	t.Helper()
	Isolate(t)
	var samples []Sample
	synctest.Test(t, func(t *testing.T) {
		seen := notes{arrivals: make(map[int][]time.Time), answers: make(map[int]Sample)}
		network := fakes.NewNetwork(seen.watch(fake(script)))
		defer network.Close()
		rec := latencytest.NewRecorder(t)
		rec.Base = network.Transport()
		answer := app(rec.Client())

		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{
			Prompts:  []providers.Prompt{{ID: "refund", Text: "My order arrived broken. Can I have my money back?"}},
			Requests: requests,
			Load:     latencytest.Closed(clients),
		}, func(ctx context.Context, p providers.Prompt) error {
			text, err := answer(ctx, p.Text)
			number, _ := wire.SampleNumber(ctx)
			seen.note(number, text, err)
			return err
		})
		require.NoError(t, err)
		for _, s := range res.Samples {
			if s.Warmup {
				continue
			}
			sample := seen.answers[s.Number]
			sample.Sample, sample.Script, sample.Arrivals = s, script, seen.arrivals[s.Number]
			samples = append(samples, sample)
		}
	})
	require.Len(t, samples, requests)
	return samples
}

// notes are what is seen of the requests at both ends.
type notes struct {
	mu       sync.Mutex
	arrivals map[int][]time.Time
	answers  map[int]Sample
}

func (n *notes) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.Header.Get(wire.SampleHeader))
		n.mu.Lock()
		n.arrivals[number] = append(n.arrivals[number], time.Now())
		n.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (n *notes) note(number int, text string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[number] = Sample{Text: text, Err: err}
}

// RequireExact demands that the sample is what the script says, to the nanosecond:
// its first content, of whatever kind, the first that a user sees, the last and
// the end, counted from the first attempt, however many there were. The token
// count is the script's, and what the application returned is the text that the
// fake sent.
func (s Sample) RequireExact(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Err)
	require.Equal(t, providers.OK, s.Class, "%d: %s", s.Number, s.Error)
	require.NotEmpty(t, s.Arrivals)
	attempt := len(s.Arrivals) - 1
	require.Equal(t, attempt+1, s.Calls)
	require.True(t, s.Time.Equal(s.Arrivals[0]), "it began with the first attempt")
	late := s.Arrivals[attempt].Sub(s.Arrivals[0])
	at := func(d time.Duration) wire.Instant { return wire.At(late + d) }

	want := s.Script.Schedule(s.Number, attempt)
	ttft, ok := want.TTFT()
	require.True(t, ok)
	require.Equal(t, at(ttft), s.First, "%d: TTFT", s.Number)
	require.Equal(t, at(want.Content[len(want.Content)-1].At), s.Last, "%d: TTLT", s.Number)
	require.Equal(t, at(want.End), s.End, "%d: end", s.Number)
	text := ""
	visible := wire.Instant{}
	for _, c := range want.Content {
		if c.Channel == fakes.Text {
			text += c.Text
		}
		if c.Channel != fakes.Reasoning && !visible.Known() {
			visible = at(c.At)
		}
	}
	require.Equal(t, visible, s.FirstVisible, "%d: the first content that a user sees", s.Number)
	require.Equal(t, text, s.Text, "%d: what the application got", s.Number)
	require.Equal(t, providers.CountOf(int64(want.Tokens())), s.Usage.Output, "%d: tokens", s.Number)
}

// RequireRecognized demands that the protocol was found out from what was on the
// wire.
func (s Sample) RequireRecognized(t *testing.T, provider, api, model, host string) {
	t.Helper()
	assert.Equal(t, []string{provider, api, model, host}, []string{s.Provider, s.API, s.Model, s.Host})
	require.NotEmpty(t, s.RequestID)
}

// RequireRetried demands that the sample consists of a throttled attempt, which was
// refused after that time, and of one more.
func (s Sample) RequireRetried(t *testing.T, refused time.Duration) {
	t.Helper()
	require.Len(t, s.Arrivals, 2)
	require.Equal(t, []int{2, 1, 1}, []int{s.Calls, s.Retries, s.Throttles}, "attempts, retries, throttles")
	require.GreaterOrEqual(t, s.Arrivals[1].Sub(s.Arrivals[0]), refused)
}

// RequireBrokenOff demands that the answer ended after that many content events,
// which are as exact as if it had gone on.
func (s Sample) RequireBrokenOff(t *testing.T, after int) {
	t.Helper()
	require.Len(t, s.Arrivals, 1)
	want := s.Script.Schedule(s.Number, 0)
	require.Len(t, want.Content, after)
	require.Equal(t, after, s.ContentEvents)
	require.Equal(t, wire.At(want.Content[0].At), s.First)
	require.Equal(t, wire.At(want.Content[after-1].At), s.Last)
	require.Equal(t, wire.At(want.End), s.End)
}
