package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// An outcome is what a client process measured.
type outcome struct {
	TTFT   errorsOf      // of the first content event of each measured stream
	Events errorsOf      // of all content events of the measured streams
	CPU    time.Duration // of the process, from the end of the warm-up to the end of the run
	Wall   time.Duration // meanwhile
	RSS    float64       // the process's peak, in MB of 10⁶ bytes
}

// errorsOf summarises times of arrival less times of writing.
type errorsOf struct {
	N             int
	P50, P99, Max time.Duration
}

func summary(errors []float32) errorsOf {
	values := make([]float64, len(errors))
	for i, e := range errors {
		values[i] = float64(e)
	}
	at := func(p float64) time.Duration { return time.Duration(latencytest.Type7(values, p)) }
	return errorsOf{N: len(errors), P50: at(.5), P99: at(.99), Max: at(1)}
}

// A judge compares the times of a client with those of the server.
type judge struct {
	load
	clock sharedClock

	begin   sync.Once
	started time.Time
	cpu     time.Duration // used before

	mu           sync.Mutex
	ttft, events []float32 // nanoseconds, to seven digits
	streams      int
}

func newJudge(l load) *judge {
	return &judge{
		load: l, clock: newSharedClock(),
		ttft:   make([]float32, 0, l.Waves*l.Streams),
		events: make([]float32, 0, l.Waves*l.Streams*l.Events),
	}
}

// start is called before each request after the warm-up.
func (j *judge) start() {
	j.begin.Do(func() { j.started, j.cpu = time.Now(), cpuTime() })
}

// finish returns the outcome. Nothing is counted in it that happens from now on.
func (j *judge) finish() outcome {
	o := outcome{CPU: cpuTime() - j.cpu, Wall: time.Since(j.started), RSS: peakMemory()}
	if want := j.Waves * j.Streams; j.streams != want {
		fail("%d streams were measured, want %d", j.streams, want)
	}
	o.TTFT, o.Events = summary(j.ttft), summary(j.events)
	return o
}

// stream takes the events of a stream: when each had arrived, and its text.
func (j *judge) stream(number int, call time.Time, arrivals []time.Duration, stamp func(i int) string) {
	if len(arrivals) != j.load.events(number) {
		fail("stream %d: %d events arrived, %d were sent", number, len(arrivals), j.load.events(number))
	}
	if !j.measured(number) {
		return
	}
	began := j.clock.of(call)
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, arrived := range arrivals {
		written, err := strconv.ParseInt(stamp(i), 10, 64)
		if err != nil {
			fail("stream %d: %v", number, err)
		}
		late := float32(began + int64(arrived) - written)
		if i == 0 {
			j.ttft = append(j.ttft, late)
		}
		j.events = append(j.events, late)
	}
	j.streams++
}

var textStart = []byte(`"delta":{"content":" `)

// captured takes a stream that nobody has decoded: a body, and when what part of it
// had arrived.
func (j *judge) captured(number int, call time.Time, body []byte, marks []wire.Mark) {
	arrivals := make([]time.Duration, 0, j.load.events(number))
	stamps := make([]string, 0, cap(arrivals))
	mark := 0
	for offset := 0; ; {
		at := bytes.Index(body[offset:], textStart)
		if at < 0 {
			break
		}
		start := offset + at + len(textStart)
		offset = start + bytes.IndexByte(body[start:], '\n') + 2
		for marks[mark].End < int64(offset) {
			mark++
		}
		arrivals = append(arrivals, marks[mark].At)
		stamps = append(stamps, string(body[start:start+digits]))
	}
	j.stream(number, call, arrivals, func(i int) string { return stamps[i] })
}

// network is the transport that all clients use.
func network() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.DisableCompression = nil, true
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 1<<14
	return t
}

func numberOf(h http.Header) int {
	number, err := strconv.Atoi(h.Get("X-Request-Id"))
	if err != nil {
		fail("a reply without a number: %v", err)
	}
	return number
}

// busy has l.Streams clients request streams in the order of the load: one each,
// and when all of these have ended, the others.
func (j *judge) busy(stream func(context.Context)) outcome {
	wave := func(requests int) {
		var left atomic.Int64
		left.Store(int64(requests))
		var clients sync.WaitGroup
		for range j.Streams {
			clients.Go(func() {
				for left.Add(-1) >= 0 {
					stream(context.Background())
				}
			})
		}
		clients.Wait()
	}
	wave(j.Streams)
	j.start()
	wave(j.afterWarmup())
	return j.finish()
}

