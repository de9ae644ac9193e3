package fakes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// answer implements [dialect].
func (g *geminiReply) answer() {
	g.input = g.gemini.cache.count(g.model, g.request.prompt())
	if g.streams {
		g.stream()
	} else {
		g.replyWhole()
	}
}

// serverTime sets the header that tells when the answer began, which the Gemini API
// has and Vertex AI has not.
func (g *geminiReply) serverTime(d time.Duration) {
	if !g.vertex {
		g.w.Header().Set("Server-Timing", fmt.Sprintf("gfet4t7; dur=%d", d.Milliseconds()))
	}
}

func (g *geminiReply) stream() {
	g.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if g.sse {
		g.w.Header().Set("Content-Type", "text/event-stream")
	}
	g.serverTime(g.Head)
	g.write(g.Head, nil) // the response head
	if g.script.EmptyDelta {
		g.sendChunk(g.Head, 0, "", ordered("text", ""))
	}
	for i, content := range g.Content {
		if part, sent := g.part(content); sent {
			g.sendChunk(content.At, i+1, "", part)
		}
	}
	switch e := g.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		_, report := geminiError(exception, exception.Message(), 0)
		g.fail(report, false)
	case ThrowUnmodelled:
		_, report := geminiError(Exception(e.code()), e.Message, 0)
		g.fail(report, true)
	case Cut:
		lost := g.chunk(len(g.Content), "", ordered("text", words(0, 8)))
		g.writeCut(g.End, e.At, g.frame(lost))
	default:
		last := ordered("text", "")
		if g.count(len(g.Content), Reasoning) > 0 {
			last = ordered("text", "", "thoughtSignature", signature)
		}
		g.sendChunk(g.End, len(g.Content), g.finishReason(), last)
		g.closeArray(g.End)
	}
}

// part returns a content event as the part of a chunk, where it is sent at all.
func (g *geminiReply) part(c Content) (part json.RawMessage, sent bool) {
	switch c.Channel {
	case Reasoning:
		include := g.request.Config.Thinking.Include
		return ordered("text", c.Text, "thought", true), include == nil || *include
	case ToolInput:
		return g.functionCall(wholeToolInput), c.endsCall()
	}
	return ordered("text", c.Text), true
}

func (g *geminiReply) functionCall(args json.RawMessage) json.RawMessage {
	return ordered("functionCall", ordered("name", g.request.tool(), "args", args))
}

func (g *geminiReply) finishReason() string {
	if g.Limited {
		return "MAX_TOKENS"
	}
	return "STOP"
}

// sendChunk sends a part at its time, when so many content events have happened.
func (g *geminiReply) sendChunk(at time.Duration, contents int, finishReason string, part json.RawMessage) {
	g.write(at, g.frame(g.chunk(contents, finishReason, part)))
	g.chunks++
}

// frame returns what sends a chunk: an event, or the next element of the array.
func (g *geminiReply) frame(chunk json.RawMessage) []byte {
	switch {
	case g.sse:
		return eventWriter{newline: "\r\n"}.event("", chunk)
	case g.chunks == 0:
		return fmt.Appendf(nil, "[%s\n", chunk)
	}
	return fmt.Appendf(nil, ",\r\n%s\n", chunk)
}

func (g *geminiReply) closeArray(at time.Duration) {
	if !g.sse {
		g.write(at, []byte("]"))
	}
}

// fail ends a stream with an error: an event, or what Google appends when the
// stream itself fails.
func (g *geminiReply) fail(report json.RawMessage, event bool) {
	if event || !g.sse {
		g.write(g.End, g.frame(report))
		g.closeArray(g.End)
		return
	}
	var bare bytes.Buffer
	must(json.Indent(&bare, report, "", "  ") == nil, "no JSON: %s", report)
	bare.WriteByte('\n')
	g.write(g.End, bare.Bytes())
}

// chunk returns the JSON of a chunk, and of a whole reply.
func (g *geminiReply) chunk(contents int, finishReason string, parts ...json.RawMessage) json.RawMessage {
	candidate := []any{"content", ordered("parts", parts, "role", "model")}
	if finishReason != "" {
		candidate = append(candidate, "finishReason", finishReason)
	}
	if !g.vertex {
		candidate = append(candidate, "index", 0)
	}
	members := []any{"candidates", []json.RawMessage{ordered(candidate...)}}
	if usage := g.usage(contents, finishReason != ""); len(usage) > 0 {
		members = append(members, "usageMetadata", ordered(usage...))
	}
	return ordered(append(members, "modelVersion", g.model, "responseId", g.id)...)
}

// usage returns the members of the usage record after so many content events. What
// is 0 is left out.
func (g *geminiReply) usage(contents int, last bool) []any {
	var members []any
	if g.vertex {
		members = append(members, "trafficType", "ON_DEMAND")
	}
	if has[NoUsage](g.Schedule) || g.vertex && !last {
		return members
	}
	thoughts := g.count(contents, Reasoning)
	candidates := g.count(contents, Text) + g.count(contents, ToolInput)
	prompt := g.input.fresh + g.input.cacheRead + g.input.cacheWrite
	members = append(members, "promptTokenCount", prompt)
	for _, count := range []struct {
		name string
		n    int
	}{
		{"candidatesTokenCount", candidates},
		{"thoughtsTokenCount", thoughts},
		{"cachedContentTokenCount", g.input.cacheRead},
	} {
		if count.n > 0 {
			members = append(members, count.name, count.n)
		}
	}
	members = append(members, "totalTokenCount", prompt+candidates+thoughts)
	return append(members, "promptTokensDetails", []json.RawMessage{ordered("modality", "TEXT", "tokenCount", prompt)})
}

// count returns the tokens of a channel in the first content events.
func (g *geminiReply) count(contents int, channel Channel) int {
	tokens := 0
	for _, c := range g.Content[:contents] {
		if c.Channel == channel {
			tokens += c.Tokens
		}
	}
	return tokens
}

// replyWhole answers in one piece.
func (g *geminiReply) replyWhole() {
	if !g.wait(g.End) {
		return
	}
	switch e := g.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		g.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		g.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	g.serverTime(g.End)
	var parts []json.RawMessage
	for _, w := range g.wholes() {
		part, sent := g.part(Content{Channel: w.Channel, Text: w.Text})
		if w.Channel == ToolInput {
			part, sent = g.functionCall(wholeToolInput), json.Valid([]byte(w.Text))
		}
		if sent {
			parts = append(parts, part)
		}
	}
	if parts == nil {
		parts = []json.RawMessage{ordered("text", "")}
	}
	var fields object
	must(json.Unmarshal(g.chunk(len(g.Content), g.finishReason(), parts...), &fields) == nil, "no JSON object")
	g.writeWhole(fields)
}
