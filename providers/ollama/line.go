package ollama

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// A line is one line of a stream, and the body of a whole reply: of a chat with a
// message, of a generation with a response. Counts and times come with the last.
type line struct {
	Model   string `json:"model"`
	Message struct {
		Content   string     `json:"content"`
		Thinking  string     `json:"thinking"`
		ToolCalls []toolCall `json:"tool_calls"`
	} `json:"message"`
	Response string          `json:"response"`
	Thinking string          `json:"thinking"`
	Error    json.RawMessage `json:"error"`

	Done           bool            `json:"done"`
	DoneReason     string          `json:"done_reason"`
	PromptCount    providers.Count `json:"prompt_eval_count"` // left out where it is 0
	OutputCount    providers.Count `json:"eval_count"`        // with thinking
	TotalDuration  duration        `json:"total_duration"`
	LoadDuration   duration        `json:"load_duration"`
	PromptDuration duration        `json:"prompt_eval_duration"`
	OutputDuration duration        `json:"eval_duration"`
}

// A toolCall comes in one piece.
type toolCall struct {
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

// bytes returns the length of the name and of the arguments in JSON.
func (c toolCall) bytes() int {
	n := len(c.Function.Name)
	if raw := c.Function.Arguments; string(raw) != "null" {
		n += len(raw)
	}
	return n
}

// A duration is a number of nanoseconds. What is no number is no duration: it must
// not lose the reply that it came with.
type duration struct{ ns *float64 }

// UnmarshalJSON implements [json.Unmarshaler].
func (d *duration) UnmarshalJSON(data []byte) error {
	*d = duration{}
	if json.Unmarshal(data, &d.ns) != nil {
		d.ns = nil
	}
	return nil
}
