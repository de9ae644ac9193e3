package openai

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// content is a delta or a message.
type content struct {
	Content          json.RawMessage         `json:"content"` // a string, or a list of typed parts
	Refusal          word                    `json:"refusal"`
	ReasoningContent word                    `json:"reasoning_content"`
	Reasoning        word                    `json:"reasoning"`
	FunctionCall     providers.Lenient[call] `json:"function_call"` // what tool_calls were once

	ToolCalls providers.Lenient[providers.Capped[toolCall]] `json:"tool_calls"`
	Audio     providers.Lenient[audio]                      `json:"audio"`
}

// toolCall is the call of one of several kinds of tools.
type toolCall struct {
	Function *providers.Lenient[call] `json:"function"`
	Custom   *providers.Lenient[call] `json:"custom"`
}

func (t toolCall) bytes() (n int) {
	for _, c := range []*providers.Lenient[call]{t.Function, t.Custom} {
		if c != nil {
			n += c.Value.bytes()
		}
	}
	return n
}

// call is what a tool is called with, or a piece of it.
type call struct {
	Name      word      `json:"name"`
	Arguments arguments `json:"arguments"`
	Input     word      `json:"input"` // of a custom tool
}

func (c call) bytes() int { return len(c.Name.Value) + len(c.Arguments) + len(c.Input.Value) }

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

// audio is speech, and what is said in it.
type audio struct {
	Transcript word            `json:"transcript"`
	Data       json.RawMessage `json:"data"`
}

func (a audio) sounds() bool { return len(a.Data) > len(`""`) && a.Data[0] == '"' }

// text returns the visible text and the reasoning that a content field holds.
func (c *content) text() (visible, reasoning string) {
	reasoning = c.ReasoningContent.Value
	if reasoning == "" {
		reasoning = c.Reasoning.Value
	}
	if len(c.Content) == 0 {
		return visible, reasoning
	}
	switch c.Content[0] {
	case '"':
		_ = json.Unmarshal(c.Content, &visible) // cannot fail: the chunk has been parsed
	case '[':
		var parts providers.Capped[part]
		_ = json.Unmarshal(c.Content, &parts) // what is no part is no content
		for _, p := range parts {
			visible += p.Text.Value
			for _, thought := range p.Thinking.Value {
				reasoning += thought.Text.Value
			}
		}
	}
	return visible, reasoning
}

// part is one part of a list of content, as Mistral streams it.
type part struct {
	Text     word                                         `json:"text"`
	Thinking providers.Lenient[providers.Capped[thought]] `json:"thinking"`
}

type thought struct {
	Text word `json:"text"`
}