func (j *judge) request(ctx context.Context) *http.Request {
	body := `{"model":"bench","messages":[{"role":"user","content":"Go on."}],"stream":true}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		fail("%v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

// readBare is the client that everything is compared with: net/http, a goroutine for
// each stream, and nothing between two reads but the clock.
func readBare(l load) any {
	j := newJudge(l)
	client := &http.Client{Transport: network()}
	return j.busy(func(ctx context.Context) {
		call := time.Now()
		resp, err := client.Do(j.request(ctx))
		if err != nil {
			fail("%v", err)
		}
		var body []byte
		var marks []wire.Mark
		buffer := make([]byte, 16<<10)
		for {
			n, err := resp.Body.Read(buffer)
			at := time.Since(call)
			if n > 0 {
				body = append(body, buffer[:n]...)
				marks = append(marks, wire.Mark{End: int64(len(body)), At: at})
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				fail("%v", err)
			}
		}
		resp.Body.Close()
		j.captured(numberOf(resp.Header), call, body, marks)
	})
}

// readCaptured is latgate's transport alone, as [endpoint.New] sets it up: nothing is
// decoded.
func readCaptured(l load) any {
	j := newJudge(l)
	client := &http.Client{Transport: &wire.Transport{
		Base: network(), Terminal: openai.ChatEnd, Detach: func(*http.Response) bool { return true },
	}}
	return j.busy(func(ctx context.Context) {
		capture := wire.NewCapture(0)
		resp, err := client.Do(j.request(capture.Context(ctx)))
		if err != nil {
			fail("%v", err)
		}
		resp.Body.Close()
		x := capture.Exchanges()[0]
		if x.Err != nil {
			fail("%v", x.Err)
		}
		j.captured(numberOf(x.Header), x.Call, x.Body, x.Marks)
	})
}

// measureStreams is the whole of latgate: [latencytest.Measure], with a sample for
// each stream at its end.
func measureStreams(l load) any {
	j := newJudge(l)
	plan := latencytest.Plan{
		Prompts:  []providers.Prompt{{Text: "Go on."}},
		Requests: l.afterWarmup(), Warmup: l.Streams, Load: latencytest.Closed(l.Streams),
	}
	res, err := latencytest.Measure(context.Background(), &watched{Target: target(l), judge: j}, plan)
	if err != nil {
		fail("%v", err)
	}
	o := j.finish()
	if s := res.Scenarios[0]; s.Failed() > 0 {
		fail("%s", s.Ends())
	}
	return o
}

func target(l load) *endpoint.Target {
	return openai.Chat("bench", endpoint.Options{BaseURL: l.URL + "/v1", Client: &http.Client{Transport: network()}})
}

// A watched target shows the judge what latgate makes of each stream.
type watched struct {
	*endpoint.Target
	judge *judge
}

func (w *watched) Send(ctx context.Context, p providers.Prompt) error {
	if number, _ := wire.SampleNumber(ctx); number >= w.judge.Streams {
		w.judge.start()
	}
	return w.Target.Send(ctx, p)
}

func (w *watched) Decode(x *wire.Exchange) *providers.Response {
	r := w.Target.Decode(x)
	if r.Class != providers.OK {
		fail("%s: %s", r.Class, r.Detail)
	}
	number, err := strconv.Atoi(r.RequestID)
	if err != nil {
		fail("a reply without a number: %v", err)
	}
	const width = 1 + digits // a space goes before each
	if len(r.Text) != width*len(r.Events) {
		fail("stream %d: %d bytes of text in %d events", number, len(r.Text), len(r.Events))
	}
	arrivals := make([]time.Duration, len(r.Events))
	for i, e := range r.Events {
		arrivals[i] = e.At
	}
	w.judge.stream(number, x.Call, arrivals, func(i int) string { return r.Text[i*width+1 : (i+1)*width] })
	return r
}

func (e errorsOf) String() string {
	return fmt.Sprintf("%8s %8s %9s", micro(e.P50), micro(e.P99), micro(e.Max))
}

func micro(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }
