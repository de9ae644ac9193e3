package cassette_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// same checks that a replay was captured as the recording was, to the nanosecond and
// the byte.
func same(t *testing.T, want, got *wire.Exchange) {
	t.Helper()
	assert.Equal(t, want.Marks, got.Marks)
	assert.Equal(t, want.End, got.End)
	assert.Equal(t, want.Ending, got.Ending)
	assert.Equal(t, want.Phases.Header, got.Phases.Header)
	assert.Equal(t, want.Status, got.Status)
	assert.True(t, string(want.Body) == string(got.Body), "the bytes")
}

func TestReplayIsExact(t *testing.T) {
	t.Parallel()
	message := `"messages":[{"role":"user","content":"Hello"}]`
	for name, fake := range map[string]struct {
		handler   http.Handler
		url, body string
	}{
		"server-sent events": {fakes.OpenAI(script(30)), chatURL, chat("Hello")},
		"AWS event stream":   {fakes.Bedrock(script(30)), "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream", `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`},
		"lines":              {fakes.Ollama(script(30)), "http://localhost:11434/api/chat", `{"model":"m",` + message + `}`},
		"one piece":          {fakes.OpenAI(script(30)), chatURL, `{"model":"m",` + message + `}`},
		"long reads": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for n := range 9 {
				time.Sleep(time.Duration(1+n) * ms)
				_, _ = io.WriteString(w, strings.Repeat("0123456789abcde\n", 1+n*127))
				_ = http.NewResponseController(w).Flush()
			}
			time.Sleep(ms)
		}), chatURL, "{}"},
	} {
		for _, redact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s redacted %t", name, redact), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					path := temporary(t, "c.cassette.jsonl")
					var calls []call
					for n := range 40 { // several at one instant
						calls = append(calls, call{sample: n, at: time.Duration(n*n%7) * 31 * ms, url: fake.url, body: fake.body})
					}
					recorded := record(t, path, cassette.Recording{Name: name, Redact: redact}, fake.handler, calls...)
					c, err := cassette.Read(path)
					require.NoError(t, err)
					require.Equal(t, len(calls), c.Len())
					for range 2 {
						replayed, player := replay(t, c, cassette.ReplayOptions{}, calls...)
						require.NoError(t, player.Err())
						assert.Empty(t, player.Unused())
						for n, x := range recorded {
							if redact {
								x.Body = c.At(slices.IndexFunc(slices.Collect(samples(c)), func(s int) bool { return s == n })).Response.Body
							}
							same(t, x, replayed[n])
						}
					}
				})
			})
		}
	}
}

// samples returns the samples of the interactions.
func samples(c *cassette.Cassette) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, i := range c.All() {
			if !yield(i.Sample) {
				return
			}
		}
	}
}

