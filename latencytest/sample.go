package latencytest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A Sample is one measured operation: one request of a [providers.Target], or
// one call of the function given to [RunFunc]. Instants count from the t_call of
// its first attempt, in nanoseconds of the monotonic clock, and are absent where
// a moment never came. It holds no text of the model's or the user's.
type Sample struct {
	Number   int       `json:"number"` // over the whole run, warm-up included, from 0
	Warmup   bool      `json:"warmup,omitzero"`
	Repeated int       `json:"repeated,omitzero"` // which of [Plan.Repetitions], from 0
	Scenario string    `json:"scenario"`
	Prompt   string    `json:"prompt"`        // the prompt's ID
	Time     time.Time `json:"time,omitzero"` // UTC wall clock at t_call

	// Lag is t_call − t_sched, how late the request was in an open load. There is
	// none in a closed load, where a request is due when it is made.
	Lag wire.Instant `json:"schedule_lag,omitzero"`

	Class providers.Class `json:"class"`
	Code  string          `json:"code,omitzero"`  // the provider's name of the error
	Error string          `json:"error,omitzero"` // scrubbed, see [providers.Scrub]

	wire.Phases
	Body         wire.Instant `json:"body,omitzero"`          // t_body
	FirstEvent   wire.Instant `json:"first_event,omitzero"`   // t_first_event
	First        wire.Instant `json:"first,omitzero"`         // t_first
	FirstVisible wire.Instant `json:"first_visible,omitzero"` // t_first_visible
	Last         wire.Instant `json:"last,omitzero"`          // t_last
	End          wire.Instant `json:"end,omitzero"`           // t_end
	Limit        wire.Instant `json:"limit,omitzero"`         // the time limit, where it was hit

	Gaps           Gaps                 `json:"gaps,omitzero"`
	ContentEvents  int                  `json:"content_events,omitzero"`
	Coalesced      int                  `json:"coalesced,omitzero"` // content events that shared a read with an earlier one
	Buffered       bool                 `json:"buffered,omitzero"`  // see [providers.Response]
	Reads          int                  `json:"reads,omitzero"`
	FirstChannel   providers.Channel    `json:"first_channel,omitzero"`
	Disclosure     providers.Disclosure `json:"disclosure,omitzero"`
	ReasoningBytes int                  `json:"reasoning_bytes,omitzero"`

	Usage         providers.Usage        `json:"usage,omitzero"`
	FirstTokens   providers.Count        `json:"first_tokens,omitzero"`
	ServerLatency wire.Instant           `json:"server_latency,omitzero"`
	ServerTimes   []providers.ServerTime `json:"server_times,omitzero"`
	Cost          *float64               `json:"cost,omitempty"` // dollars, see [Prices.Cost]; nil is not known
	RequestBytes  int64                  `json:"request_bytes,omitzero"`
	ResponseBytes int64                  `json:"response_bytes,omitzero"`

	Provider  string `json:"provider,omitzero"`
	API       string `json:"api,omitzero"`
	Model     string `json:"model,omitzero"`
	Host      string `json:"host,omitzero"`
	RequestID string `json:"request_id,omitzero"`
	Proto     string `json:"proto,omitzero"`
	Stop      string `json:"stop,omitzero"`
	Served    string `json:"served,omitzero"` // the performance configuration that really served it

	Calls      int          `json:"calls,omitzero"`     // HTTP attempts
	Retries    int          `json:"retries,omitzero"`   // of these, repetitions of one that failed
	Throttles  int          `json:"throttles,omitzero"` // attempts that were throttled, whatever came of them
	Overloads  int          `json:"overloads,omitzero"` // attempts refused because the server was at its limit
	RetryAfter wire.Instant `json:"retry_after,omitzero"`

	// Start is the t_call of the call that the phases, the content and the tokens
	// belong to, the last model call. It is absent where there was one attempt alone.
	Start wire.Instant `json:"start,omitzero"`

	// Retrying is how much of the time before Start went into retries: from each
	// failed attempt's t_call to that of the one that repeated it.
	Retrying wire.Instant `json:"retrying,omitzero"`

	// Operation is what the function given to RunFunc took; nil for a target.
	Operation *Operation `json:"operation,omitempty"`

	// Extra are values of the user's own, by name; see [Plan.OnSample] and [Custom].
	Extra map[string]float64 `json:"extra,omitempty"`
}

// Gaps summarises the times between content events that came in different
// reads; there are none with fewer than two such reads. In a protocol that nobody
// recognized, where no event is known to be content, they are those between reads.
type Gaps struct {
	N         int          `json:"n,omitzero"`
	P50       wire.Instant `json:"p50,omitzero"`
	P90       wire.Instant `json:"p90,omitzero"`
	P99       wire.Instant `json:"p99,omitzero"`
	Longest   wire.Instant `json:"longest,omitzero"`
	ZeroShare float64      `json:"zero_share,omitzero"`
}

// OK reports whether the sample may enter a latency distribution.
func (s *Sample) OK() bool { return s.Class == providers.OK && !s.Warmup }

