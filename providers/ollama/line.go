package ollama

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// A line is one line of a stream, and the body of a whole reply: of a chat with a
// message, of a generation with a response. Counts and times come with the last.
type line struct {
	Model   providers.Lenient[string] `json:"model"`
	Message struct {
		Content   string                     `json:"content"`
		Thinking  string                     `json:"thinking"`
		ToolCalls providers.Capped[toolCall] `json:"tool_calls"`
	} `json:"message"`
	Response string          `json:"response"`
	Thinking string          `json:"thinking"`
	Error    json.RawMessage `json:"error"`

	Done           *bool                     `json:"done"` // nil in what is no reply of Ollama's
	DoneReason     providers.Lenient[string] `json:"done_reason"`
	PromptCount    providers.Count           `json:"prompt_eval_count"` // left out where it is 0
	OutputCount    providers.Count           `json:"eval_count"`        // with thinking
	TotalDuration  nanoseconds               `json:"total_duration"`
	LoadDuration   nanoseconds               `json:"load_duration"`
	PromptDuration nanoseconds               `json:"prompt_eval_duration"`
	OutputDuration nanoseconds               `json:"eval_duration"`
}

// nanoseconds that are no number are no time.
type nanoseconds = providers.Lenient[*float64]

func (l *line) done() bool { return l.Done != nil && *l.Done }

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
	if raw := c.Function.Arguments; providers.Present(raw) {
		n += len(raw)
	}
	return n
}
