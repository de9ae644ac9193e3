package fakes

import (
	"math"
	"slices"
	"time"
)

// Never is the time of what does not happen.
const Never time.Duration = math.MaxInt64

// A Schedule is what a fake does with one attempt of one request. All times run
// from the moment at which the request was fully received. In virtual time a
// fake keeps them to the nanosecond. In real time it is late by what the machine
// needs; each event is timed from the start, so that delays never add up.
type Schedule struct {
	Request, Attempt int

	// Head is when the response head is sent, with the events that carry no
	// content yet: [Never] if no response comes.
	Head time.Duration

	// Content are the content events in order. An attempt that is refused, or
	// answered without content, has none.
	Content []Content

	// End is when the events that end the answer are sent, or what breaks it off
	// instead. A reply that does not stream is sent whole at End.
	End time.Duration

	// Limited says that the request's own maximum of tokens cut the answer short.
	Limited bool

	// Effects are those of the faults that hit this attempt, in the script's
	// order. What they do to the times above is already done.
	Effects []Effect

	ending Effect // the one that ends the attempt, if any
}

// A Channel is the kind of output that a content event carries.
type Channel string

// The channels of an answer, in the order in which they come.
const (
	Reasoning Channel = "reasoning"
	Text      Channel = "text"
	ToolInput Channel = "tool input"
)

// Content is one content event.
type Content struct {
	At      time.Duration // when it is sent
	Channel Channel
	Call    int // the tool call it belongs to, from 0
	Tokens  int
	Text    string // for a tool call, a piece of its arguments in JSON
}

// TTFT returns the time of the first content event, and whether there is one.
func (s Schedule) TTFT() (time.Duration, bool) {
	if len(s.Content) == 0 {
		return 0, false
	}
	return s.Content[0].At, true
}

// Tokens returns the number of tokens in all content events.
func (s Schedule) Tokens() int {
	tokens := 0
	for _, c := range s.Content {
		tokens += c.Tokens
	}
	return tokens
}

// Limit returns the schedule of the same attempt for a request that allows at
// most maxTokens tokens. What ends the answer then comes when its next content
// event would have come.
func (s Schedule) Limit(maxTokens int) Schedule {
	left, sent := maxTokens, 0
	for sent < len(s.Content) && left >= s.Content[sent].Tokens {
		left -= s.Content[sent].Tokens
		sent++
	}
	if sent == len(s.Content) {
		return s
	}
	s.Limited = true
	content := slices.Clone(s.Content[:sent])
	if left > 0 {
		content = append(content, s.Content[sent].cut(left))
	}
	if len(content) < len(s.Content) {
		s.End = s.Content[len(content)].At
	}
	s.Content = content
	return s
}

// Schedule returns what a fake with this script does with an attempt (from 0) of
// a request. The fake itself takes it from here. Where the request sets a
// maximum of tokens, [Schedule.Limit] applies it.
func (s Script) Schedule(request, attempt int) Schedule {
	random := s.random(drawTimes, request, attempt)
	session := s.sessionFactor()
	wait := func(d Dist) time.Duration {
		u := uniform01(random) // drawn for a nil d as well, so that the next draw stays the same
		if d == nil {
			return 0
		}
		return duration(d.quantile(u) * session)
	}

	ttft, head := wait(s.TTFT), wait(s.Head)
	schedule := Schedule{Request: request, Attempt: attempt, Head: ttft, Content: s.answer(), End: ttft}
	if s.Head != nil {
		schedule.Head = min(head, ttft)
	}
	for i := range schedule.Content {
		schedule.Content[i].At = schedule.End
		schedule.End += wait(s.Gap)
	}
	for i, fault := range s.Faults {
		luck := uniform01(s.random(drawFault+draw(i), request, attempt))
		if fault.hits(request, attempt, luck) {
			schedule.suffer(fault.Effect)
		}
	}
	return schedule
}

// suffer applies an effect, unless an earlier one has already ended the attempt.
func (s *Schedule) suffer(e Effect) {
	if s.ending != nil {
		return
	}
	s.Effects = append(s.Effects, e)
	if e.apply(s) {
		s.ending = e
	}
}

// has says whether an effect of type E hit the attempt.
func has[E Effect](s Schedule) bool {
	return slices.ContainsFunc(s.Effects, func(e Effect) bool { _, is := e.(E); return is })
}
