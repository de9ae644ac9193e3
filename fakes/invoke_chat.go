package fakes

import (
	"encoding/json"
	"strings"
)

// An invokedChat is a model that takes OpenAI's chat completions: gpt-oss, Qwen, and
// Mistral's chat models, whose pieces are messages.
type invokedChat struct{ *invocation }

func (c *invokedChat) read(body []byte) (p prompt, maxTokens *int, refusal string) {
	p, maxTokens, refusal = readContainerChat(body)
	if refusal != "" {
		refusal = malformed(refusal)
	}
	return p, maxTokens, refusal
}

// readContainerChat returns the prompt and the limit of a chat completion, or the
// member that is missing.
func readContainerChat(body []byte) (p prompt, maxTokens *int, missing string) {
	var request struct {
		Messages []struct {
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		MaxTokens           *int `json:"max_tokens"`
		MaxCompletionTokens *int `json:"max_completion_tokens"`
	}
	if json.Unmarshal(body, &request) != nil || len(request.Messages) == 0 {
		return p, nil, "messages"
	}
	var all strings.Builder
	for _, m := range request.Messages {
		if len(m.Content) == 0 {
			return p, nil, "content"
		}
		all.WriteString(text(m.Content))
	}
	if request.MaxTokens == nil {
		request.MaxTokens = request.MaxCompletionTokens
	}
	return textPrompt(all.String()), request.MaxTokens, ""
}

func (c *invokedChat) open() []object {
	events := []object{c.chunk(object{"role": "assistant", "content": ""}, "")}
	if c.script.EmptyDelta {
		events = append(events, c.piece(""))
	}
	return events
}

// chunk returns a piece. An empty reason to finish is null.
func (c *invokedChat) chunk(delta object, finish string) object {
	var reason any
	if finish != "" {
		reason = finish
	}
	if c.ofMistral() {
		return object{"choices": []object{{"index": 0, "message": delta, "stop_reason": reason}}}
	}
	return object{
		"id": "chatcmpl-fake", "object": "chat.completion.chunk",
		"choices": []object{{"index": 0, "delta": delta, "finish_reason": reason}},
	}
}

func (c *invokedChat) content(i int) []object {
	return []object{c.chunk(chatDelta(c.Content[i], c.startsBlock(i)), "")}
}

// chatDelta returns the delta of a content event; of a tool call, the first tells
// the tool.
func chatDelta(c Content, first bool) object {
	switch c.Channel {
	case Reasoning:
		return object{"reasoning_content": c.Text}
	case ToolInput:
		call := object{"index": c.Call, "function": object{"arguments": c.Text}}
		if first {
			call["id"], call["type"] = "call_fake", "function"
			call["function"] = object{"name": "get_weather", "arguments": c.Text}
		}
		return object{"tool_calls": []object{call}}
	}
	return object{"content": c.Text}
}

func (c *invokedChat) piece(text string) object { return c.chunk(object{"content": text}, "") }

func (c *invokedChat) end() []object { return []object{c.chunk(object{}, c.reason())} }

func (c *invokedChat) reason() string { return c.stopReason("stop", "length", "tool_calls") }

func (c *invokedChat) ofMistral() bool { return strings.Contains(c.r.PathValue("id"), "mistral.") }

func (c *invokedChat) whole() object {
	reply := chatReply(c.attempt, c.reason())
	if choice := reply["choices"].([]object)[0]; c.ofMistral() {
		delete(choice, "finish_reason")
		choice["stop_reason"] = c.reason()
	}
	return reply
}

// chatReply returns a chat completion in one piece, without usage.
func chatReply(a *attempt, reason string) object {
	message := object{"role": "assistant", "content": ""}
	var calls []object
	for _, w := range a.wholes() {
		switch w.Channel {
		case Reasoning:
			message["reasoning_content"] = w.Text
		case ToolInput:
			calls = append(calls, object{
				"id": "call_fake", "type": "function", "index": w.Call,
				"function": object{"name": "get_weather", "arguments": string(w.arguments())},
			})
		default:
			message["content"] = w.Text
		}
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	return object{
		"id": "chatcmpl-fake", "object": "chat.completion",
		"choices": []object{{"index": 0, "message": message, "finish_reason": reason}},
	}
}
