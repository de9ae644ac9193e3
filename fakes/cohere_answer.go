package fakes

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// answer implements [dialect].
func (c *cohereReply) answer() {
	c.input = c.cohere.cache.count(c.request.Model, c.request.prompt())
	if c.request.Stream {
		c.stream()
	} else {
		c.replyWhole()
	}
}

// serviceTime sets the header that tells how long the server took until the head.
func (c *cohereReply) serviceTime(d time.Duration) {
	c.w.Header().Set("X-Envoy-Upstream-Service-Time", strconv.FormatInt(d.Milliseconds(), 10))
}

func (c *cohereReply) stream() {
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("Cache-Control", "no-cache, no-store, no-transform, must-revalidate, private, max-age=0")
	c.serviceTime(c.Head)
	opening := ordered("role", "assistant", "content", []any{}, "tool_plan", "", "tool_calls", []any{}, "citations", []any{})
	c.write(c.Head, c.encode("message-start", ordered("id", c.id, "type", "message-start", "delta", ordered("message", opening))))
	index := 0 // of the block of content
	if c.script.EmptyDelta {
		c.content(c.Head, "content-start", index, "type", "text", "text", "")
		c.content(c.Head, "content-delta", index, "text", "")
		c.send(c.Head, "content-end", "index", index)
		index++
	}
	for i, content := range c.Content {
		if c.startsBlock(i) {
			if i > 0 {
				index = c.endBlock(content.At, index, c.Content[i-1])
			}
			c.startBlock(index, content)
		}
		c.delta(index, content)
	}
	switch e := c.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		_, message := cohereError(exception, exception.Message())
		c.end("error", message, "finish_reason", "ERROR")
	case ThrowUnmodelled:
		_, message := cohereError(Exception(e.code()), e.Message)
		c.write(c.End, c.encode("", ordered("id", c.id, "message", message)))
	case Cut:
		lost := ordered("message", ordered("content", ordered("text", words(0, 8))))
		c.writeCut(c.End, e.At, c.encode("content-delta", ordered("type", "content-delta", "index", index, "delta", lost)))
	default:
		if n := len(c.Content); n > 0 {
			c.endBlock(c.End, index, c.Content[n-1])
		}
		members := []any{"finish_reason", c.finishReason()}
		if !has[NoUsage](c.Schedule) {
			members = append(members, "usage", c.usage())
		}
		c.end(members...)
	}
}

// encode returns the bytes of an event. An empty name is left out; data is JSON.
func (c *cohereReply) encode(name string, data json.RawMessage) []byte {
	if name != "" {
		name = "event: " + name + "\n"
	}
	return fmt.Appendf(nil, "%sdata: %s%s", name, data, c.cohere.eventEnd)
}

// send sends an event at its time: its type first, then the other members.
func (c *cohereReply) send(at time.Duration, name string, members ...any) {
	c.write(at, c.encode(name, ordered(append([]any{"type", name}, members...)...)))
}

// content sends an event of a block of content.
func (c *cohereReply) content(at time.Duration, name string, index int, members ...any) {
	c.send(at, name, "index", index, "delta", ordered("message", ordered("content", ordered(members...))))
}

// plans says whether reasoning is the plan which tools to call.
func (c *cohereReply) plans() bool { return c.script.ToolCalls > 0 }

func (c *cohereReply) startBlock(index int, first Content) {
	switch {
	case first.Channel == ToolInput:
		call := ordered("id", c.callID(), "type", "function", "function", ordered("name", c.request.tool(), "arguments", ""))
		c.send(first.At, "tool-call-start", "index", first.Call, "delta", ordered("message", ordered("tool_calls", call)))
	case first.Channel == Text:
		c.content(first.At, "content-start", index, "type", "text", "text", "")
	case !c.plans():
		c.content(first.At, "content-start", index, "type", "thinking", "thinking", "")
	}
}

func (c *cohereReply) delta(index int, content Content) {
	switch {
	case content.Channel == ToolInput:
		call := ordered("function", ordered("arguments", content.Text))
		c.send(content.At, "tool-call-delta", "index", content.Call, "delta", ordered("message", ordered("tool_calls", call)))
	case content.Channel == Text:
		c.content(content.At, "content-delta", index, "text", content.Text)
	case c.plans():
		c.send(content.At, "tool-plan-delta", "delta", ordered("message", ordered("tool_plan", content.Text)))
	default:
		c.content(content.At, "content-delta", index, "thinking", content.Text)
	}
}

// endBlock ends the block of the last content event and returns the index of the
// next.
func (c *cohereReply) endBlock(at time.Duration, index int, last Content) (next int) {
	switch {
	case last.Channel == ToolInput:
		c.send(at, "tool-call-end", "index", last.Call)
	case last.Channel == Text, !c.plans():
		c.send(at, "content-end", "index", index)
		return index + 1
	}
	return index
}

// end sends the events that end a stream.
func (c *cohereReply) end(members ...any) {
	c.send(c.End, "message-end", "delta", ordered(members...))
	c.write(c.End, c.encode("", json.RawMessage("[DONE]")))
}

func (c *cohereReply) callID() string {
	return c.request.tool() + "_" + strconv.FormatUint(c.names.Uint64()>>4, 36)
}

func (c *cohereReply) finishReason() string {
	n := len(c.Content)
	switch {
	case c.Limited:
		return "MAX_TOKENS"
	case n > 0 && c.Content[n-1].Channel == ToolInput:
		return "TOOL_CALL"
	}
	return "COMPLETE"
}

func (c *cohereReply) usage() json.RawMessage {
	input := c.input.fresh + c.input.cacheRead + c.input.cacheWrite
	thinking := 0
	for _, content := range c.Content {
		if content.Channel == Reasoning {
			thinking += content.Tokens
		}
	}
	tokens := []any{"input_tokens", input, "output_tokens", c.Tokens()}
	if thinking > 0 && !c.plans() {
		tokens = append(tokens, "reasoning_tokens", thinking)
	}
	return ordered(
		"billed_units", ordered("input_tokens", input, "output_tokens", c.Tokens()),
		"tokens", ordered(tokens...),
		"cached_tokens", c.input.cacheRead,
	)
}

// replyWhole answers in one piece.
func (c *cohereReply) replyWhole() {
	if !c.wait(c.End) {
		return
	}
	switch e := c.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		c.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		c.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	c.serviceTime(c.End)
	message := object{"role": "assistant"}
	var content, calls []json.RawMessage
	for _, w := range c.wholes() {
		switch {
		case w.Channel == ToolInput:
			calls = append(calls, ordered("id", c.callID(), "type", "function",
				"function", ordered("name", c.request.tool(), "arguments", w.Text)))
		case w.Channel == Text:
			content = append(content, ordered("type", "text", "text", w.Text))
		case c.plans():
			message["tool_plan"] = w.Text
		default:
			content = append(content, ordered("type", "thinking", "thinking", w.Text))
		}
	}
	if content != nil {
		message["content"] = content
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	fields := object{"id": c.id, "finish_reason": c.finishReason(), "message": message}
	if !has[NoUsage](c.Schedule) {
		fields["usage"] = c.usage()
	}
	c.writeWhole(fields)
}
