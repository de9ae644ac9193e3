package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A ResponsesDecoder decodes the responses API, streamed or whole: OpenAI's,
// Azure's, Amazon Bedrock's and that of compatible servers.
//
// The stop reason of a [providers.Response] is the status, with the reason where
// the response is incomplete: "completed", "incomplete:max_output_tokens".
//
// The transcript of a reply that is spoken is text; the sound itself is no content.
type ResponsesDecoder struct{}

var _ providers.Sniffer = ResponsesDecoder{}

// Recognizes reports whether x is a request to .../responses, which makes a new
// response, as opposed to what is asked of one that exists.
func (ResponsesDecoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/responses")
}

// Sniff reports whether a reply begins as a response does.
func (ResponsesDecoder) Sniff(f providers.Frame) bool {
	var head struct {
		Type     word            `json:"type"`
		Object   word            `json:"object"`
		Response json.RawMessage `json:"response"`
	}
	if json.Unmarshal(f.Data, &head) != nil {
		return false
	}
	return head.Object.Value == "response" || strings.HasPrefix(head.Type.Value, "response.") && providers.Present(head.Response)
}

// Decode implements [providers.Decoder].
func (ResponsesDecoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(provider, ResponsesAPI, x)
	d := responses{Builder: b}
	switch {
	case b.Refused():
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case b.MediaType() == "application/json":
		d.whole()
	default:
		b.SSE(d.event)
	}
	forgetZeros(b)
	b.ServerLatency = b.ServerTime("openai-processing-ms")
	return b.Done()
}

// responses is one reply being decoded.
type responses struct {
	*providers.Builder
	called items // those of which there was a delta of what a tool is called with
}

// responseEvent is one event of a stream. Its type is in the JSON: on Bedrock the
// name comes after the data, or not at all.
type responseEvent struct {
	Type     string          `json:"type"`
	Delta    json.RawMessage `json:"delta"`
	Response json.RawMessage `json:"response"`
	Item     json.RawMessage `json:"item"`
	ItemID   json.RawMessage `json:"item_id"`
	Index    json.RawMessage `json:"output_index"`
	Error    json.RawMessage `json:"error"`
}

// typed returns the type of an event.
func (v *responseEvent) typed(e wire.SSEEvent) string {
	if v.Type == "" {
		return e.Event
	}
	return v.Type
}

// failure returns the error that an event, with its data, reports.
func (v *responseEvent) failure(data []byte) (report providers.ServerError, failed bool) {
	switch {
	case v.Type == "error", v.Type == "" && providers.Reports(v.Error):
		return providers.ErrorOf(data), true
	case providers.Reports(v.Error):
		return providers.ErrorOf(v.Error), true
	}
	return report, false
}

func (d *responses) event(e wire.SSEEvent) error {
	if isDone(e.Data) { // of some servers, after the terminal event
		return nil
	}
	var v responseEvent
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return err
	}
	if report, failed := v.failure(e.Data); failed {
		d.FailStream(report)
		return nil
	}
	v.Type = v.typed(e)
	if err := d.take(&v); err != nil {
		return fmt.Errorf("%s: %w", v.Type, err)
	}
	return nil
}

// take does not count what other events repeat or announce: those that end in
// .done hold whole texts, those that end in .added at most a name or ciphertext.
func (d *responses) take(v *responseEvent) error {
	switch v.Type {
	case "response.created", "response.completed", "response.incomplete", "response.failed":
		return d.state(v)
	case "response.output_item.added", "response.output_item.done":
		d.announced(v)
		return nil
	}
	channel, isSummary := channelOf(v.Type)
	if channel == "" {
		return nil // of no meaning here, or of a later time
	}
	var delta string
	if err := json.Unmarshal(v.Delta, &delta); err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	switch {
	case isSummary:
		d.AddSummary(delta)
		return nil
	case channel == providers.Tool && delta != "":
		d.called.add(v.ItemID, v.Index)
	}
	d.Add(channel, delta)
	return nil
}

// channelOf returns the channel of a type of delta, "" where it is no content.
func channelOf(eventType string) (channel providers.Channel, isSummary bool) {
	switch eventType {
	case "response.output_text.delta",
		"response.output_audio_transcript.delta", "response.audio.transcript.delta":
		return providers.Text, false
	case "response.refusal.delta":
		return providers.Refusal, false
	case "response.reasoning_text.delta":
		return providers.Reasoning, false
	case "response.reasoning_summary_text.delta":
		return providers.Reasoning, true
	case "response.custom_tool_call_input.delta", "response.code_interpreter_call_code.delta",
		"response.shell_call_command.delta", "response.apply_patch_call_operation_diff.delta":
		return providers.Tool, false
	}
	if strings.HasSuffix(eventType, "_arguments.delta") { // of functions, of MCP
		return providers.Tool, false
	}
	return "", false
}

// state reads the response that the first and the terminal event hold.
func (d *responses) state(v *responseEvent) error {
	var r response
	if err := json.Unmarshal(v.Response, &r); err != nil {
		return fmt.Errorf("response: %w", err)
	}
	d.note(&r)
	if v.Type == "response.created" {
		return nil
	}
	if d.Stop == "" {
		d.Stop = strings.TrimPrefix(v.Type, "response.")
	}
	if v.Type == "response.failed" {
		d.fail(&r)
		return nil
	}
	d.Finish()
	return nil
}

// note keeps what a response tells of itself.
func (d *responses) note(r *response) {
	if r.Model.Value != "" {
		d.Model = r.Model.Value
	}
	if d.RequestID == "" {
		d.RequestID = r.ID.Value
	}
	d.Usage = update(d.Usage, r.Usage.Value.canonical())
	switch r.Status.Value {
	case "queued", "in_progress", "":
	default:
		d.Stop = r.Status.Value
		if reason := r.Details.Value.Reason.Value; reason != "" {
			d.Stop += ":" + reason
		}
	}
}

// fail ends a response that failed.
func (d *responses) fail(r *response) {
	e := providers.ErrorOf(r.Error)
	if e.Message == "" {
		e.Message = "the response failed, and does not say why"
	}
	d.FailStream(e)
}
