package cassette

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/latgate/latgate/fakes/clock"
	"github.com/latgate/latgate/providers"
)

// ReplayOptions say how a cassette is replayed. The zero ReplayOptions answer each
// request with a recording of the same, in any order, at the recorded times.
type ReplayOptions struct {
	Pace   Pace
	Faults []Fault

	// Ordered wants the requests in the order in which they were recorded: each must
	// equal the next recording.
	Ordered bool

	// Repeat begins anew with the first recording of a request, or of all with Ordered,
	// when all were used. Otherwise a further request is a miss.
	Repeat bool

	// Matching adds to what the cassette says. What a redacted cassette ignores is
	// settled when it is recorded.
	Matching Matching

	// Scrub must be that of the recording, see [Recording].
	Scrub []Scrubber
}

// A Player answers requests from a cassette, as a [net/http.Handler]: over loopback in
// real time, or on a network in memory in virtual time, where each read comes at the
// recorded nanosecond.
//
// Requests that were recorded several times take their recordings in turn, in the order
// of the recorded calls. Requests that arrive at the same instant of virtual time are
// served in the order of their samples, so that a replay is the same each time. That
// takes a nanosecond: only what was recorded to come at once comes later, by that.
//
// A request that no recording answers gets the status 404 with the text of a
// [MissError], which no SDK tries again; see [Player.Err].
type Player struct {
	cassette *Cassette
	options  ReplayOptions
	matcher  *matcher

	keys []string         // of the recordings, with Ordered
	all  map[string][]int // positions of the recordings of a request

	queue queue

	choosing sync.Mutex     // guards what decides about an answer:
	next     map[string]int // of all, how many were taken
	cursor   int            // the next one, with Ordered
	served   int
	hits     []int // of each fault

	mu      sync.Mutex // guards what is told of them:
	used    []bool
	misses  []*MissError
	unnamed int // misses beyond those kept
}

// MissHeader marks the answer to a request that no recording answers.
const MissHeader = "X-Latgate-Cassette-Miss"

// mostMisses bounds how many are kept: a load test may miss with each request.
const mostMisses = 100

// Handler returns a player of the cassette. Options that contradict themselves or the
// cassette are an error.
func (c *Cassette) Handler(o ReplayOptions) (*Player, error) {
	if err := o.Pace.validate(); err != nil {
		return nil, err
	}
	m, err := c.newMatcher(o.Matching, o.Scrub)
	if err != nil {
		return nil, err
	}
	p := &Player{
		cassette: c, options: o, matcher: m,
		all: make(map[string][]int), next: make(map[string]int), used: make([]bool, c.Len()), hits: make([]int, len(o.Faults)),
	}
	for n, one := range c.packed {
		key := m.recorded(one.request())
		p.all[key] = append(p.all[key], n)
		p.keys = append(p.keys, key)
	}
	return p, nil
}

func (p *Player) name() string {
	if p.cassette.Header.Name == "" {
		return "(unnamed)"
	}
	return providers.Inert(p.cassette.Header.Name)
}

// Err returns the misses so far, joined; nil without any. It is a [*MissError] to
// [errors.As].
func (p *Player) Err() error {
	var all []error
	for _, m := range p.Misses() {
		all = append(all, m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unnamed > 0 {
		all = append(all, fmt.Errorf("and %d misses more", p.unnamed))
	}
	return errors.Join(all...)
}

// Misses returns the misses so far, at most the first hundred.
func (p *Player) Misses() []*MissError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*MissError(nil), p.misses...)
}

// Unused returns the positions of the recordings that no request has asked for yet.
func (p *Player) Unused() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var unused []int
	for n, used := range p.used {
		if !used {
			unused = append(unused, n)
		}
	}
	return unused
}

// ServeHTTP implements [http.Handler].
func (p *Player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	q, err := requestOf(r)
	if err != nil {
		http.Error(w, "cassette: the request cannot be read: "+providers.Scrub(err.Error()), http.StatusBadRequest)
		return
	}
	keys, clean, err := p.matcher.live(q)
	if err != nil {
		http.Error(w, "cassette: "+providers.Scrub(err.Error()), http.StatusBadRequest)
		return
	}
	var answer answer
	var missed *MissError
	p.queue.do(r, keys[0], start, func() { answer, missed = p.answer(keys, clean) })
	if missed != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set(MissHeader, strconv.Itoa(ExitMiss))
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, missed.Error())
		return
	}
	s := sender{w: w, start: start, alarm: clock.NewAlarm(r.Context())}
	defer s.alarm.Stop()
	if answer.throttle != nil {
		s.refuse(*answer.throttle)
		return
	}
	s.send(&answer.interaction.Response, answer.times)
}

