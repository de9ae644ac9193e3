package openai

import (
	"encoding/json"
	"fmt"

	"github.com/latgate/latgate/providers"
)

// response is the object that the terminal event of a stream holds, and the body
// of a whole reply.
type response struct {
	ID      word                             `json:"id"`
	Object  word                             `json:"object"`
	Model   word                             `json:"model"`
	Status  word                             `json:"status"`
	Error   json.RawMessage                  `json:"error"`
	Usage   providers.Lenient[responseUsage] `json:"usage"`
	Details providers.Lenient[struct {
		Reason word `json:"reason"`
	}] `json:"incomplete_details"`
}

// whole reads a reply that is one JSON object.
func (d *responses) whole() {
	var r struct {
		response
		Output *providers.Capped[json.RawMessage] `json:"output"`
	}
	if !d.Whole(&r) {
		return
	}
	switch status := r.Status.Value; {
	case status == "failed" || providers.Reports(r.Error):
		d.note(&r.response)
		d.fail(&r.response)
		return
	case r.Object.Value != "response" || r.Output == nil:
		d.Fail(providers.Parse, "", "a reply that is no response with output")
		return
	case status == "queued" || status == "in_progress":
		d.Fail(providers.Parse, "", "a response that is still "+status+": ask for it without background")
		return
	case status == "cancelled":
		d.note(&r.response)
		d.Fail(providers.StreamError, "", "the response was cancelled")
		return
	}
	d.note(&r.response)
	for i, raw := range *r.Output {
		if err := d.item(raw); err != nil {
			d.Fail(providers.Parse, "", fmt.Sprintf("output.%d: %v", i, err))
			return
		}
	}
	d.Complete()
}
