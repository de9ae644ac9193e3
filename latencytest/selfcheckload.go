package latencytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// A selfCheck is one leg of it: an endpoint, its only client, and what was found.
type selfCheck struct {
	SelfCheckPlan
	begin     time.Time // write times count from here
	url       string
	transport *http.Transport
	requested atomic.Int64

	mu                sync.Mutex
	ttft, gaps, waits []float64 // nanoseconds
	cpu               float64   // share, from the end of the warm-up
}

// leg runs a client against an endpoint of its own.
func (c SelfCheckPlan) leg(ctx context.Context, client func(*selfCheck, context.Context) error) (*selfCheck, error) {
	k := &selfCheck{SelfCheckPlan: c, begin: time.Now(), transport: &http.Transport{
		MaxIdleConnsPerHost: c.Streams, DisableCompression: true,
	}}
	listener, err := k.listen()
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: k}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	err = client(k, ctx)
	k.transport.CloseIdleConnections()
	server.Close()
	running.Wait()
	if err == nil && len(k.ttft) != c.requests() {
		err = fmt.Errorf("%d streams were measured, want %d", len(k.ttft), c.requests())
	}
	return k, err
}

// listen opens the endpoint: on the loopback interface, or in memory where time is
// virtual, since nothing in a bubble may wait for a network.
func (k *selfCheck) listen() (net.Listener, error) {
	if Virtual() {
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		k.transport.DialContext = l.dial
		k.url = "http://self-check"
		return l, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		var v6 error
		if l, v6 = net.Listen("tcp", "[::1]:0"); v6 != nil {
			return nil, errors.Join(err, v6)
		}
	}
	k.url = "http://" + l.Addr().String()
	return l, nil
}

// stampDigits is the length of a write time, and of the space before it the rest of
// an event's text.
const stampDigits = 19

// ServeHTTP answers with a stream of chat completion chunks. The text of each is the
// time at which it is written. The first replies, one for each stream, are the
// warm-up's and have one event.
func (k *selfCheck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	number := int(k.requested.Add(1) - 1)
	_, _ = io.Copy(io.Discard, r.Body)
	events := k.events()
	if number < k.Streams {
		events = 1
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	// The streams of a wave are spread evenly over an interval.
	due := start.Add(selfCheckTTFT + k.interval()*time.Duration(number%k.Streams)/time.Duration(k.Streams))
	for range events {
		if !sleepUntil(r.Context(), due) {
			return
		}
		_, _ = fmt.Fprintf(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":" %0*d"}}]}`+"\n\n",
			stampDigits, time.Since(k.begin))
		if control.Flush() != nil {
			return
		}
		due = due.Add(k.interval())
	}
	_, _ = io.WriteString(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
}

// note compares a stream's events, which arrived so long after call, with its text.
func (k *selfCheck) note(call time.Time, events []providers.Event, text string) error {
	const width = 1 + stampDigits
	if len(text) != width*len(events) {
		return fmt.Errorf("%d bytes of text came in %d events", len(text), len(events))
	}
	if len(events) < k.events() {
		return nil // the warm-up's
	}
	called := call.Sub(k.begin)
	errs := make([]float64, len(events)) // by how much each was late
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, e := range events {
		written, err := strconv.ParseInt(text[i*width+1:(i+1)*width], 10, 64)
		if err != nil {
			return err
		}
		errs[i] = float64(int64(called+e.At) - written)
		if i == 0 {
			k.ttft = append(k.ttft, errs[0])
			k.waits = append(k.waits, float64(e.At))
		} else {
			k.gaps = append(k.gaps, math.Abs(errs[i]-errs[i-1]))
		}
	}
	return nil
}

// measure is the leg with latgate.
func (k *selfCheck) measure(ctx context.Context) error {
	target := &selfCheckTarget{check: k, Target: openai.Chat("self-check", endpoint.Options{
		BaseURL: k.url, Client: &http.Client{Transport: k.transport},
		Key: "none", // else the user's own would be sent
	})}
	left := k.requests()
	var meter cpuMeter
	measuring := job{
		plan: Plan{Prompts: []providers.Prompt{{Text: "self-check"}}, Load: Closed(k.Streams), Storm: -1},
		op:   sending(target),
		more: func() bool { // not Plan.Requests, which a setting goes before
			if left == k.requests() {
				meter = newCPUMeter()
			}
			left--
			return left >= 0
		},
	}
	res, err := measuring.measure(ctx)
	k.cpu = meter.share()
	switch {
	case err != nil:
		return err
	case target.err != nil:
		return target.err
	case res.Scenarios[0].Failed() > 0:
		return errors.New(res.Scenarios[0].Ends())
	}
	return nil
}

// A selfCheckTarget shows the check what becomes of each stream.
type selfCheckTarget struct {
	*endpoint.Target
	check *selfCheck

	mu  sync.Mutex
	err error
}

func (t *selfCheckTarget) Decode(x *wire.Exchange) *providers.Response {
	r := t.Target.Decode(x)
	if r.Class == providers.OK {
		if err := t.check.note(x.Call, r.Events, r.Text); err != nil {
			t.mu.Lock()
			t.err = err
			t.mu.Unlock()
		}
	}
	return r
}

// readBare is the leg without latgate: net/http, a goroutine for each stream, and
// the clock read after each Read. What it has read is decoded at the end of the
// stream, as latgate does.
func (k *selfCheck) readBare(ctx context.Context) error {
	client := &http.Client{Transport: k.transport}
	wave := func(requests int) error {
		var left atomic.Int64
		left.Store(int64(requests))
		var clients sync.WaitGroup
		errs := make([]error, k.Streams)
		for i := range k.Streams {
			clients.Go(func() {
				for left.Add(-1) >= 0 && errs[i] == nil {
					errs[i] = k.readStream(ctx, client)
				}
			})
		}
		clients.Wait()
		return errors.Join(errs...)
	}
	if err := wave(k.Streams); err != nil {
		return err
	}
	meter := newCPUMeter()
	err := wave(k.requests())
	k.cpu = meter.share()
	return err
}

func (k *selfCheck) readStream(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url+"/chat/completions", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	x := &wire.Exchange{Call: time.Now(), Method: http.MethodPost, Path: "/chat/completions"}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	x.Status, x.Header, x.Ending = resp.StatusCode, resp.Header, wire.EndEOF
	for buffer := make([]byte, 16<<10); ; {
		n, err := resp.Body.Read(buffer)
		at := time.Since(x.Call)
		if n > 0 {
			x.Body = append(x.Body, buffer[:n]...)
			x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: at})
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	r := openai.ChatDecoder{}.Decode(x)
	return k.note(x.Call, r.Events, r.Text)
}

// A cpuMeter reads what Go's runtime knows of the CPU time it had and left unused,
// which is what operating systems agree on least.
type cpuMeter struct{ total, idle float64 }

func newCPUMeter() cpuMeter {
	runtime.GC() // brings the metrics up to date
	read := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(read)
	return cpuMeter{total: read[0].Value.Float64(), idle: read[1].Value.Float64()}
}

// share returns the part of the CPU time that was used since.
func (m cpuMeter) share() float64 {
	now := newCPUMeter()
	if total := now.total - m.total; total > 0 {
		return 1 - (now.idle-m.idle)/total
	}
	return 0
}

// A pipeListener is the way to an endpoint in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "self-check" }