// However a recorded stream ended, its replay ends so, at the same time, for a client
// that does the same.
func TestEndings(t *testing.T) {
	t.Parallel()
	events := func(after func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, data := range []string{"1", "2", "[DONE]"} {
				time.Sleep(100 * ms)
				fmt.Fprintf(w, "data: %s\n\n", data)
				_ = http.NewResponseController(w).Flush()
			}
			time.Sleep(7 * ms)
			after(w, r)
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	limit := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	}
	terminal := func(*http.Response) func([]byte) bool {
		return wire.SSEEnd(func(e wire.SSEEvent) bool { return string(e.Data) == "[DONE]" })
	}
	for name, one := range map[string]struct {
		handler  http.HandlerFunc
		terminal func(*http.Response) func([]byte) bool
		limit    func(context.Context) (context.Context, context.CancelFunc)
		read     int // bytes, 0 for all
		want     wire.Ending
	}{
		"eof":                  {handler: events(func(http.ResponseWriter, *http.Request) {}), want: wire.EndEOF},
		"failed":               {handler: events(abort), want: wire.EndFailed},
		"closed by the client": {handler: events(hang), read: 9, want: wire.EndClosed},
		"terminal event":       {handler: events(hang), terminal: terminal, want: wire.EndTerminal},
		"time limit":           {handler: events(hang), limit: limit(250 * ms), want: wire.EndContext},
		"no reply in time":     {handler: hang, limit: limit(250 * ms), want: wire.EndContext},
		"no reply":             {handler: func(w http.ResponseWriter, r *http.Request) { time.Sleep(ms); abort(w, r) }, want: wire.EndNoReply},
		"head and nothing":     {handler: func(http.ResponseWriter, *http.Request) { time.Sleep(30 * ms) }, want: wire.EndEOF},
		"head and then failed": {handler: func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(ms)
			w.WriteHeader(503)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(ms)
			abort(w, r)
		}, want: wire.EndFailed},
		"an error in one piece": {handler: func(w http.ResponseWriter, _ *http.Request) { time.Sleep(ms); w.WriteHeader(429); fmt.Fprint(w, "{}") }, want: wire.EndEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				do := func(base http.RoundTripper) *wire.Exchange {
					ctx := t.Context()
					if one.limit != nil {
						var cancel context.CancelFunc
						ctx, cancel = one.limit(ctx)
						defer cancel()
					}
					capture := wire.NewCapture(0)
					client := &http.Client{Transport: &wire.Transport{Base: base, Terminal: one.terminal}}
					req, err := http.NewRequestWithContext(capture.Context(ctx), http.MethodPost, chatURL, strings.NewReader("{}"))
					require.NoError(t, err)
					if resp, err := client.Do(req); err == nil {
						body := io.Reader(resp.Body)
						if one.read > 0 {
							body = io.LimitReader(body, int64(one.read))
						}
						_, _ = io.Copy(io.Discard, body)
						resp.Body.Close()
					}
					return capture.Exchanges()[0]
				}
				network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
					one.handler(w, r)
				}))
				path := temporary(t, "c.jsonl")
				recorder, err := cassette.Create(path, cassette.Recording{})
				require.NoError(t, err)
				want := do(recorder.Transport(network.Transport()))
				network.Close()
				require.Equal(t, one.want, want.Ending)
				require.NoError(t, recorder.Add(want))
				require.NoError(t, recorder.Close())

				c, err := cassette.Read(path)
				require.NoError(t, err)
				player, err := c.Handler(cassette.ReplayOptions{})
				require.NoError(t, err)
				network = fakes.NewNetwork(player)
				defer network.Close()
				start := time.Now()
				same(t, want, do(network.Transport()))
				require.NoError(t, player.Err())
				assert.Less(t, time.Since(start), time.Second)
			})
		})
	}
}

// A client that no longer closes a stream that it closed does not wait for ever.
func TestChangedClientsDoNotHang(t *testing.T) {
	t.Parallel()
	i := sample(0, "data: 1\n\n", wire.Mark{End: 9, At: 5 * ms})
	for _, ending := range []wire.Ending{wire.EndClosed, wire.EndTerminal, wire.EndContext, wire.EndTooLarge} {
		i.Response.Ending, i.Response.End = ending, wire.At(9*ms)
		c := assemble(t, i)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			xs, _ := replay(t, c, cassette.ReplayOptions{}, call{url: "http://api.test/v1/chat?alt=sse", body: `{"model":"m"}`})
			assert.LessOrEqual(t, time.Since(start), 10*ms)
			assert.Contains(t, []wire.Ending{wire.EndEOF, wire.EndFailed}, xs[0].Ending)
			assert.Equal(t, 9, len(xs[0].Body))
		})
	}
}

// timed is an interaction of five events: a role, three words, the end.
func timed() *cassette.Interaction {
	var body []byte
	var reads []wire.Mark
	for n, delta := range []string{`{"role":"assistant","content":""}`, `{"content":"a"}`, `{"content":"b"}`, `{"content":"c"}`} {
		body = fmt.Appendf(body, "data: {\"choices\":[{\"index\":0,\"delta\":%s}]}\n\n", delta)
		reads = append(reads, wire.Mark{End: int64(len(body)), At: []time.Duration{200, 400, 450, 480}[n] * ms})
	}
	body = append(body, "data: [DONE]\n\n"...)
	reads = append(reads, wire.Mark{End: int64(len(body)), At: 490 * ms})
	i := sample(0, string(body), reads...)
	i.Response.Header.Set("Content-Type", "text/event-stream")
	i.Response.Phases.Header, i.Response.End = wire.At(100*ms), wire.At(500*ms)
	return i
}

func TestPace(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		pace  cassette.Pace
		times []time.Duration // head, reads, end
	}{
		"as recorded":                 {cassette.Pace{}, []time.Duration{100, 200, 400, 450, 480, 490, 500}},
		"ones":                        {cassette.Pace{Speed: 1, TTFT: 1, Gaps: 1}, []time.Duration{100, 200, 400, 450, 480, 490, 500}},
		"twice as fast":               {cassette.Pace{Speed: 2}, []time.Duration{50, 100, 200, 225, 240, 245, 250}},
		"half as fast":                {cassette.Pace{Speed: .5}, []time.Duration{200, 400, 800, 900, 960, 980, 1000}},
		"first read later":            {cassette.Pace{TTFT: 1.5}, []time.Duration{150, 300, 500, 550, 580, 590, 600}},
		"first content later":         {cassette.Pace{TTFT: 1.5, Content: openai.ChatDecoder{}}, []time.Duration{150, 300, 600, 650, 680, 690, 700}},
		"longer gaps":                 {cassette.Pace{Gaps: 2, Content: openai.ChatDecoder{}}, []time.Duration{100, 200, 400, 500, 560, 580, 600}},
		"gaps and TTFT and faster":    {cassette.Pace{Gaps: 2, TTFT: 2, Speed: 2}, []time.Duration{100, 200, 400, 450, 480, 490, 500}},
		"no decoder that knows it":    {cassette.Pace{TTFT: 1.5, Content: providers.Decoders{}}, []time.Duration{150, 300, 500, 550, 580, 590, 600}},
		"a network that is not there": {cassette.Pace{Speed: math.Inf(1)}, []time.Duration{0, 0, 0, 0, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				xs, player := replay(t, assemble(t, timed()), cassette.ReplayOptions{Pace: one.pace}, call{url: "http://api.test/v1/chat?alt=sse", body: `{"model":"m"}`})
				require.NoError(t, player.Err())
				assert.Equal(t, one.times, timesOf(xs[0]))
			})
		})
	}
}

// timesOf returns when head, reads and end were captured, in milliseconds: what comes
// at once comes a nanosecond after the request.
func timesOf(x *wire.Exchange) []time.Duration {
	var times []time.Duration
	add := func(d time.Duration) { times = append(times, d/ms) }
	head, _ := x.Phases.Header.Get()
	add(head)
	for _, m := range x.Marks {
		add(m.At)
	}
	end, _ := x.End.Get()
	add(end)
	return times
}

