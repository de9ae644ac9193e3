package fakes

import (
	"encoding/json"
	"time"
)

// An openAIChat is one attempt at a chat completion being answered, as a stream or
// whole, by OpenAI, by Azure, or by a server with quirks.
type openAIChat struct {
	*openAIAttempt
	request    chatRequest
	prompt     string
	in, cached int // tokens
	id         string
	events     eventWriter
	sent       int // tokens so far
}

// read implements [dialect].
func (c *openAIChat) read(body []byte) (maxTokens *int, refusal string) {
	if err := json.Unmarshal(body, &c.request); err != nil {
		return nil, notJSON
	}
	if refusal = c.refusal(&c.request.openAIRequest); refusal == "" {
		refusal, c.prompt = c.request.refusal()
	}
	return c.request.limit(), refusal
}

// answer implements [dialect].
func (c *openAIChat) answer() {
	c.in, c.cached = c.server.cache.count(c.request.Model, c.prompt)
	c.id = "chatcmpl-" + c.name(24)
	if c.request.Stream {
		c.stream()
	} else {
		c.whole()
	}
}

// quirks are those of the server: none with OpenAI itself.
func (c *openAIChat) quirks() Quirks {
	if c.server.quirks == nil {
		return Quirks{}
	}
	return *c.server.quirks
}

func (c *openAIChat) stream() {
	q := c.quirks()
	c.head(eventStreamUTF8, c.Head, c.in)
	c.events = eventWriter{attempt: c.attempt}
	if q.CRLF {
		c.events.newline = "\r\n"
	}
	for range q.Comments {
		c.write(c.Head, []byte(": FAKE PROCESSING"+c.newline()+c.newline()))
	}
	if c.azure {
		c.events.send(c.Head, "", promptFilter)
	}
	c.send(c.Head, c.opening(), "")
	if c.script.EmptyDelta {
		c.send(c.Head, object{"content": ""}, "")
	}
	for i, content := range c.Content {
		if content.Channel == ToolInput && c.startsBlock(i) {
			c.send(content.At, c.toolStart(content), "")
		}
		c.sent += content.Tokens
		c.send(content.At, c.delta(content), "")
	}
	if report, thrown := c.thrown(); thrown {
		c.fail(report)
		return
	}
	if e, cut := c.ending.(Cut); cut {
		lost := c.chunk(object{"content": words(0, 8)}, "")
		c.writeCut(c.End, e.At, c.events.event("", lost))
		return
	}
	c.finish()
}

func (c *openAIChat) newline() string {
	if c.events.newline != "" {
		return c.events.newline
	}
	return "\n"
}

// promptFilter is the first chunk with Azure, which judges the prompt.
var promptFilter = object{
	"choices": []object{}, "created": 0, "id": "", "model": "", "object": "",
	"prompt_filter_results": []object{{"prompt_index": 0, "content_filter_results": object{
		"hate":      object{"filtered": false, "severity": "safe"},
		"self_harm": object{"filtered": false, "severity": "safe"},
		"sexual":    object{"filtered": false, "severity": "safe"},
		"violence":  object{"filtered": false, "severity": "safe"},
	}}},
}

// opening is the delta that says whose words follow.
func (c *openAIChat) opening() object {
	if c.server.quirks != nil {
		return object{"role": "assistant", "content": ""}
	}
	opening := object{"role": "assistant", "content": "", "refusal": nil}
	if len(c.Content) > 0 && c.Content[0].Channel == ToolInput {
		opening["content"] = nil
	}
	return opening
}

// toolStart names the tool that is called, before its arguments.
func (c *openAIChat) toolStart(content Content) object {
	return object{"tool_calls": []object{{
		"index": content.Call, "id": "call_" + c.name(24), "type": "function",
		"function": object{"name": toolName(c.request.Tools), "arguments": ""},
	}}}
}

func (c *openAIChat) delta(content Content) object {
	switch content.Channel {
	case Reasoning:
		if c.quirks().ContentList {
			thought := []object{{"type": "text", "text": content.Text}}
			return object{"content": []object{{"type": "thinking", "thinking": thought}}}
		}
		return object{c.quirks().reasoning(): content.Text}
	case ToolInput:
		return object{"tool_calls": []object{{"index": content.Call, "function": object{"arguments": content.Text}}}}
	}
	if c.quirks().ContentList {
		return object{"content": []object{{"type": "text", "text": content.Text}}}
	}
	return object{"content": content.Text}
}