func requestOf(r *http.Request) (Request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, longestRequest+1))
	switch {
	case err != nil:
		return Request{}, err
	case len(body) > longestRequest:
		return Request{}, errors.New("its body is larger than 64 MiB")
	}
	return Request{
		Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body,
	}, nil
}

// An answer is what a request gets.
type answer struct {
	interaction *Interaction
	times       timeline
	throttle    *Throttle
}

// answer takes a recording for the request with the keys.
func (p *Player) answer(keys [2]string, clean Request) (answer, *MissError) {
	p.choosing.Lock()
	position, key, missed := p.take(keys)
	if position < 0 {
		p.choosing.Unlock()
		return answer{}, p.missed(missed, clean)
	}
	i := p.cassette.At(position)
	effects, throttle := p.effects(i)
	if throttle != nil {
		p.giveBack(position, key)
	}
	p.choosing.Unlock()
	if throttle != nil {
		return answer{throttle: throttle}, nil
	}
	times := p.options.Pace.apply(timelineOf(&i.Response), i)
	for _, effect := range effects {
		times = effect.apply(times, &i.Response)
	}
	return answer{interaction: i, times: times}, nil
}

// effects returns what goes wrong with the request that i answers.
func (p *Player) effects(i *Interaction) (effects []Effect, throttle *Throttle) {
	request := p.served
	p.served++
	for k, fault := range p.options.Faults {
		if fault.On != nil && !fault.On(request, i) {
			continue
		}
		if p.hits[k]++; fault.Times > 0 && p.hits[k] > fault.Times {
			continue
		}
		if t, is := fault.Effect.(Throttle); is {
			return nil, &t
		}
		effects = append(effects, fault.Effect)
	}
	return effects, nil
}

// take returns the position of the recording that answers and the key that it was
// found by; −1 and what is known of the miss where none does.
func (p *Player) take(keys [2]string) (int, string, *MissError) {
	if p.options.Ordered {
		return p.takeNext(keys)
	}
	for _, key := range keys {
		recorded, n := p.all[key], p.next[key]
		switch {
		case len(recorded) == 0:
			continue
		case n >= len(recorded) && !p.options.Repeat:
			return -1, "", &MissError{
				Exhausted: true, Recorded: len(recorded), Nearest: recorded[len(recorded)-1],
				Reason: fmt.Sprintf("it was recorded %s, and is asked once more: the code asks more often than it did; Repeat would begin anew", count(len(recorded))),
			}
		}
		p.next[key]++
		p.use(recorded[n%len(recorded)], true)
		return recorded[n%len(recorded)], key, nil
	}
	return -1, "", nil
}

// use notes that a recording was asked for, or was not after all.
func (p *Player) use(position int, used bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[position] = used
}

func count(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// takeNext returns the next recording of all.
func (p *Player) takeNext(keys [2]string) (int, string, *MissError) {
	if p.options.Repeat && p.cursor == len(p.keys) {
		p.cursor = 0
	}
	switch n := len(p.keys); {
	case n == 0:
		return -1, "", nil
	case p.cursor == n:
		return -1, "", &MissError{
			Exhausted: true, Recorded: len(p.all[keys[0]]), Nearest: n - 1,
			Reason: fmt.Sprintf("it comes after the last of %d recordings: the code asks more often than it did; Repeat would begin anew", n),
		}
	}
	if key := p.keys[p.cursor]; key != keys[0] && key != keys[1] {
		return -1, "", &MissError{Nearest: p.cursor}
	}
	p.use(p.cursor, true)
	p.cursor++
	return p.cursor - 1, "", nil
}

// giveBack undoes a take: the request did not get its answer.
func (p *Player) giveBack(position int, key string) {
	p.use(position, false)
	if p.options.Ordered {
		p.cursor--
	} else {
		p.next[key]--
	}
}

// missed completes a miss and keeps it.
func (p *Player) missed(known *MissError, clean Request) *MissError {
	p.mu.Lock()
	full := len(p.misses) >= mostMisses
	p.mu.Unlock()
	var e *MissError
	switch {
	case full && known == nil:
		e = &MissError{Nearest: -1, Reason: "one of many misses: see those before it"}
	case known == nil:
		e = p.miss(clean)
	case known.Exhausted:
		e = known
	default:
		e = p.outOfOrder(known.Nearest, clean)
	}
	e.Cassette, e.Method, e.Path = p.name(), providers.Inert(clean.Method), providers.Inert(clean.Path)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.misses) < mostMisses {
		p.misses = append(p.misses, e)
	} else {
		p.unnamed++
	}
	return e
}

// outOfOrder explains a request that is not the one expected.
func (p *Player) outOfOrder(expected int, clean Request) *MissError {
	e := &MissError{Nearest: expected}
	p.explain(e, p.matcher.differences(p.cassette.packed[expected].request(), clean))
	e.Reason = fmt.Sprintf("interaction %d is next in order, and %s", expected, e.Reason)
	return e
}