func TestFaults(t *testing.T) {
	t.Parallel()
	recorded := []time.Duration{100, 200, 400, 450, 480, 490, 500}
	for name, one := range map[string]struct {
		fault  cassette.Fault
		times  []time.Duration // of the first request
		ending wire.Ending
		events int
		second []time.Duration // of the second; nil: as recorded
	}{
		"delay":                   {cassette.Fault{Effect: cassette.Delay{For: 50 * ms}}, []time.Duration{150, 250, 450, 500, 530, 540, 550}, wire.EndEOF, 5, []time.Duration{150, 250, 450, 500, 530, 540, 550}},
		"delay, once":             {cassette.Fault{Times: 1, Effect: cassette.Delay{For: 50 * ms}}, []time.Duration{150, 250, 450, 500, 530, 540, 550}, wire.EndEOF, 5, nil},
		"delay of the second":     {cassette.Fault{On: func(n int, _ *cassette.Interaction) bool { return n == 1 }, Effect: cassette.Delay{For: 50 * ms}}, recorded, wire.EndEOF, 5, []time.Duration{150, 250, 450, 500, 530, 540, 550}},
		"stall at a read":         {cassette.Fault{Times: 1, Effect: cassette.Stall{From: cassette.AtRead(2), For: 1000 * ms}}, []time.Duration{100, 200, 400, 1450, 1480, 1490, 1500}, wire.EndEOF, 5, nil},
		"stall at an event":       {cassette.Fault{Times: 1, Effect: cassette.Stall{From: cassette.AtEvent(3), For: 1000 * ms}}, []time.Duration{100, 200, 400, 450, 1480, 1490, 1500}, wire.EndEOF, 5, nil},
		"stall of all":            {cassette.Fault{Times: 1, Effect: cassette.Stall{For: 1000 * ms}}, []time.Duration{100, 1200, 1400, 1450, 1480, 1490, 1500}, wire.EndEOF, 5, nil},
		"stall beyond the end":    {cassette.Fault{Times: 1, Effect: cassette.Stall{From: cassette.AtEvent(99), For: 1000 * ms}}, []time.Duration{100, 200, 400, 450, 480, 490, 1500}, wire.EndEOF, 5, nil},
		"cut at a read":           {cassette.Fault{Times: 1, Effect: cassette.Cut{At: cassette.AtRead(3)}}, []time.Duration{100, 200, 400, 450, 480}, wire.EndFailed, 3, nil},
		"cut at an event, clean":  {cassette.Fault{Times: 1, Effect: cassette.Cut{At: cassette.AtEvent(1), Clean: true}}, []time.Duration{100, 200, 400}, wire.EndEOF, 1, nil},
		"cut before anything":     {cassette.Fault{Times: 1, Effect: cassette.Cut{}}, []time.Duration{100, 200}, wire.EndFailed, 0, nil},
		"cut behind the last one": {cassette.Fault{Times: 1, Effect: cassette.Cut{At: cassette.AtRead(5)}}, []time.Duration{100, 200, 400, 450, 480, 490, 500}, wire.EndFailed, 5, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ask := call{url: "http://api.test/v1/chat?alt=sse", body: `{"model":"m"}`}
				next := ask
				next.at, next.sample = 10*time.Second, 1
				xs, player := replay(t, assemble(t, timed(), timed()), cassette.ReplayOptions{Faults: []cassette.Fault{one.fault}}, ask, next)
				require.NoError(t, player.Err())
				assert.Equal(t, one.times, timesOf(xs[0]))
				assert.Equal(t, one.ending, xs[0].Ending)
				assert.Equal(t, one.events, strings.Count(string(xs[0].Body), "data:"))
				if one.second == nil {
					one.second = recorded
				}
				assert.Equal(t, one.second, timesOf(xs[1]))
			})
		})
	}
}

// An event in the midst of a read is a place as well: the read falls into two.
func TestFaultsSplitReads(t *testing.T) {
	t.Parallel()
	i := timed()
	i.Response.Reads = []wire.Mark{{End: int64(len(i.Response.Body)), At: 400 * ms}}
	synctest.Test(t, func(t *testing.T) {
		faults := []cassette.Fault{{Effect: cassette.Stall{From: cassette.AtEvent(2), For: 50 * ms}}, {Effect: cassette.Cut{At: cassette.AtEvent(4), Clean: true}}}
		xs, _ := replay(t, assemble(t, i), cassette.ReplayOptions{Faults: faults}, call{url: "http://api.test/v1/chat?alt=sse", body: `{"model":"m"}`})
		assert.Equal(t, []time.Duration{100, 400, 450, 450}, timesOf(xs[0]))
		assert.Equal(t, 4, strings.Count(string(xs[0].Body), "data:"))
		assert.Equal(t, 2, strings.Count(string(xs[0].Body[:xs[0].Marks[0].End]), "data:"))
	})
}

// A throttle answers in the words of several providers and uses no recording up.
func TestThrottle(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ask := call{url: "http://api.test/v1/chat?alt=sse", body: `{"model":"m"}`}
			again := ask
			again.at = time.Second
			o := cassette.ReplayOptions{Ordered: ordered, Faults: []cassette.Fault{{Times: 1, Effect: cassette.Throttle{RetryAfter: 1500 * ms}}}}
			xs, player := replay(t, assemble(t, timed()), o, ask, again)
			require.NoError(t, player.Err())
			assert.Empty(t, player.Unused())
			assert.Equal(t, 429, xs[0].Status)
			assert.Equal(t, "2", xs[0].Header.Get("Retry-After"))
			xs[0].Path = "/v1/chat/completions"
			assert.Equal(t, providers.Throttled, openai.ChatDecoder{}.Decode(xs[0]).Class)
			xs[0].Path = "/model/m/converse-stream"
			assert.Equal(t, providers.Throttled, builtin.Decode(xs[0]).Class)
			assert.Equal(t, 200, xs[1].Status)
		})
	}
}

