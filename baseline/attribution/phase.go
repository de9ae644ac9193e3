package attribution

import (
	"slices"

	"github.com/latgate/latgate/latencytest"
)

// A Phase is a part of a request's time, or a reason why there is more of it.
type Phase string

// The phases, in the order in which a request goes through them.
const (
	ScheduleLag  Phase = "schedule_lag"  // the load generator was late
	AppBefore    Phase = "app_before"    // the application, before its first call
	Retries      Phase = "retries"       // failed attempts, and the waits before they were repeated
	EarlierCalls Phase = "earlier_calls" // calls before the one that answered, and what the code did between them
	Connection   Phase = "connection"    // from the call until a connection was to be had
	Sending      Phase = "sending"       // the request on its way out
	FirstByte    Phase = "first_byte"    // from the request sent to the first byte of the response
	FirstToken   Phase = "first_token"   // from the first byte to the first content
	CacheMisses  Phase = "cache_misses"  // the part of those two that input tokens cost which were no longer cached
	InputTokens  Phase = "input_tokens"  // the part of them that a longer input costs
	Reasoning    Phase = "reasoning"     // from the first content to the first that a user sees
	OutputTokens Phase = "output_tokens" // the stream, as far as its length changed
	DecodeSpeed  Phase = "decode_speed"  // the stream, as far as its time per token changed
	Stalls       Phase = "stalls"        // the longest gap of a stream, as far as it is longer than the others
	HeldBack     Phase = "held_back"     // the first token, in the application's hands
	StreamEnd    Phase = "stream_end"    // from the last content to the end of the stream
	TimeLimit    Phase = "time_limit"    // what requests waited in vain until they hit their time limit
	Coincidence  Phase = "coincidence"   // phases as long as before, but slow in the same requests
)

var names = map[Phase]string{
	ScheduleLag:  "lag of the load generator",
	AppBefore:    "the application before its first call",
	Retries:      "retries",
	EarlierCalls: "calls before the answer",
	Connection:   "connection set-up",
	Sending:      "sending the request",
	FirstByte:    "wait for the first byte",
	FirstToken:   "first byte to first token",
	CacheMisses:  "prompt-cache misses",
	InputTokens:  "input tokens",
	Reasoning:    "reasoning before the visible answer",
	OutputTokens: "output tokens (length of the answer)",
	DecodeSpeed:  "decode speed (time per token)",
	Stalls:       "stalls",
	HeldBack:     "the application holding the answer back",
	StreamEnd:    "last token to end of stream",
	TimeLimit:    "requests that hung until their time limit",
	Coincidence:  "slow phases coinciding",
}

// String returns the phase's name for people.
func (p Phase) String() string {
	if name, ok := names[p]; ok {
		return name
	}
	return string(p)
}

// The parts that metrics have in common.
var (
	begin  = []Phase{Retries, EarlierCalls, Connection, Sending, FirstByte, FirstToken, CacheMisses, InputTokens, TimeLimit}
	stream = []Phase{OutputTokens, DecodeSpeed, Stalls}
)

// partsOf returns the phases whose times add up to a metric, nil for one that is
// not made of phases.
func partsOf(m latencytest.Metric) []Phase {
	switch m {
	case latencytest.TTFT:
		return begin
	case latencytest.TTFTVisible:
		return slices.Concat(begin, []Phase{Reasoning})
	case latencytest.OperationTTFT:
		return slices.Concat([]Phase{AppBefore}, begin, []Phase{Reasoning, HeldBack})
	case latencytest.TTFTSched:
		return slices.Concat([]Phase{ScheduleLag}, begin)
	case latencytest.TTLT:
		return slices.Concat(begin, stream)
	case latencytest.E2ESched:
		return slices.Concat([]Phase{ScheduleLag}, begin, stream)
	case latencytest.StreamEnd:
		return slices.Concat(begin, stream, []Phase{StreamEnd})
	case latencytest.TTFB:
		return []Phase{FirstByte, CacheMisses, InputTokens}
	case latencytest.OTPS, latencytest.TPOT, latencytest.ITL:
		return []Phase{DecodeSpeed, Stalls}
	case latencytest.ICLP50, latencytest.ICLP90, latencytest.ICLP99:
		return []Phase{DecodeSpeed}
	case latencytest.Stall:
		return []Phase{Stalls}
	case latencytest.ScheduleLag:
		return []Phase{ScheduleLag}
	}
	return nil
}
