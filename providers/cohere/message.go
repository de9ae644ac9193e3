package cohere

import (
	"bytes"
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// An event is one event of a stream, as far as all of them agree. What is in the
// delta depends on the type.
type event struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Delta   json.RawMessage `json:"delta"`
	Message json.RawMessage `json:"message"` // of an error
	Error   json.RawMessage `json:"error"`
}

type delta struct {
	Message message `json:"message"`
	ending
}

// whole is the body of a reply that does not stream.
type whole struct {
	ID      string  `json:"id"`
	Message message `json:"message"`
	ending
}

type ending struct {
	FinishReason string          `json:"finish_reason"`
	Usage        usage           `json:"usage"`
	Error        json.RawMessage `json:"error"`
}

type message struct {
	Role      string        `json:"role"`
	ToolPlan  string        `json:"tool_plan"`
	Content   list[content] `json:"content"`
	ToolCalls list[call]    `json:"tool_calls"`
}

type content struct {
	Text     string `json:"text"`
	Thinking string `json:"thinking"`
}

type call struct {
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// A list is a JSON array in a whole reply, and the one object that it would hold in
// an event of a stream.
type list[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (l *list[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		*l = make(list[T], 1)
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]T)(l))
}

// present reports whether a JSON member is there and not null.
func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// counts are tokens of the model, or what is billed of them.
type counts struct {
	Input     providers.Count `json:"input_tokens"`
	Output    providers.Count `json:"output_tokens"`
	Reasoning providers.Count `json:"reasoning_tokens"`
}

// usage is the record at the end of a reply.
type usage struct {
	Tokens counts          `json:"tokens"` // with the model's template
	Billed counts          `json:"billed_units"`
	Cached providers.Count `json:"cached_tokens"` // of the input
}

// UnmarshalJSON implements [json.Unmarshaler]. A record that is none is as good
// as no record.
func (u *usage) UnmarshalJSON(data []byte) error {
	*u = usage{}
	type record usage
	_ = json.Unmarshal(data, (*record)(u))
	return nil
}

// canonical counts the tokens of the model. What is billed stands in only where
// those are missing: it leaves the template out.
func (u usage) canonical() providers.Usage {
	tokens := u.Tokens
	if !tokens.Input.Known() && !tokens.Output.Known() {
		tokens = u.Billed
	}
	return providers.Usage{
		Input: tokens.Input, Output: tokens.Output, CachedRead: u.Cached, Reasoning: tokens.Reasoning,
	}
}