// Over loopback, in real time and over both versions of HTTP, the bytes are the same
// and nothing comes before its time.
func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, start := range []func(http.Handler) *fakes.Server{fakes.NewServer, fakes.NewTLSServer} {
		i := timed()
		player, err := assemble(t, i, i).Handler(cassette.ReplayOptions{Pace: cassette.Pace{Speed: 20}})
		require.NoError(t, err)
		server := start(player)
		t.Cleanup(server.Close)
		for range 2 {
			x := one(t.Context(), t, &http.Client{Transport: &wire.Transport{Base: server.Client().Transport}}, call{url: server.URL + "/v1/chat?alt=sse", body: `{"model":"m"}`})
			require.NoError(t, player.Err())
			assert.Equal(t, string(i.Response.Body), string(x.Body))
			assert.Equal(t, wire.EndEOF, x.Ending)
			for _, m := range i.Response.Reads {
				_, at := x.ReadOf(m.End)
				got, known := at.Get()
				assert.True(t, known)
				assert.GreaterOrEqual(t, got, m.At/20)
			}
		}
	}
}

// A body that breaks off over HTTP/2 resets the stream.
func TestLoopbackCut(t *testing.T) {
	t.Parallel()
	for _, start := range []func(http.Handler) *fakes.Server{fakes.NewServer, fakes.NewTLSServer} {
		player, err := assemble(t, timed()).Handler(cassette.ReplayOptions{
			Pace: cassette.Pace{Speed: 100}, Faults: []cassette.Fault{{Effect: cassette.Cut{At: cassette.AtRead(2)}}},
		})
		require.NoError(t, err)
		server := start(player)
		t.Cleanup(server.Close)
		x := one(t.Context(), t, &http.Client{Transport: &wire.Transport{Base: server.Client().Transport}}, call{url: server.URL + "/v1/chat?alt=sse", body: `{"model":"m"}`})
		assert.Equal(t, wire.EndFailed, x.Ending)
		assert.Equal(t, 2, strings.Count(string(x.Body), "data:"))
	}
}

func TestBuffered(t *testing.T) {
	t.Parallel()
	spread := timed()
	held := timed()
	for k := range held.Response.Reads {
		held.Response.Reads[k].At = 470*ms + time.Duration(k)*time.Microsecond
	}
	one := timed()
	one.Response.Reads = []wire.Mark{{End: int64(len(one.Response.Body)), At: 300 * ms}}
	whole := sample(0, `{"a":1}`, wire.Mark{End: 7, At: 300 * ms})
	whole.Response.End = wire.At(300 * ms)
	refused := timed()
	refused.Response.Reads, refused.Response.Status = held.Response.Reads, 503
	for name, c := range map[string]struct {
		interactions []*cassette.Interaction
		says         string
	}{
		"nothing":            {nil, ""},
		"spread":             {[]*cassette.Interaction{spread, spread}, ""},
		"held back":          {[]*cassette.Interaction{held, one, spread}, "2 of 3 streams came nearly at once when they were recorded: 5 events in 5 reads within 4µs, after 470ms of waiting"},
		"in one read":        {[]*cassette.Interaction{one}, "1 of 1 streams came nearly at once when they were recorded: 5 events in 1 reads within 0s, after 300ms of waiting"},
		"half of them":       {[]*cassette.Interaction{held, spread}, ""},
		"no streams":         {[]*cassette.Interaction{whole, whole}, ""},
		"an error in pieces": {[]*cassette.Interaction{refused}, ""},
	} {
		reason, buffered := assemble(t, c.interactions...).Buffered()
		assert.Equal(t, c.says != "", buffered, name)
		assert.Equal(t, c.says, reason, name)
	}
}

// The recorded arrivals are there for a load that comes as the recorded one did.
func TestArrivals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := temporary(t, "c.jsonl")
		record(t, path, cassette.Recording{}, fakes.OpenAI(script(3)), call{sample: 2, at: 7 * time.Second, body: chat("c")}, call{sample: 0, at: 2 * time.Second, body: chat("a")}, call{sample: 1, at: 3 * time.Second, body: chat("b")})
		c, err := cassette.Read(path)
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{0, time.Second, 5 * time.Second}, c.Arrivals())
		assert.Equal(t, 2*time.Second, c.At(0).Call)
		_, synthesised := c.Synthesised()
		assert.False(t, synthesised)
	})
}