// chunk returns one event. An empty finish reason is null.
func (c *openAIChat) chunk(delta object, finishReason string) object {
	q := c.quirks()
	if q.RoleEverywhere {
		delta["role"] = "assistant"
		if _, told := delta["content"]; !told {
			delta["content"] = ""
		}
	}
	choice := object{"index": 0, "delta": delta, "finish_reason": nil}
	if finishReason != "" {
		choice["finish_reason"] = finishReason
	}
	if c.server.quirks == nil {
		choice["logprobs"] = nil
	}
	if c.azure {
		choice["content_filter_results"] = object{}
	}
	chunk := c.base(choice)
	switch {
	case has[NoUsage](c.Schedule):
	case q.Usage == UsageEverywhere:
		chunk["usage"] = c.usage(c.sent)
	case c.asksForUsage() && q.Usage == UsageLast:
		chunk["usage"] = nil
	}
	if p, padded := c.pad(); padded && c.request.obfuscated() {
		chunk["obfuscation"] = p
	}
	return chunk
}

func (c *openAIChat) base(choices ...object) object {
	if choices == nil {
		choices = []object{}
	}
	return object{
		"id": c.id, "object": "chat.completion.chunk", "created": c.start.Unix(), "model": c.request.Model,
		"system_fingerprint": "fp_fake", "choices": choices,
	}
}

func (c *openAIChat) asksForUsage() bool {
	return c.request.Options != nil && c.request.Options.IncludeUsage
}

func (c *openAIChat) send(at time.Duration, delta object, finishReason string) {
	c.events.send(at, "", c.chunk(delta, finishReason))
}

// finish ends a stream that is whole.
func (c *openAIChat) finish() {
	q := c.quirks()
	if !q.NoFinish {
		last := c.chunk(object{}, c.finishReason())
		if c.reports(UsageWithFinish, UsageTwice) {
			last["usage"] = c.usage(c.Tokens())
		}
		c.events.send(c.End, "", last)
	}
	if c.reports(UsageTrailing) {
		empty := object{"index": 0, "delta": object{}}
		trailing := c.base(empty)
		trailing["usage"] = c.usage(c.Tokens())
		c.events.send(c.End, "", trailing)
		c.events.send(c.End, "", c.base(empty))
	}
	if c.reports(UsageTwice) || c.reports(UsageLast) && c.asksForUsage() {
		last := c.base()
		last["usage"] = c.usage(c.Tokens())
		c.events.send(c.End, "", last)
	}
	if !q.NoDone {
		c.events.send(c.End, "", "[DONE]")
	}
}

// reports says whether the usage record goes to one of these places.
func (c *openAIChat) reports(places ...UsagePlace) bool {
	for _, p := range places {
		if c.quirks().Usage == p {
			return !has[NoUsage](c.Schedule)
		}
	}
	return false
}

func (c *openAIChat) finishReason() string {
	n := len(c.Content)
	switch {
	case c.Limited:
		return "length"
	case n > 0 && c.Content[n-1].Channel == ToolInput:
		return "tool_calls"
	}
	return "stop"
}

func (c *openAIChat) usage(out int) object {
	usage := object{"prompt_tokens": c.in, "completion_tokens": out, "total_tokens": c.in + out}
	if c.server.quirks == nil {
		usage["prompt_tokens_details"] = object{"cached_tokens": c.cached, "audio_tokens": 0}
		usage["completion_tokens_details"] = object{
			"reasoning_tokens": c.reasoningTokens(), "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		}
	}
	return usage
}

// whole answers with one object.
func (c *openAIChat) whole() {
	if !c.wait(c.End) || c.refuseWhole() {
		return
	}
	c.head("application/json", c.End, c.in)
	message := object{"role": "assistant", "content": nil, "refusal": nil}
	if c.script.EmptyDelta || len(c.Content) == 0 {
		message["content"] = ""
	}
	var calls, parts []object
	for _, w := range c.wholes() {
		switch content := (Content{Channel: w.Channel, Text: w.Text}); {
		case w.Channel == ToolInput:
			calls = append(calls, object{
				"id": "call_" + c.name(24), "type": "function",
				"function": object{"name": toolName(c.request.Tools), "arguments": string(w.arguments())},
			})
		case c.quirks().ContentList:
			parts = append(parts, c.delta(content)["content"].([]object)...)
		default:
			for member, text := range c.delta(content) {
				message[member] = text
			}
		}
	}
	if parts != nil {
		message["content"] = parts
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	reply := c.base(object{"index": 0, "message": message, "logprobs": nil, "finish_reason": c.finishReason()})
	reply["object"] = "chat.completion"
	if !has[NoUsage](c.Schedule) {
		reply["usage"] = c.usage(c.Tokens())
	}
	c.writeWhole(reply)
}
