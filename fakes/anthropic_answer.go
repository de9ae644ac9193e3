package fakes

import (
	"encoding/json"
	"strings"
	"time"
)

// answer implements [dialect].
func (m *anthropicMessage) answer() {
	m.input = m.fake.cache.count(m.request.Model, m.request.prompt())
	m.limits()
	if m.request.Stream {
		m.serviceTime(m.Head)
		m.stream()
	} else {
		m.replyWhole()
	}
}

// stream answers with events. The start of the first block and a ping precede its
// first content, a tool's name comes with it.
func (m *anthropicMessage) stream() {
	m.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	m.w.Header().Set("Cache-Control", "no-cache")
	m.sendEvent(m.Head, "message_start", "message", m.opening())
	if m.script.EmptyDelta {
		m.startBlock(m.Head, Text)
		m.delta(m.Head, "text_delta", "text", "")
		m.stopBlock(m.Head, Text)
	}
	_, cut := m.ending.(Cut)
	switch {
	case len(m.Content) > 0 && m.Content[0].Channel != ToolInput:
		m.startBlock(m.Head, m.Content[0].Channel)
	case len(m.Content) == 0 && cut:
		m.startBlock(m.Head, Text)
	}
	for i, content := range m.Content {
		if i > 0 && m.startsBlock(i) {
			m.stopBlock(content.At, m.Content[i-1].Channel)
		}
		if m.startsBlock(i) && (i > 0 || content.Channel == ToolInput) {
			m.startBlock(content.At, content.Channel)
		}
		m.content(content)
	}
	switch e := m.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		_, name, message := anthropicError(exception, exception.Message())
		m.fail(name, message)
	case ThrowUnmodelled:
		m.fail(e.code(), e.Message)
	case Cut:
		lost := ordered("type", "text_delta", "text", words(0, 8))
		m.writeCut(m.End, e.At, m.encode("content_block_delta", "index", m.index, "delta", lost))
	default:
		if n := len(m.Content); n > 0 {
			m.stopBlock(m.End, m.Content[n-1].Channel)
		}
		m.end()
	}
}

// sendEvent sends an event at its time: its type first, then the other members.
func (m *anthropicMessage) sendEvent(at time.Duration, name string, members ...any) {
	m.write(at, m.encode(name, members...))
}

func (m *anthropicMessage) encode(name string, members ...any) []byte {
	data := string(ordered(append([]any{"type", name}, members...)...))
	if p, padded := m.pad(); padded {
		data = strings.TrimSuffix(data, "}") + strings.Repeat(" ", len(p)%16) + "}"
	}
	return m.eventWriter.event(name, data)
}

func (m *anthropicMessage) delta(at time.Duration, kind, member, value string) {
	m.sendEvent(at, "content_block_delta", "index", m.index, "delta", ordered("type", kind, member, value))
}

func (m *anthropicMessage) content(c Content) {
	switch c.Channel {
	case Reasoning:
		m.delta(c.At, "thinking_delta", "thinking", c.Text)
	case ToolInput:
		m.delta(c.At, "input_json_delta", "partial_json", c.Text)
	default:
		m.delta(c.At, "text_delta", "text", c.Text)
	}
}

// startBlock sends the start of a block of the channel and what always follows it.
func (m *anthropicMessage) startBlock(at time.Duration, channel Channel) {
	var block json.RawMessage
	switch channel {
	case Reasoning:
		block = ordered("type", "thinking", "thinking", "", "signature", "")
	case ToolInput:
		block = m.toolUse(json.RawMessage("{}"))
	default:
		block = ordered("type", "text", "text", "")
	}
	m.sendEvent(at, "content_block_start", "index", m.index, "content_block", block)
	if !m.pinged {
		m.pinged = true
		m.send(at, "ping", `{"type": "ping"}`)
	}
	if channel == ToolInput {
		m.delta(at, "input_json_delta", "partial_json", "")
	}
}

func (m *anthropicMessage) stopBlock(at time.Duration, channel Channel) {
	if channel == Reasoning {
		m.delta(at, "signature_delta", "signature", signature)
	}
	m.sendEvent(at, "content_block_stop", "index", m.index)
	m.index++
}

