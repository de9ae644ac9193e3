package openai

import (
	"fmt"

	"github.com/latgate/latgate/providers"
)

// failure returns the error that a chunk reports. It is looked for before the
// content: some servers send both in one chunk. With vLLM the error may be the chunk
// itself, with OpenRouter it may be in a choice.
func (c *chunk) failure(data []byte) (e providers.ServerError, failed bool) {
	if providers.Reports(c.Error) || c.Object.Value == "error" {
		return providers.ErrorOf(data), true
	}
	for i := range c.Choices {
		if report := c.Choices[i].Error; report != nil && providers.Reports(*report) {
			return providers.ErrorOf(*report), true
		}
	}
	return providers.ServerError{}, false
}

// failFinished ends a reply whose finish reason is that something went wrong, for
// the servers that say no more than that: "error" of Mistral and OpenRouter, "abort"
// of vLLM and SGLang, and DeepSeek's for a server that has no capacity left.
func (d *chat) failFinished(c *chunk) {
	for i := range c.Choices {
		reason := c.Choices[i].FinishReason.Value
		e := providers.ServerError{Code: reason, Message: fmt.Sprintf("the reply has the finish reason %q", reason)}
		switch reason {
		case "error":
			e.Code = "" // as good as none
		case "abort", insufficientResource:
		default:
			continue
		}
		failed := d.Class != ""
		d.FailStream(e)
		d.Overloaded = d.Overloaded || !failed && reason == insufficientResource
		return
	}
}

const insufficientResource = "insufficient_system_resource"
