package fakes

import (
	"encoding/json"
	"strings"
	"time"
)

// An openAIResponses is one attempt at a response being answered, as a stream or
// whole.
type openAIResponses struct {
	*openAIAttempt
	request    responseRequest
	prompt     string
	in, cached int // tokens
	id         string
	events     eventWriter
	sequence   int
	output     []object // items that are done
	open       object   // the item that is not, nil without one
	text       strings.Builder
}

// read implements [dialect].
func (c *openAIResponses) read(body []byte) (maxTokens *int, refusal string) {
	if err := json.Unmarshal(body, &c.request); err != nil {
		return nil, notJSON
	}
	if refusal = c.refusal(&c.request.openAIRequest); refusal == "" {
		refusal, c.prompt = c.request.refusal()
	}
	return c.request.MaxOutputTokens, refusal
}

// answer implements [dialect].
func (c *openAIResponses) answer() {
	c.in, c.cached = c.server.cache.count(c.request.Model, c.prompt)
	c.id = "resp_" + c.name(48)
	c.output = []object{}
	if c.request.Stream {
		c.stream()
	} else {
		c.whole()
	}
}

func (c *openAIResponses) stream() {
	c.head(eventStreamUTF8, c.Head, c.in)
	c.events = eventWriter{attempt: c.attempt}
	c.send(c.Head, "response.created", object{"response": c.response("in_progress")})
	c.send(c.Head, "response.in_progress", object{"response": c.response("in_progress")})
	for i, content := range c.Content {
		if c.startsBlock(i) {
			c.endItem(content.At)
			c.startItem(content)
		}
		c.text.WriteString(content.Text)
		c.send(content.At, c.member(content.Channel)+".delta", c.delta(content.Text))
	}
	if c.breakOff() {
		return
	}
	c.endItem(c.End)
	status := c.status()
	c.send(c.End, "response."+status, object{"response": c.response(status)})
}

// breakOff ends a stream that does not end properly, and reports whether it did.
func (c *openAIResponses) breakOff() bool {
	switch e := c.ending.(type) {
	case Throw:
		report, _ := c.thrown()
		failed := c.response("failed")
		failed["error"] = object{"code": report.responseCode(), "message": report.message}
		c.send(c.End, "response.failed", object{"response": failed})
		return true
	case ThrowUnmodelled:
		report, _ := c.thrown()
		c.send(c.End, "error", report.fields())
		return true
	case Cut:
		lost := c.next("response.output_text.delta", object{"item_id": "msg_lost", "delta": words(0, 8)})
		c.writeCut(c.End, e.At, c.events.event("response.output_text.delta", lost))
		return true
	}
	return false
}

// responseCode is the code that a failed response has; there are few.
func (e openAIError) responseCode() string {
	switch {
	case e.code == "rate_limit_exceeded":
		return e.code
	case e.kind == "invalid_request_error":
		return "invalid_prompt"
	}
	return "server_error"
}

// next returns the JSON of an event.
func (c *openAIResponses) next(event string, fields object) object {
	numbered := object{"type": event, "sequence_number": c.sequence}
	for member, value := range fields {
		if member != "type" {
			numbered[member] = value
		}
	}
	c.sequence++
	return numbered
}

func (c *openAIResponses) send(at time.Duration, event string, fields object) {
	c.events.send(at, event, c.next(event, fields))
}

// member is what the events of a channel are about.
func (c *openAIResponses) member(channel Channel) string {
	switch channel {
	case Reasoning:
		return "response.reasoning_text"
	case ToolInput:
		return "response.function_call_arguments"
	}
	return "response.output_text"
}

// place says which item an event is about, and which part of its content.
func (c *openAIResponses) place(fields object) object {
	fields["item_id"], fields["output_index"] = c.open["id"], len(c.output)
	if c.open["type"] != "function_call" {
		fields["content_index"] = 0
	}
	return fields
}

func (c *openAIResponses) delta(text string) object {
	fields := c.place(object{"delta": text})
	if c.open["type"] == "message" {
		fields["logprobs"] = []object{}
	}
	if p, padded := c.pad(); padded && c.request.obfuscated() {
		fields["obfuscation"] = p
	}
	return fields
}

// startItem announces an item, and the part of it that holds text.
func (c *openAIResponses) startItem(content Content) {
	c.text.Reset()
	c.open = c.item(content.Channel, "", "in_progress")
	c.send(content.At, "response.output_item.added", object{"output_index": len(c.output), "item": c.open})
	if content.Channel != ToolInput {
		c.send(content.At, "response.content_part.added", c.place(object{"part": textPart(content.Channel, "")}))
	}
}

