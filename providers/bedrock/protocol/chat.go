package protocol

import (
	"encoding/json"
	"strings"

	"github.com/latgate/latgate/providers"
)

// chat is the grammar of models that speak as OpenAI's chat completions do: gpt-oss,
// Qwen, DeepSeek, Mistral's chat models and others. They differ in where the text
// is: in a delta, in a message even where it is but a piece of one, or in the
// choice itself.
type chat struct{ b *providers.Builder }

func newChat(b *providers.Builder) grammar { return chat{b} }

type chatMessage struct {
	Content          json.RawMessage `json:"content"` // a string, or a list of typed parts
	Refusal          word            `json:"refusal"`
	ReasoningContent word            `json:"reasoning_content"`
	Reasoning        word            `json:"reasoning"` // an object with some
	ToolCalls        providers.Capped[struct {
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	}] `json:"tool_calls"`
}

// chatUsage includes what was cached and what was reasoned.
type chatUsage struct {
	Input    providers.Count `json:"prompt_tokens"`
	Output   providers.Count `json:"completion_tokens"`
	InputSub providers.Lenient[struct {
		Cached providers.Count `json:"cached_tokens"`
	}] `json:"prompt_tokens_details"`
	OutputSub providers.Lenient[struct {
		Reasoning providers.Count `json:"reasoning_tokens"`
	}] `json:"completion_tokens_details"`
}

func (c chat) chunk(data []byte) error {
	var reply struct {
		Choices providers.Capped[struct {
			Delta   chatMessage `json:"delta"`
			Message chatMessage `json:"message"`
			Text    string      `json:"text"`
			Finish  word        `json:"finish_reason"`
			Stop    word        `json:"stop_reason"`
		}] `json:"choices"`
		Usage providers.Lenient[chatUsage] `json:"usage"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return err
	}
	for _, choice := range reply.Choices {
		c.add(choice.Delta)
		c.add(choice.Message)
		c.b.Add(providers.Text, choice.Text)
		stop(c.b, choice.Stop)
		stop(c.b, choice.Finish)
	}
	u := reply.Usage.Value
	c.b.Running(u.Output)
	count(c.b, u.Input, u.Output)
	c.b.Usage.CachedRead = c.b.Usage.CachedRead.Update(u.InputSub.Value.Cached)
	c.b.Usage.Reasoning = c.b.Usage.Reasoning.Update(u.OutputSub.Value.Reasoning)
	return nil
}

func (c chat) whole(data []byte) error { return c.chunk(data) }

func (c chat) add(m chatMessage) {
	reasoning := m.ReasoningContent.Value
	if reasoning == "" {
		reasoning = m.Reasoning.Value
	}
	c.b.Add(providers.Reasoning, reasoning)
	c.b.Add(providers.Text, m.text())
	c.b.Add(providers.Refusal, m.Refusal.Value)
	tool := 0
	for _, call := range m.ToolCalls {
		tool += len(call.Function.Name) + len(call.Function.Arguments)
	}
	c.b.AddBytes(providers.Tool, tool)
}

func (m chatMessage) text() string {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text
	}
	var parts providers.Capped[struct {
		Text string `json:"text"`
	}]
	_ = json.Unmarshal(m.Content, &parts) // parts of another kind have no text
	var all strings.Builder
	for _, part := range parts {
		all.WriteString(part.Text)
	}
	return all.String()
}
