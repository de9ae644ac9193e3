package openai

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/latgate/latgate/providers"
)

// clocks are the times that some servers report in the body, under their own
// names. The zero clocks are none.
type clocks struct {
	// Groq, in its usage record, in seconds.
	Queue      *float64 `json:"queue_time"`
	Prompt     *float64 `json:"prompt_time"`
	Completion *float64 `json:"completion_time"`
	Total      *float64 `json:"total_time"`

	// llama.cpp, in milliseconds; it has no total.
	PromptMS    *float64 `json:"prompt_ms"`
	PredictedMS *float64 `json:"predicted_ms"`

	// vLLM, in milliseconds.
	FirstTokenMS *float64 `json:"time_to_first_token_ms"`
	GenerationMS *float64 `json:"generation_time_ms"`
	QueueMS      *float64 `json:"queue_time_ms"`
}

// UnmarshalJSON implements [json.Unmarshaler]. Where one of them is no number, none
// is to be trusted.
func (c *clocks) UnmarshalJSON(data []byte) error {
	*c = clocks{}
	type record clocks
	if mayHold(data) && json.Unmarshal(data, (*record)(c)) != nil {
		*c = clocks{}
	}
	return nil
}

// mayHold spares most usage records a second look.
func mayHold(data []byte) bool {
	return bytes.Contains(data, []byte("_time")) || bytes.Contains(data, []byte("_ms"))
}

// note takes later clocks, where there are any: servers that report with every
// chunk count along.
func (c *clocks) note(later clocks) {
	if later != (clocks{}) {
		*c = later
	}
}

// report tells the times, with the sum that llama.cpp leaves to the reader.
func (c *clocks) report(b *providers.Builder) {
	for _, clock := range []struct {
		name  string
		value *float64
		unit  time.Duration
	}{
		{"queue_time", c.Queue, time.Second},
		{"prompt_time", c.Prompt, time.Second},
		{"completion_time", c.Completion, time.Second},
		{"total_time", c.Total, time.Second},
		{"prompt_ms", c.PromptMS, time.Millisecond},
		{"predicted_ms", c.PredictedMS, time.Millisecond},
		{"time_to_first_token_ms", c.FirstTokenMS, time.Millisecond},
		{"generation_time_ms", c.GenerationMS, time.Millisecond},
		{"queue_time_ms", c.QueueMS, time.Millisecond},
	} {
		b.AddTime(clock.name, clock.value, clock.unit)
	}
	if c.PromptMS != nil && c.PredictedMS != nil {
		total := *c.PromptMS + *c.PredictedMS
		b.AddTime("total_time", &total, time.Millisecond)
	}
}