func (m *anthropicMessage) toolUse(input json.RawMessage) json.RawMessage {
	return ordered("type", "tool_use", "id", m.id("toolu_01"), "name", m.request.tool(), "input", input)
}

// end sends the events that end an answer.
func (m *anthropicMessage) end() {
	stop := ordered("stop_reason", m.stopReason(), "stop_sequence", nil)
	if has[NoUsage](m.Schedule) {
		m.sendEvent(m.End, "message_delta", "delta", stop)
	} else {
		m.sendEvent(m.End, "message_delta", "delta", stop, "usage", ordered(m.total()...))
	}
	m.sendEvent(m.End, "message_stop")
}

// fail sends the event that an error in a stream is.
func (m *anthropicMessage) fail(name, message string) {
	m.send(m.End, "error", anthropicErrorJSON(m.w.Header().Get("Request-Id"), name, message))
}

// opening is the message as it stands when nothing of it has been generated but the
// first token, which is what its usage says.
func (m *anthropicMessage) opening() json.RawMessage {
	members := []any{
		"model", m.request.Model, "id", m.id("msg_01"), "type", "message", "role", "assistant",
		"content",
		[]any{},
		"stop_reason", nil, "stop_sequence", nil,
	}
	if !has[NoUsage](m.Schedule) {
		members = append(members, "usage", ordered(append(m.usage(1), "service_tier", "standard")...))
	}
	return ordered(members...)
}

// usage returns the members of a usage record with so many output tokens so far.
func (m *anthropicMessage) usage(output int) []any {
	in := m.input
	short, long := in.cacheWrite, 0
	if m.request.caches("1h") {
		short, long = 0, in.cacheWrite
	}
	return []any{
		"input_tokens", in.fresh,
		"cache_creation_input_tokens", in.cacheWrite,
		"cache_read_input_tokens", in.cacheRead,
		"cache_creation", ordered("ephemeral_5m_input_tokens", short, "ephemeral_1h_input_tokens", long),
		"output_tokens", output,
	}
}

// total returns the members of the usage record of the whole answer. What was
// thought is told where something was.
func (m *anthropicMessage) total() []any {
	members := m.usage(m.Tokens())
	thinking := 0
	for _, c := range m.Content {
		if c.Channel == Reasoning {
			thinking += c.Tokens
		}
	}
	if thinking > 0 {
		members = append(members, "output_tokens_details", ordered("thinking_tokens", thinking))
	}
	return members
}

func (m *anthropicMessage) stopReason() string {
	n := len(m.Content)
	switch {
	case m.Limited:
		return "max_tokens"
	case n > 0 && m.Content[n-1].Channel == ToolInput:
		return "tool_use"
	}
	return "end_turn"
}

// replyWhole answers in one piece.
func (m *anthropicMessage) replyWhole() {
	if !m.wait(m.End) {
		return
	}
	switch e := m.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		m.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		m.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	m.serviceTime(m.End)
	fields := object{
		"model": m.request.Model, "id": m.id("msg_01"), "type": "message", "role": "assistant",
		"content": m.blocks(), "stop_reason": m.stopReason(), "stop_sequence": nil,
	}
	if !has[NoUsage](m.Schedule) {
		fields["usage"] = ordered(append(m.total(), "service_tier", "standard")...)
	}
	m.writeWhole(fields)
}

// blocks returns the content of a reply in one piece.
func (m *anthropicMessage) blocks() []json.RawMessage {
	blocks := []json.RawMessage{}
	if m.script.EmptyDelta {
		blocks = append(blocks, ordered("type", "text", "text", ""))
	}
	for _, w := range m.wholes() {
		switch w.Channel {
		case Reasoning:
			blocks = append(blocks, ordered("type", "thinking", "thinking", w.Text, "signature", signature))
		case ToolInput:
			blocks = append(blocks, m.toolUse(w.arguments()))
		default:
			blocks = append(blocks, ordered("type", "text", "text", w.Text))
		}
	}
	return blocks
}
