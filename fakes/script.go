package fakes

import (
	"math"
	"math/rand/v2"
)

// A Script says what a fake endpoint does: how long it waits, what it answers
// and what goes wrong. Each field's zero value is documented; the zero Script
// answers 32 tokens of text at once.
//
// Everything random about an attempt follows from Seed, the number of its
// request and the number of the attempt. The request number is the value of
// the header [wire.SampleHeader], which a [Network] sends for the samples of a
// measurement; without it, requests are numbered from 0 as they arrive. An
// attempt's number is how often the handler has seen that request number
// before, so the first attempt is number 0.
//
// Draws of a kind come from a stream of their own: another Gap, a Fault more or
// Padding never changes the TTFT of a request.
type Script struct {
	// Seed of all that is random.
	Seed uint64

	// TTFT is the time from a request fully received to its first content event.
	TTFT Dist

	// Head is the time from a request fully received to the response head and
	// the events that carry no content yet, at most the TTFT. Nil sends them
	// together with the first content event.
	Head Dist

	// Gap is the time from one content event to the next, and from the last one
	// to the events that end the answer.
	Gap Dist

	// OutputTokens is the length of the whole answer: reasoning, text and tool
	// calls. It is raised where Reasoning and ToolCalls need more, and capped by
	// the request's own maximum, which the stop reason then tells. Zero means 32.
	OutputTokens int

	// TokensPerChunk is how many tokens a content event carries; the last event
	// may carry fewer. Zero means 1.
	TokensPerChunk int

	// Reasoning is the number of content events that reason before the text.
	Reasoning int

	// ToolCalls is the number of tool-use blocks after the text. The arguments
	// of each come in three content events; the name of the tool comes at the
	// time of the first.
	ToolCalls int

	// EmptyDelta begins the answer with a block whose text is empty, as gpt-oss
	// models do. It is sent with the head: it is not content.
	EmptyDelta bool

	// Padding adds the member "p" of random length that hides how long the text
	// of an event is.
	Padding bool

	// Session is the standard deviation of the logarithm of one factor, drawn
	// once from the seed, on all times of the script: the weather of a whole run,
	// which no number of requests averages out. Zero means a factor of 1.
	Session float64

	// Faults are what goes wrong, in the order in which they take effect.
	Faults []Fault
}

// check panics where no endpoint could follow s.
func (s Script) check() {
	must(min(s.OutputTokens, s.TokensPerChunk, s.Reasoning, s.ToolCalls) >= 0, "a Script has a negative number of tokens, events or calls: %+v", s)
	must(s.Session >= 0, "Script.Session is %v: a standard deviation cannot be negative", s.Session)
	for i, f := range s.Faults {
		must(f.Effect != nil, "Script.Faults[%d] has no Effect", i)
	}
}

// A draw is a use of randomness. Each has its own stream, so that one never
// disturbs another.
type draw uint64

const (
	drawTimes draw = iota
	drawSession
	drawPadding
	drawNames // request and tool-use ids
	drawFault // and those after it: one for each fault of the script
)

func (s Script) random(kind draw, request, attempt int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(request)<<32|uint64(attempt&0xffff)<<16|uint64(kind)))
}

// uniform01 draws from the open interval (0, 1): at neither end is a quantile finite
// for every distribution.
func uniform01(r *rand.Rand) float64 {
	return (float64(r.Uint64()>>12) + 0.5) / (1 << 52)
}

func (s Script) sessionFactor() float64 {
	return math.Exp(s.Session * normal(uniform01(s.random(drawSession, 0, 0))))
}

func (s Script) tokensPerChunk() int {
	if s.TokensPerChunk == 0 {
		return 1
	}
	return s.TokensPerChunk
}

func (s Script) outputTokens() int {
	tokens := s.OutputTokens
	if tokens == 0 {
		tokens = 32
	}
	return max(tokens, (s.Reasoning+s.ToolCalls*len(toolInput))*s.tokensPerChunk())
}
