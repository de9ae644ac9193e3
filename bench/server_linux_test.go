package bench

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latgate/latgate/latencytest"
)

// served is what the server says at its end.
type served struct {
	Written int           // content events
	LateP50 time.Duration // how much later than planned they were written
	LateP99 time.Duration
	CPU     time.Duration
}

// serve is the server process: it says its URL, and ends when its standard input
// does. Streams are written by threads of the pacers' own, so that a write is not
// late because the runtime had something else to do; the rest is net/http's.
func serve(l load) any {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	s := &server{load: l, clock: newSharedClock()}
	paces := 1
	if l.Streams > 2000 {
		paces = runtime.NumCPU()
	}
	for range paces {
		p := &pacer{clock: s.clock, interval: int64(l.Interval)}
		s.pacers = append(s.pacers, p)
		go p.run()
	}
	go func() { _ = http.Serve(listener, s) }()
	if err := json.NewEncoder(os.Stdout).Encode("http://" + listener.Addr().String()); err != nil {
		fail("%v", err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.report()
}

// A server answers every request with a stream of chat completion chunks. The text
// of each is the time at which it is written, by the [sharedClock].
type server struct {
	load
	clock    sharedClock
	pacers   []*pacer
	requests atomic.Int64
	stalled  atomic.Int64 // until when, on the clock
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number := int(s.requests.Add(1) - 1)
	_, _ = io.Copy(io.Discard, r.Body)
	now := s.clock.now()
	if s.Stall > 0 && number == s.StallAt {
		s.stalled.Store(now + int64(s.Stall))
	}
	now = max(now, s.stalled.Load())

	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Request-Id", strconv.Itoa(number))
	p := s.pacers[number%len(s.pacers)]
	t := &stream{
		number: number, w: w, control: http.NewResponseController(w), done: make(chan struct{}),
		due: now + int64(s.First) + int64(s.phase(number)), left: s.events(number), total: s.events(number),
	}
	t.chunk, t.stamp = chunk(number)
	p.add(t)
	<-t.done
}

func (s *server) report() served {
	var late []float64
	for _, p := range s.pacers {
		p.mu.Lock()
		for _, d := range p.late {
			late = append(late, float64(d))
		}
		p.mu.Unlock()
	}
	return served{
		Written: len(late), CPU: cpuTime(),
		LateP50: time.Duration(latencytest.Type7(late, .5)),
		LateP99: time.Duration(latencytest.Type7(late, .99)),
	}
}

// A stream is one reply on its way. Only its pacer writes to it.
type stream struct {
	number  int
	w       http.ResponseWriter
	control *http.ResponseController
	chunk   []byte // an event, with the write time at stamp
	stamp   []byte
	due     int64 // when the next event is written
	total   int   // content events
	left    int
	done    chan struct{}
}

// The events of OpenAI's own, with the fields they have.
const (
	opening = `data: {"id":"chatcmpl-%08d","object":"chat.completion.chunk","created":1763700000,"model":"bench",` +
		`"service_tier":"default","system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":`
	closing = `}]}` + "\n\n"

	digits = 19 // of a write time
)

func chunk(number int) (event, stamp []byte) {
	const unstamped = "0000000000000000000"
	text := fmt.Sprintf(opening, number) + `{"content":" ` + unstamped + `"},"logprobs":null,"finish_reason":null` + closing
	event = []byte(text)
	at := strings.Index(text, unstamped)
	return event, event[at : at+digits]
}

func role(number int) string {
	return fmt.Sprintf(opening, number) + `{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null` + closing
}

func end(number, events int) string {
	return fmt.Sprintf(opening, number) + `{},"logprobs":null,"finish_reason":"stop"` + closing +
		fmt.Sprintf(`data: {"id":"chatcmpl-%08d","object":"chat.completion.chunk","created":1763700000,"model":"bench","choices":[],`+
			`"usage":{"prompt_tokens":8,"completion_tokens":%d,"total_tokens":%d}}`+"\n\ndata: [DONE]\n\n", number, events, events+8)
}

// write writes the next event, and reports whether there is another. The head, the
// role and the first content go out together: that is how a client sees an
// endpoint which answers only once it has something to say, and the hardest to time.
func (t *stream) write(clock sharedClock) (now int64, more bool) {
	if t.left == 0 {
		_, _ = io.WriteString(t.w, end(t.number, t.total))
		return 0, false
	}
	if t.left == t.total {
		_, _ = io.WriteString(t.w, role(t.number))
	}
	t.left--
	now = clock.now()
	for i, rest := digits-1, now; i >= 0; i, rest = i-1, rest/10 {
		t.stamp[i] = byte('0' + rest%10)
	}
	_, err := t.w.Write(t.chunk)
	if err == nil {
		err = t.control.Flush()
	}
	return now, err == nil
}

// A pacer writes the events of its streams when they are due, one after the other.
type pacer struct {
	clock    sharedClock
	interval int64

	mu       sync.Mutex
	incoming []*stream
	late     []int64

	queue byDue
}

func (p *pacer) add(t *stream) {
	p.mu.Lock()
	p.incoming = append(p.incoming, t)
	p.mu.Unlock()
}

func (p *pacer) run() {
	const look = int64(time.Millisecond) // at most so long between two looks at incoming
	runtime.LockOSThread()
	sleepExactly()
	var late []int64
	for looked := int64(0); ; {
		now := p.clock.now()
		if now-looked >= look {
			looked = now
			p.mu.Lock()
			for _, t := range p.incoming {
				heap.Push(&p.queue, t)
			}
			p.incoming = p.incoming[:0]
			p.late, late = append(p.late, late...), late[:0]
			p.mu.Unlock()
		}
		if len(p.queue) == 0 || p.queue[0].due > now {
			until := looked + look
			if len(p.queue) > 0 {
				until = min(until, p.queue[0].due)
			}
			p.clock.sleepUntil(until)
			continue
		}
		t := p.queue[0]
		at, more := t.write(p.clock)
		if at > 0 {
			late = append(late, at-t.due)
		}
		if !more {
			heap.Pop(&p.queue)
			close(t.done)
			continue
		}
		t.due += p.interval
		heap.Fix(&p.queue, 0)
	}
}

type byDue []*stream

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q byDue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDue) Push(x any)        { *q = append(*q, x.(*stream)) }

func (q *byDue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return t
}
