package openai

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// word is a string that a reply is not lost for when it is something else.
type word = providers.Lenient[string]

// chunk is one event of a stream, and the body of a whole reply: the latter has
// a message where the former has a delta.
type chunk struct {
	ID      word                     `json:"id"`
	Object  word                     `json:"object"`
	Model   word                     `json:"model"`
	Choices providers.Capped[choice] `json:"choices"`
	Usage   usage                    `json:"usage"`
	Error   json.RawMessage          `json:"error"`
	Timings clocks                   `json:"timings"` // llama.cpp's; its cache_n is no count of cached tokens
	Metrics clocks                   `json:"metrics"` // vLLM's
	Groq    providers.Lenient[groq]  `json:"x_groq"`
}

// groq is what Groq adds.
type groq struct {
	ID    word  `json:"id"`
	Usage usage `json:"usage"`
}

// choice is one of the replies that were asked for. It is kept small, for the sake
// of lists of many that are empty.
type choice struct {
	Index        providers.Lenient[int] `json:"index"`
	Delta        *content               `json:"delta"`
	Message      *content               `json:"message"`
	Text         *word                  `json:"text"` // of a completion that is no chat
	FinishReason word                   `json:"finish_reason"`
	Usage        *usage                 `json:"usage"` // Moonshot's
	Error        *json.RawMessage       `json:"error"` // OpenRouter's
}

// head is what tells the protocols of a frame apart.
type head struct {
	Object  word                          `json:"object"`
	Choices *providers.Capped[headChoice] `json:"choices"`
	Filter  json.RawMessage               `json:"prompt_filter_results"`
}

type headChoice struct {
	Text    *word   `json:"text"`
	Delta   speaker `json:"delta"`
	Message speaker `json:"message"`
}

// headOf returns the head of a frame, where that has choices, and the first of them.
func headOf(frame []byte) (h head, first headChoice, ok bool) {
	if json.Unmarshal(frame, &h) != nil || h.Choices == nil {
		return h, first, false
	}
	if len(*h.Choices) > 0 {
		first = (*h.Choices)[0]
	}
	return h, first, true
}

// speaks reports whether somebody's delta or message is in the choice.
func (c headChoice) speaks() bool { return c.Delta.speaks() || c.Message.speaks() }

type speaker struct {
	Role    json.RawMessage `json:"role"`
	Content json.RawMessage `json:"content"`
}

func (s speaker) speaks() bool { return len(s.Role) > 0 || len(s.Content) > 0 }