// endItem repeats an item, three times over.
func (c *openAIResponses) endItem(at time.Duration) {
	if c.open == nil {
		return
	}
	text := c.text.String()
	channel := Text
	switch c.open["type"] {
	case "reasoning":
		channel = Reasoning
	case "function_call":
		channel = ToolInput
	}
	if channel == ToolInput {
		c.send(at, c.member(channel)+".done", c.place(object{"arguments": text, "name": c.open["name"]}))
	} else {
		c.send(at, c.member(channel)+".done", c.place(object{"text": text}))
		c.send(at, "response.content_part.done", c.place(object{"part": textPart(channel, text)}))
	}
	done := c.fill(c.open, channel, text, "completed")
	c.send(at, "response.output_item.done", object{"output_index": len(c.output), "item": done})
	c.output, c.open = append(c.output, done), nil
}

func textPart(channel Channel, text string) object {
	if channel == Reasoning {
		return object{"type": "reasoning_text", "text": text}
	}
	return object{"type": "output_text", "text": text, "annotations": []object{}, "logprobs": []object{}}
}

// item returns a new item of the output.
func (c *openAIResponses) item(channel Channel, text, status string) object {
	switch channel {
	case Reasoning:
		return c.fill(object{"id": "rs_" + c.name(48), "type": "reasoning"}, channel, text, status)
	case ToolInput:
		return c.fill(object{
			"id": "fc_" + c.name(48), "type": "function_call",
			"call_id": "call_" + c.name(24), "name": toolName(c.request.Tools),
		}, channel, text, status)
	}
	return c.fill(object{"id": "msg_" + c.name(48), "type": "message", "role": "assistant"}, channel, text, status)
}

// fill returns the item with its text.
func (c *openAIResponses) fill(i object, channel Channel, text, status string) object {
	filled := object{"status": status}
	for member, value := range i {
		if member != "status" {
			filled[member] = value
		}
	}
	content := []object{}
	if status != "in_progress" {
		content = append(content, textPart(channel, text))
	}
	switch channel {
	case Reasoning:
		filled["summary"], filled["content"] = []object{}, content
	case ToolInput:
		filled["arguments"] = text
	default:
		filled["content"] = content
	}
	return filled
}

func (c *openAIResponses) status() string {
	if c.Limited {
		return "incomplete"
	}
	return "completed"
}

// response returns the response as it stands.
func (c *openAIResponses) response(status string) object {
	r := object{
		"id": c.id, "object": "response", "created_at": c.start.Unix(), "status": status, "model": c.request.Model,
		"output": c.output, "error": nil, "incomplete_details": nil, "usage": nil,
		"background": false, "instructions": nil, "max_output_tokens": c.request.MaxOutputTokens, "max_tool_calls": nil,
		"metadata": object{}, "parallel_tool_calls": true, "previous_response_id": nil,
		"reasoning": object{"effort": nil, "summary": nil}, "service_tier": "default", "store": true,
		"temperature": 1.0, "text": object{"format": object{"type": "text"}}, "tool_choice": "auto", "tools": []object{},
		"top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "user": nil,
	}
	if c.request.Instructions != "" {
		r["instructions"] = c.request.Instructions
	}
	if status == "incomplete" {
		r["incomplete_details"] = object{"reason": "max_output_tokens"}
	}
	if status != "in_progress" && status != "failed" && !has[NoUsage](c.Schedule) {
		r["usage"] = c.usage()
	}
	return r
}

func (c *openAIResponses) usage() object {
	out := c.Tokens()
	return object{
		"input_tokens": c.in, "input_tokens_details": object{"cached_tokens": c.cached},
		"output_tokens": out, "output_tokens_details": object{"reasoning_tokens": c.reasoningTokens()},
		"total_tokens": c.in + out,
	}
}

// whole answers with one object.
func (c *openAIResponses) whole() {
	if !c.wait(c.End) || c.refuseWhole() {
		return
	}
	c.head("application/json", c.End, c.in)
	for _, w := range c.wholes() {
		text := w.Text
		if w.Channel == ToolInput {
			text = string(w.arguments())
		}
		c.output = append(c.output, c.item(w.Channel, text, "completed"))
	}
	c.writeWhole(c.response(c.status()))
}
