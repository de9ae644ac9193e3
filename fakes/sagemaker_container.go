package fakes

import "encoding/json"

// A chatContainer takes chat completions.
type chatContainer struct {
	m     *sageMaker
	input int // tokens
	usage bool
}

func (c *chatContainer) read(body []byte) (maxTokens *int, refusal string) {
	p, maxTokens, missing := readContainerChat(body)
	if missing != "" {
		return nil, missing + ": Field required"
	}
	var request struct {
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	_ = json.Unmarshal(body, &request) // no options are none
	c.input = containerTokens(p)
	c.usage = request.StreamOptions.IncludeUsage
	return maxTokens, atLeastOne(maxTokens, "max_tokens")
}

// atLeastOne returns why a container refuses a limit.
func atLeastOne(limit *int, name string) string {
	if limit != nil && *limit < 1 {
		return name + " must be at least 1"
	}
	return ""
}

// containerTokens is the input of a prompt, which no container counts as none.
func containerTokens(p prompt) int {
	bytes := 0
	for _, b := range p.blocks() {
		bytes += b.bytes()
	}
	return max(1, bytes/4)
}

func (c *chatContainer) chunk(delta object, finish any) object {
	return object{
		"id": "chatcmpl-fake", "object": "chat.completion.chunk", "model": "fake",
		"choices": []object{{"index": 0, "delta": delta, "finish_reason": finish}},
	}
}

func (c *chatContainer) open() []any {
	events := []any{c.chunk(object{"role": "assistant", "content": ""}, nil)}
	if c.m.script.EmptyDelta {
		events = append(events, c.piece(""))
	}
	return events
}

func (c *chatContainer) content(i int) any {
	return c.chunk(chatDelta(c.m.Content[i], c.m.startsBlock(i)), nil)
}

func (c *chatContainer) piece(text string) any { return c.chunk(object{"content": text}, nil) }

func (c *chatContainer) reason() string {
	n := len(c.m.Content)
	switch {
	case c.m.Limited:
		return "length"
	case n > 0 && c.m.Content[n-1].Channel == ToolInput:
		return "tool_calls"
	}
	return "stop"
}

func (c *chatContainer) end() []any {
	events := []any{c.chunk(object{}, c.reason())}
	if c.usage && !has[NoUsage](c.m.Schedule) {
		last := c.chunk(nil, nil)
		last["choices"], last["usage"] = []object{}, c.record()
		events = append(events, last)
	}
	if c.m.container.Lines {
		return events
	}
	return append(events, "[DONE]")
}

func (c *chatContainer) record() object {
	return object{"prompt_tokens": c.input, "completion_tokens": c.m.Tokens(), "total_tokens": c.input + c.m.Tokens()}
}

// event returns "data: …", or a line.
func (c *chatContainer) event(data any) []byte {
	if c.m.container.Lines {
		return append(mustJSON(data), '\n')
	}
	return eventWriter{}.event("", data)
}

func (c *chatContainer) whole() object {
	reply := chatReply(c.m.attempt, c.reason())
	if !has[NoUsage](c.m.Schedule) {
		reply["usage"] = c.record()
	}
	return reply
}

// A tgiContainer takes a text, and answers token by token.
type tgiContainer struct {
	m       *sageMaker
	input   int // tokens
	details bool
}

func (c *tgiContainer) read(body []byte) (maxTokens *int, refusal string) {
	var request struct {
		Inputs     string `json:"inputs"`
		Parameters struct {
			MaxNewTokens *int     `json:"max_new_tokens"`
			Details      bool     `json:"details"`
			Temperature  *float64 `json:"temperature"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err.Error()
	}
	parameters := request.Parameters
	switch {
	case request.Inputs == "":
		return nil, "Input validation error: `inputs` cannot be empty"
	case parameters.Temperature != nil && *parameters.Temperature <= 0:
		return nil, "Input validation error: `temperature` must be strictly positive"
	}
	c.input, c.details = containerTokens(textPrompt(request.Inputs)), parameters.Details
	return parameters.MaxNewTokens, atLeastOne(parameters.MaxNewTokens, "max_new_tokens")
}

// token returns an event. The last has the whole text and, where asked for, the
// details.
func (c *tgiContainer) token(text string, special bool) object {
	return object{
		"token":          object{"id": 1, "text": text, "logprob": -0.5, "special": special},
		"generated_text": nil, "details": nil,
	}
}

func (c *tgiContainer) open() []any           { return nil }
func (c *tgiContainer) content(i int) any     { return c.piece(c.m.Content[i].Text) }
func (c *tgiContainer) piece(text string) any { return c.token(text, false) }

// end is the token that ends a text, which is no part of it.
func (c *tgiContainer) end() []any {
	last := c.token("</s>", true)
	last["generated_text"], last["details"] = c.text(), c.record()
	return []any{last}
}

func (c *tgiContainer) text() string {
	text := ""
	for _, content := range c.m.Content {
		text += content.Text
	}
	return text
}

// record returns the details, null where nobody asked for them.
func (c *tgiContainer) record() any {
	if !c.details {
		return nil
	}
	reason := "eos_token"
	if c.m.Limited {
		reason = "length"
	}
	record := object{"finish_reason": reason, "seed": nil}
	if !has[NoUsage](c.m.Schedule) {
		record["generated_tokens"], record["input_length"] = c.m.Tokens(), c.input
	}
	return record
}

// event returns "data:…" without a space, or a line.
func (c *tgiContainer) event(data any) []byte {
	if c.m.container.Lines {
		return append(mustJSON(data), '\n')
	}
	return append(append([]byte("data:"), mustJSON(data)...), "\n\n"...)
}

func (c *tgiContainer) whole() object {
	return object{"generated_text": c.text(), "details": c.record()}
}