// observe fills a sample from the exchanges of its operation. The last of its model
// calls is what the user waited for; those before it are retries or the operation's
// earlier calls. It returns them all.
func (s *Sample) observe(exchanges []*wire.Exchange, d decoder, opErr error) []call {
	s.Calls = len(exchanges)
	if len(exchanges) == 0 {
		s.Class, s.Error = providers.ClassOfError(opErr), "no request went through the measured client"
		if opErr != nil {
			s.Error = errorText(opErr)
		}
		return nil
	}
	calls := modelCalls(exchanges, d)
	retrying := time.Duration(0)
	for i, c := range calls {
		if again := c.repeats(calls[:i]); again >= 0 {
			s.Retries++
			retrying += c.exchange.Call.Sub(calls[again].exchange.Call)
		}
		if c.reply.Class == providers.Throttled {
			s.Throttles++
		}
		if c.reply.Overloaded {
			s.Overloads++
		}
	}
	x, r := calls[len(calls)-1].exchange, calls[len(calls)-1].reply
	s.Time = exchanges[0].Call.UTC()
	late := x.Call.Sub(exchanges[0].Call)
	if len(exchanges) > 1 {
		s.Start = wire.At(late)
	}
	if retrying > 0 {
		s.Retrying = wire.At(min(retrying, late)) // calls side by side may be retried at the same time
	}
	s.exchange(x, late)
	s.response(r, late)
	if r.Provider == providers.Unknown {
		s.Gaps, _ = gaps(reads(x))
	}
	for _, c := range calls { // whichever of them it was, the operation was another one
		if c.exchange.Header.Get(cassette.MissHeader) != "" {
			s.Class, s.Error = providers.NotRecorded, providers.Scrub(string(c.exchange.Body))
		}
	}
	if s.Class == providers.OK && opErr != nil {
		s.Class, s.Error = providers.Parse, "the reply was whole, the operation failed: "+errorText(opErr)
	}
	if s.Error == "" && x.Err != nil {
		s.Error = providers.Scrub(x.Err.Error())
	}
	return calls
}

// errorText makes an operation's error fit to be stored. What SDKs wrap around a
// refusal of ours would leave no room for what it says.
func errorText(err error) string {
	if stray, ok := errors.AsType[strayError](err); ok {
		err = stray
	}
	return providers.Scrub(err.Error())
}

// short makes what a reply says of itself fit to be stored: a server may send
// anything as a name.
func short(name string) string {
	name = providers.Inert(name)
	return strings.ToValidUTF8(name[:min(len(name), 200)], "")
}

func (s *Sample) exchange(x *wire.Exchange, late time.Duration) {
	s.Phases = x.Phases
	for _, i := range []*wire.Instant{
		&s.GotConn, &s.DNSStart, &s.DNSDone, &s.ConnectStart, &s.ConnectDone,
		&s.TLSStart, &s.TLSDone, &s.Wrote, &s.Header,
	} {
		*i = i.Add(late)
	}
	s.Body = x.BodyStart().Add(late)
	s.Reads = len(x.Marks)
	s.RequestBytes, s.ResponseBytes = x.RequestBytes, int64(len(x.Body))
	s.Host, s.Proto = x.Host, x.Proto
}

func (s *Sample) response(r *providers.Response, late time.Duration) {
	s.Class, s.Code, s.Error = r.Class, providers.Scrub(r.Code), providers.Scrub(r.Detail)
	s.Provider, s.API, s.Model = r.Provider, r.API, short(r.Model)
	s.RequestID, s.Stop, s.Served = short(r.RequestID), short(r.Stop), short(r.Served)
	s.FirstEvent = r.FirstFrame.Add(late)
	s.First, s.FirstVisible, s.Last = r.First().Add(late), r.FirstVisible().Add(late), r.Last().Add(late)
	s.End = r.End.Add(late)
	s.Usage, s.FirstTokens = r.Usage, r.FirstCount
	s.ServerLatency, s.ServerTimes = r.ServerLatency, r.ServerTimes
	s.RetryAfter = r.RetryAfter
	s.Disclosure, s.ReasoningBytes = r.Disclosure, r.Reasoning
	s.ContentEvents = frames(r.Events)
	if len(r.Events) > 0 {
		s.FirstChannel = r.Events[0].Channel
	}
	s.Gaps, s.Coalesced = gaps(r.Events)
	s.Buffered = r.Buffered
}

// reads returns the reads of a body as if each had brought content.
func reads(x *wire.Exchange) []providers.Event {
	events := make([]providers.Event, len(x.Marks))
	for i, mark := range x.Marks {
		events[i] = providers.Event{At: mark.At, Read: i, Frame: i}
	}
	return events
}

// gaps returns the summary of the gaps between reads that brought content, and
// how many content events came in a read that had brought one already. The
// channels of one frame are one event.
func gaps(events []providers.Event) (Gaps, int) {
	var between []float64
	coalesced, zero := 0, 0
	for i := 1; i < len(events); i++ {
		if events[i].Read == events[i-1].Read {
			if events[i].Frame != events[i-1].Frame {
				coalesced++
			}
			continue
		}
		gap := events[i].At - events[i-1].At
		if gap == 0 {
			zero++
		}
		between = append(between, float64(gap))
	}
	if len(between) == 0 {
		return Gaps{}, coalesced
	}
	slices.Sort(between)
	at := func(p float64) wire.Instant { return wire.At(time.Duration(math.Round(type7(between, p)))) }
	return Gaps{
		N: len(between), P50: at(.5), P90: at(.9), P99: at(.99),
		Longest:   at(1),
		ZeroShare: float64(zero) / float64(len(between)),
	}, coalesced
}

// frames returns how many frames hold the events.
func frames(events []providers.Event) int {
	n := 0
	for i := range events {
		if i == 0 || events[i].Frame != events[i-1].Frame {
			n++
		}
	}
	return n
}
