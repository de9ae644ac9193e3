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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

// A SelfCheckPlan is the load of a [SelfCheck].
type SelfCheckPlan struct {
	Streams  int           // at once; zero means 100
	Rate     float64       // events a second of each stream; zero means 50
	Duration time.Duration // how long streams are measured, to the second; zero means 5 s
}

// A SelfCheckReport says how true the times are that this process measures on this
// machine.
type SelfCheckReport struct {
	Plan    SelfCheckPlan // with its defaults filled in
	Virtual bool          // checked in virtual time

	// TTFT are the times at which the first event of each stream was seen less those
	// at which the endpoint wrote it. Gap are the differences, whatever their
	// sign, between the time from one event to the next as it was seen and as it was
	// written.
	TTFT, Gap TimeErrors

	// Bare are the errors of the TTFT in a read loop without latgate, over the same
	// load: what the machine and net/http can do.
	Bare TimeErrors

	// MedianTTFT is the median of what the endpoint had its clients wait.
	MedianTTFT time.Duration

	// CPU is the share of the CPU time there was (the CPUs that Go uses times the time
	// that passed) which the process used, with the endpoint that is part of it.
	// Instrument is by how much more that is than with the bare loop. Both are what
	// Go's runtime reports, at most: where other processes held the CPU meanwhile,
	// their time is in it. Both are NaN in virtual time, which takes no CPU's.
	CPU, Instrument float64
}

// TimeErrors summarises errors of measured times, by quantiles of type 7.
type TimeErrors struct {
	N             int
	P50, P99, Max time.Duration
}

// SelfCheck measures the instrument: it serves streams with known write times on the
// loopback interface, in this process, measures them as [Measure] does any other
// endpoint, and compares. Inside a synctest bubble it does the same in virtual time,
// where every error must be 0.
//
// It takes about twice the plan's duration, since a bare read loop goes first. An
// error means that it could not be carried out; what it found is in the report, see
// [SelfCheckReport.Bottleneck].
func SelfCheck(ctx context.Context, c SelfCheckPlan) (*SelfCheckReport, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	bare, err := c.leg(ctx, (*selfCheck).readBare)
	if err != nil {
		return nil, fmt.Errorf("self-check: without latgate: %w", err)
	}
	full, err := c.leg(ctx, (*selfCheck).measure)
	if err != nil {
		return nil, fmt.Errorf("self-check: %w", err)
	}
	report := &SelfCheckReport{
		Plan: c, Virtual: Virtual(),
		TTFT: timeErrors(full.ttft), Gap: timeErrors(full.gaps), Bare: timeErrors(bare.ttft),
		MedianTTFT: time.Duration(Type7(full.waits, .5)),
		CPU:        full.cpu, Instrument: max(0, full.cpu-bare.cpu),
	}
	if report.Virtual {
		report.CPU, report.Instrument = math.NaN(), math.NaN()
	}
	return report, nil
}

func (c SelfCheckPlan) withDefaults() (SelfCheckPlan, error) {
	if c.Streams == 0 {
		c.Streams = 100
	}
	if c.Rate == 0 {
		c.Rate = 50
	}
	if c.Duration == 0 {
		c.Duration = 5 * time.Second
	}
	if c.Streams < 0 || !(c.Rate > 0) || c.Rate > 1e6 || c.Duration < 0 {
		return c, fmt.Errorf("SelfCheckPlan: want a positive number of streams, a rate of up to 1e6 and a positive duration, got %+v", c)
	}
	return c, nil
}

const (
	selfCheckTTFT   = 100 * time.Millisecond // and up to one interval more
	selfCheckStream = time.Second            // the length of a stream
)

func (c SelfCheckPlan) interval() time.Duration {
	return time.Duration(float64(time.Second) / c.Rate)
}

// events returns how many content events a stream has: two at least, for a gap.
func (c SelfCheckPlan) events() int { return max(2, int(math.Round(c.Rate*selfCheckStream.Seconds()))) }

// requests returns how many streams are measured.
func (c SelfCheckPlan) requests() int {
	return c.Streams * max(1, int(math.Round(c.Duration.Seconds()/selfCheckStream.Seconds())))
}

// String returns "100 streams of 50 events/s for 5s".
func (c SelfCheckPlan) String() string {
	return fmt.Sprintf("%d streams of %g events/s for %v", c.Streams, c.Rate, c.Duration)
}

// Bottleneck says why the times are the client's and not an endpoint's: the P99 of
// the TTFT's error is above 5 ms, and above 1 % of the median TTFT. It is empty
// where nothing is wrong.
func (r *SelfCheckReport) Bottleneck() string {
	limit := max(5*time.Millisecond, r.MedianTTFT/100)
	if r.TTFT.P99 <= limit {
		return ""
	}
	format := func(d time.Duration) string { return TTFT.Format(float64(d)) }
	advice := "lower the load or give the client more CPU"
	if r.Bare.P99 > limit {
		advice = "a bare read loop does not do it either, at " + format(r.Bare.P99) + ": the machine is too small or has other work to do"
	}
	return fmt.Sprintf("the client was the bottleneck: the P99 of its error is %s, at most %s is valid; %s", format(r.TTFT.P99), format(limit), advice)
}

// String renders a short table.
func (r *SelfCheckReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "self-check: %v, %s %s/%s", r.Plan, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if r.Virtual {
		b.WriteString(", virtual time")
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "error of\tn\tP50\tP99\tmax\t")
	for _, row := range []struct {
		name   string
		errors TimeErrors
	}{{"ttft", r.TTFT}, {"gaps", r.Gap}, {"ttft, bare loop", r.Bare}} {
		fmt.Fprintf(w, "%s\t%d\t", row.name, row.errors.N)
		for _, d := range []time.Duration{row.errors.P50, row.errors.P99, row.errors.Max} {
			fmt.Fprintf(w, "%s\t", TTFT.Format(float64(d)))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if !r.Virtual {
		fmt.Fprintf(&b, "CPU: %.1f %% of %d, with the endpoint; %.1f %% of it the instrument's own\n",
			100*r.CPU, runtime.GOMAXPROCS(0), 100*r.Instrument)
	}
	if why := r.Bottleneck(); why != "" {
		b.WriteString(why + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func timeErrors(values []float64) TimeErrors {
	slices.Sort(values)
	at := func(p float64) time.Duration { return time.Duration(math.Round(type7(values, p))) }
	return TimeErrors{N: len(values), P50: at(.5), P99: at(.99), Max: at(1)}
}

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
