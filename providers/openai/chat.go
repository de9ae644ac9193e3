package openai

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const provider = "openai"

// The names of the APIs, as in [providers.Response].
const (
	ChatAPI      = "chat-completions"
	ResponsesAPI = "responses"
)

// A ChatDecoder decodes chat completions, streamed or whole: OpenAI's, Azure's and
// those of every compatible server.
type ChatDecoder struct{}

var _ providers.Sniffer = ChatDecoder{}

// Recognizes reports whether x is a request to .../chat/completions.
func (ChatDecoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/chat/completions")
}

// Sniff reports whether a reply begins as a chat completion does. The first chunk
// of Azure names no object; it tells what the filter thinks of the prompt.
func (ChatDecoder) Sniff(f providers.Frame) bool {
	var c struct {
		Object  string            `json:"object"`
		Choices []json.RawMessage `json:"choices"`
		Filter  json.RawMessage   `json:"prompt_filter_results"`
	}
	if json.Unmarshal(f.Data, &c) != nil || c.Choices == nil {
		return false
	}
	return strings.HasPrefix(c.Object, "chat.completion") || c.Object == "" && present(c.Filter)
}

// Decode implements [providers.Decoder].
func (ChatDecoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(provider, ChatAPI, x)
	c := chat{Builder: b}
	switch {
	case b.Refused():
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case b.MediaType() == "application/json":
		c.whole()
	default:
		b.SSE(c.event)
	}
	forgetZeros(b)
	c.clocks.report(b)
	// Groq's and llama.cpp's clocks cover the whole request, OpenAI's the wait
	// for the first token.
	b.ServerLatency = b.ServerTime("total_time", "openai-processing-ms")
	return b.Done()
}

// A chat is one reply being decoded. It is complete when a finish reason or
// [DONE] has come: some servers send only the one, some the other. A server that
// sends "usage": null has promised a usage record, which comes after the finish.
type chat struct {
	*providers.Builder
	promised, reported, finished bool
	clocks                       clocks // the last that were reported
}

func (d *chat) event(e wire.SSEEvent) error {
	if isDone(e.Data) {
		d.Finish()
		return nil
	}
	var c chunk
	if err := json.Unmarshal(e.Data, &c); err != nil {
		return err
	}
	d.note(&c)
	if c.reportsError() {
		d.FailStream(providers.ErrorOf(e.Data))
		return nil
	}
	for _, choice := range c.Choices {
		d.add(choice.Delta)
		d.finished = d.finished || choice.FinishReason != ""
	}
	d.Running(c.Usage.Completion)
	// A caller may leave after the finish; a server may not, having promised.
	left := d.Exchange.Ending == wire.EndClosed || d.Exchange.Ending == wire.EndContext
	if d.finished && (d.reported || !d.promised || left) {
		d.Complete()
	}
	d.failFinished()
	return nil
}

// isDone reports whether data is the mark that ends a stream, as the SDKs see it.
func isDone(data []byte) bool { return bytes.HasPrefix(data, []byte("[DONE]")) }

// failFinished ends a reply whose finish reason is that something went wrong, for
// the servers that say no more than that.
func (d *chat) failFinished() {
	if d.Stop == "error" {
		d.FailStream(providers.ServerError{Message: `the reply has the finish reason "error"`})
	}
}

// whole reads a reply that is one JSON object.
func (d *chat) whole() {
	var c chunk
	if !d.Whole(&c) {
		return
	}
	d.note(&c)
	switch {
	case c.reportsError():
		d.FailStream(providers.ErrorOf(d.Exchange.Body))
	case len(c.Choices) == 0:
		d.Fail(providers.Parse, "", "a reply without choices")
	}
	for _, choice := range c.Choices {
		d.add(choice.Message)
	}
	d.Complete()
	d.failFinished()
}

// present reports whether a JSON member is there and not null.
func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// note keeps what any chunk may tell: the last value wins, since usage comes
// once, twice or cumulatively, and not always last.
func (d *chat) note(c *chunk) {
	if c.Model != "" {
		d.Model = c.Model
	}
	if d.RequestID == "" {
		d.RequestID = c.Groq.ID
	}
	if d.RequestID == "" {
		d.RequestID = c.ID
	}
	for _, choice := range c.Choices {
		if choice.FinishReason != "" {
			d.Stop = choice.FinishReason
		}
	}
	for _, u := range []*usage{&c.Groq.Usage, &c.Usage} {
		if u.Prompt.Known() || u.Completion.Known() {
			d.reported = true
			d.Usage = u.canonical()
		}
		d.clocks.note(u.clocks)
	}
	d.promised = d.promised || c.Usage.null
	d.clocks.note(c.Timings)
	d.clocks.note(c.Metrics)
}

// add notes the channels of one delta that hold content.
func (d *chat) add(c content) {
	visible, reasoning := c.text()
	d.Add(providers.Reasoning, reasoning)
	d.Add(providers.Text, visible)
	d.Add(providers.Refusal, c.Refusal)
	tool := c.FunctionCall.bytes()
	for _, call := range c.ToolCalls {
		tool += call.Function.bytes() + call.Custom.bytes()
	}
	d.AddBytes(providers.Tool, tool)
}
