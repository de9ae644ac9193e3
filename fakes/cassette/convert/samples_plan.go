package convert

import (
	"math"
	"slices"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

const (
	// mostTokens bounds an answer that is made up, and its events.
	mostTokens = 1 << 18

	// mostInput bounds a prompt, in tokens.
	mostInput = 1 << 22

	// toolPieces are the content events of one call of a tool.
	toolPieces = 3
)

// A plan is what a fake is to answer for a sample.
type plan struct {
	script      fakes.Script
	input       int  // tokens
	tokensKnown bool // of the output
	events      int  // of content that are wanted, at most those of the script
	toolsAlone  bool // nothing else is wanted
}

// planOf plans the answer to a sample. It returns false where that is too long.
func planOf(s *latencytest.Sample, script fakes.Script, p *protocol, whole bool) (plan, bool) {
	output, known := s.Usage.Output.Get()
	input, _ := s.Usage.Input.Get()
	if max(output, int64(s.ContentEvents)) > mostTokens || input > mostInput {
		return plan{}, false
	}
	a := plan{script: script, input: max(int(input), 1), tokensKnown: known, events: max(s.ContentEvents, 1)}
	tokens := int(output)
	if !known {
		a.script.Faults = append(slices.Clip(script.Faults), fakes.Fault{Effect: fakes.NoUsage{}})
		tokens = script.OutputTokens
	}
	if tokens <= 0 {
		tokens = a.events
	}
	switch {
	case s.FirstChannel == providers.Tool:
		a.callTools(s, p, tokens)
	case whole:
		a.inOnePiece(s, tokens)
	default:
		a.stream(s, tokens)
	}
	return a, true
}

// callTools plans an answer that calls tools, and says nothing before: what the fake says
// there is left out.
func (a *plan) callTools(s *latencytest.Sample, p *protocol, tokens int) {
	calls := max(a.script.ToolCalls, 1)
	if p.wholeCalls {
		calls = max(calls, min(s.ContentEvents, tokens/toolPieces))
		if s.First != s.Last {
			calls = max(calls, 2)
		}
	}
	a.toolsAlone = true
	a.events = calls * toolPieces
	a.script.ToolCalls = calls
	a.script.OutputTokens = max(tokens, a.events)
	a.script.TokensPerChunk = a.script.OutputTokens / a.events
}

// inOnePiece plans a reply that does not stream: how many pieces it is made of does not
// show.
func (a *plan) inOnePiece(s *latencytest.Sample, tokens int) {
	const enough = 64
	if s.FirstChannel == providers.Reasoning {
		tokens = max(tokens, 2)
		a.script.Reasoning = 1
	}
	a.script.OutputTokens = tokens
	a.script.TokensPerChunk = max(1, tokens/(enough+a.script.ToolCalls*toolPieces))
	if a.script.Reasoning > 0 && !s.FirstVisible.Known() {
		a.script.Reasoning = a.pieces()
	}
}

// stream plans a reply that streams. The fake sends as many events as are wanted, or
// more, of which some are left out: no size of them divides all numbers of tokens.
func (a *plan) stream(s *latencytest.Sample, tokens int) {
	reasons := s.FirstChannel == providers.Reasoning
	least := 1
	switch {
	case a.script.ToolCalls > 0:
		least = 2 + a.script.ToolCalls*toolPieces
	case reasons && s.FirstVisible.Known(), s.First != s.Last:
		least = 2
	}
	tokens = max(tokens, least)
	a.events = min(max(a.events, least), tokens)
	a.script.OutputTokens = tokens
	a.script.TokensPerChunk = tokens / a.events
	switch {
	case reasons && s.FirstVisible.Known():
		a.script.Reasoning = a.reasoning(s)
	case reasons:
		a.script.Reasoning = a.pieces() - a.script.ToolCalls*toolPieces
	}
}

// pieces returns how many content events the script has.
func (a *plan) pieces() int {
	return (a.script.OutputTokens + a.script.TokensPerChunk - 1) / a.script.TokensPerChunk
}

// reasoning returns how many events reason, by the share of the time that passed before
// the first visible one.
func (a *plan) reasoning(s *latencytest.Sample) int {
	visible, _ := s.FirstVisible.Get()
	first, _ := s.First.Get()
	last, _ := s.Last.Get()
	n := 1
	if last > first {
		n = int(math.Round(float64(visible-first) / float64(last-first) * float64(a.events-1)))
	}
	most := a.events - 1 - a.script.ToolCalls*toolPieces
	if visible < last && a.script.ToolCalls == 0 {
		most-- // the first visible event is not the last one
	}
	return max(1, min(n, most))
}
