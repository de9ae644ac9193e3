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
	ID      word            `json:"id"`
	Delta   json.RawMessage `json:"delta"`
	Message json.RawMessage `json:"message"` // of an error
	Error   json.RawMessage `json:"error"`
}

// word is a string that a reply is not lost for when it is something else.
type word = providers.Lenient[string]

// failure returns the error that an event, with its data, reports. One without a
// type is nothing else, if anything.
func (e *event) failure(data []byte) (report providers.ServerError, failed bool) {
	switch {
	case e.Type == "error", e.Type == "" && (providers.Reports(e.Error) || e.isMessage()):
		return providers.ErrorOf(data), true
	case providers.Reports(e.Error):
		return providers.ErrorOf(e.Error), true
	}
	return report, false
}

// isMessage reports whether the message is that of an error, a string, and not that
// of a model.
func (e *event) isMessage() bool { return len(e.Message) > len(`""`) && e.Message[0] == '"' }

type delta struct {
	Message message `json:"message"`
	ending
}

// whole is the body of a reply that does not stream.
type whole struct {
	ID      word    `json:"id"`
	Message message `json:"message"`
	ending
}

type ending struct {
	FinishReason word                     `json:"finish_reason"`
	Usage        providers.Lenient[usage] `json:"usage"`
	Error        json.RawMessage          `json:"error"`
}

type message struct {
	Role      word          `json:"role"`
	ToolPlan  word          `json:"tool_plan"`
	Content   list[content] `json:"content"`
	ToolCalls list[call]    `json:"tool_calls"`
}

type content struct {
	Text     string `json:"text"`
	Thinking word   `json:"thinking"`
}

type call struct {
	Function struct {
		Name      word   `json:"name"`
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
	return json.Unmarshal(data, (*providers.Capped[T])(l))
}

// counts are tokens of the model, or what is billed of them.
type counts struct {
	Input     providers.Count `json:"input_tokens"`
	Output    providers.Count `json:"output_tokens"`
	Reasoning providers.Count `json:"reasoning_tokens"`
}

// usage is the record at the end of a reply.
type usage struct {
	Tokens providers.Lenient[counts] `json:"tokens"` // with the model's template
	Billed providers.Lenient[counts] `json:"billed_units"`
	Cached providers.Count           `json:"cached_tokens"` // of the input
}

// canonical counts the tokens of the model. What is billed stands in only where
// those are missing: it leaves the template out.
func (u usage) canonical() providers.Usage {
	tokens := u.Tokens.Value
	if !tokens.Input.Known() && !tokens.Output.Known() {
		tokens = u.Billed.Value
	}
	return providers.Usage{
		Input: tokens.Input, Output: tokens.Output, CachedRead: u.Cached, Reasoning: tokens.Reasoning,
	}
}
