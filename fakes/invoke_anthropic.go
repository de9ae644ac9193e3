package fakes

import (
	"encoding/json"
	"fmt"
)

// An invokedAnthropic is a model of Anthropic's: the events of its Messages API.
type invokedAnthropic struct {
	*invocation
	request anthropicRequest
	index   int // of the block
}

func (m *invokedAnthropic) read(body []byte) (p prompt, maxTokens *int, refusal string) {
	const hostNamesTheModel = true // as Vertex AI does, and the body a version
	m.request, refusal = readAnthropic(body, hostNamesTheModel)
	return m.request.prompt(), m.request.MaxTokens, refusal
}

func (m *invokedAnthropic) open() []object {
	message := object{
		"id": "msg_bdrk_" + m.uuid(), "type": "message", "role": "assistant", "model": "claude-fake", "content": []any{},
		"stop_reason": nil, "stop_sequence": nil,
	}
	if !has[NoUsage](m.Schedule) {
		message["usage"] = m.usage(1)
	}
	events := []object{{"type": "message_start", "message": message}}
	if m.script.EmptyDelta {
		events = append(events, m.start(Text), m.delta("text_delta", "text", ""), m.stop())
	}
	return events
}

// usage is the record with so many tokens of output so far.
func (m *invokedAnthropic) usage(output int) object {
	return object{
		"input_tokens": m.input.fresh, "cache_creation_input_tokens": m.input.cacheWrite,
		"cache_read_input_tokens": m.input.cacheRead, "output_tokens": output,
	}
}

func (m *invokedAnthropic) content(i int) []object {
	var events []object
	c := m.Content[i]
	if m.startsBlock(i) {
		if i > 0 {
			events = append(events, m.close(m.Content[i-1].Channel)...)
		}
		events = append(events, m.start(c.Channel))
	}
	switch c.Channel {
	case Reasoning:
		return append(events, m.delta("thinking_delta", "thinking", c.Text))
	case ToolInput:
		return append(events, m.delta("input_json_delta", "partial_json", c.Text))
	}
	return append(events, m.piece(c.Text))
}

func (m *invokedAnthropic) piece(text string) object { return m.delta("text_delta", "text", text) }

func (m *invokedAnthropic) delta(kind, member, value string) object {
	return object{"type": "content_block_delta", "index": m.index, "delta": object{"type": kind, member: value}}
}

func (m *invokedAnthropic) start(channel Channel) object {
	block := object{"type": "text", "text": ""}
	switch channel {
	case Reasoning:
		block = object{"type": "thinking", "thinking": "", "signature": ""}
	case ToolInput:
		block = m.toolUse(json.RawMessage("{}"))
	}
	return object{"type": "content_block_start", "index": m.index, "content_block": block}
}

// close returns what ends a block of the channel.
func (m *invokedAnthropic) close(channel Channel) []object {
	if channel == Reasoning {
		return []object{m.delta("signature_delta", "signature", signature), m.stop()}
	}
	return []object{m.stop()}
}

func (m *invokedAnthropic) stop() object {
	event := object{"type": "content_block_stop", "index": m.index}
	m.index++
	return event
}

func (m *invokedAnthropic) end() []object {
	var events []object
	if n := len(m.Content); n > 0 {
		events = m.close(m.Content[n-1].Channel)
	}
	delta := object{"type": "message_delta", "delta": object{"stop_reason": m.reason(), "stop_sequence": nil}}
	if !has[NoUsage](m.Schedule) {
		delta["usage"] = object{"output_tokens": m.Tokens()}
	}
	return append(events, delta, object{"type": "message_stop"})
}

func (m *invokedAnthropic) reason() string { return m.stopReason("end_turn", "max_tokens", "tool_use") }

func (m *invokedAnthropic) toolUse(input json.RawMessage) object {
	id := fmt.Sprintf("toolu_bdrk_%016x", m.names.Uint64())
	return object{"type": "tool_use", "id": id, "name": m.request.tool(), "input": input}
}

func (m *invokedAnthropic) whole() object {
	blocks := []object{}
	for _, w := range m.wholes() {
		switch w.Channel {
		case Reasoning:
			blocks = append(blocks, object{"type": "thinking", "thinking": w.Text, "signature": signature})
		case ToolInput:
			blocks = append(blocks, m.toolUse(w.arguments()))
		default:
			blocks = append(blocks, object{"type": "text", "text": w.Text})
		}
	}
	reply := object{
		"id": "msg_bdrk_" + m.uuid(), "type": "message", "role": "assistant", "model": "claude-fake", "content": blocks,
		"stop_reason": m.reason(), "stop_sequence": nil,
	}
	if !has[NoUsage](m.Schedule) {
		reply["usage"] = m.usage(m.Tokens())
	}
	return reply
}
