package openai

import "encoding/json"

// chunk is one event of a stream, and the body of a whole reply: the latter has
// a message where the former has a delta.
type chunk struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Model   string `json:"model"`
	Choices []struct {
		Delta        content `json:"delta"`
		Message      content `json:"message"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage   usage           `json:"usage"`
	Error   json.RawMessage `json:"error"`
	Timings clocks          `json:"timings"` // llama.cpp's
	Metrics clocks          `json:"metrics"` // vLLM's
	Groq    struct {
		ID    string `json:"id"`
		Usage usage  `json:"usage"`
	} `json:"x_groq"`
}

// reportsError looks at the error before the choices: some servers send both in
// one chunk. With vLLM the error may be the chunk itself.
func (c *chunk) reportsError() bool { return present(c.Error) || c.Object == "error" }

// content is a delta or a message.
type content struct {
	Content          json.RawMessage `json:"content"` // a string, or a list of typed parts
	Refusal          string          `json:"refusal"`
	ReasoningContent string          `json:"reasoning_content"`
	Reasoning        string          `json:"reasoning"`
	FunctionCall     call            `json:"function_call"` // what tool_calls were once
	ToolCalls        []struct {
		Function call `json:"function"`
		Custom   call `json:"custom"`
	} `json:"tool_calls"`
}

// call is a tool call, or a piece of one.
type call struct {
	Name      string    `json:"name"`
	Arguments arguments `json:"arguments"`
	Input     string    `json:"input"` // of a custom tool
}

func (c call) bytes() int { return len(c.Name) + len(c.Arguments) + len(c.Input) }

// arguments are JSON in a string; some servers send them as they are.
type arguments string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *arguments) UnmarshalJSON(data []byte) error {
	*a = ""
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(a))
	case '{', '[':
		*a = arguments(data)
	}
	return nil
}

// text returns the visible text and the reasoning that a content field holds.
func (c content) text() (visible, reasoning string) {
	reasoning = c.ReasoningContent
	if reasoning == "" {
		reasoning = c.Reasoning
	}
	if len(c.Content) == 0 {
		return visible, reasoning
	}
	switch c.Content[0] {
	case '"':
		_ = json.Unmarshal(c.Content, &visible) // cannot fail: the chunk has been parsed
	case '[':
		var parts []part
		_ = json.Unmarshal(c.Content, &parts) // what is no part is no content
		for _, p := range parts {
			visible += p.Text
			for _, thought := range p.Thinking {
				reasoning += thought.Text
			}
		}
	}
	return visible, reasoning
}

// part is one part of a list of content, as Mistral streams it.
type part struct {
	Text     string `json:"text"`
	Thinking []struct {
		Text string `json:"text"`
	} `json:"thinking"`
}
