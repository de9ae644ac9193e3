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
	ChatAPI        = "chat-completions"
	CompletionsAPI = "completions"
	ResponsesAPI   = "responses"
)

// A ChatDecoder decodes chat completions, streamed or whole: OpenAI's, Azure's and
// those of every compatible server. Where a reply is spoken, the transcript that
// comes with it is text; the sound itself is no content.
type ChatDecoder struct{}

var _ providers.Sniffer = ChatDecoder{}

// Recognizes reports whether x is a request to .../chat/completions.
func (ChatDecoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/chat/completions")
}

// Sniff reports whether a reply is a chat completion, or begins as a stream of one
// does. Not every server names the object; the first chunk of Azure has no choice
// either, and tells what the filter thinks of the prompt.
func (ChatDecoder) Sniff(f providers.Frame) bool {
	h, first, ok := headOf(f.Data)
	switch object := h.Object.Value; {
	case !ok:
		return false
	case strings.HasPrefix(object, "chat.completion"), first.speaks():
		return true
	default:
		return object == "" && providers.Present(h.Filter)
	}
}

// Decode implements [providers.Decoder].
func (ChatDecoder) Decode(x *wire.Exchange) *providers.Response {
	return decodeChat(ChatAPI, x)
}

// decodeChat decodes a reply of an API whose replies have choices.
func decodeChat(api string, x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(provider, api, x)
	c := chat{Builder: b}
	switch {
	case b.Refused():
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case b.MediaType() == "application/json":
		c.whole()
	default:
		c.stream()
	}
	forgetZeros(b)
	c.clocks.report(b)
	// Groq's and llama.cpp's clocks cover the whole request, OpenAI's the wait
	// for the first token.
	b.ServerLatency = b.ServerTime("total_time", "openai-processing-ms")
	return b.Done()
}

// A chat is one reply being decoded. It is complete when all its choices have a
// finish reason, or when [DONE] has come: some servers send only the one, some the
// other. A server that sends "usage": null has promised a usage record, which comes
// after the finish.
type chat struct {
	*providers.Builder
	chunk              chunk // the current one
	like               pattern
	choices            choices
	promised, reported bool
	done               bool   // [DONE] has come
	clocks             clocks // the last that were reported
}

// stream reads a reply in chunks. A choice that began only after all others had
// finished takes back that the reply was complete.
func (d *chat) stream() {
	d.SSE(d.event)
	if d.Class == "" && !d.done && d.choices.writing > 0 {
		d.Class = providers.ClassOfEnding(d.Exchange, false, len(d.Events) > 0)
	}
}

func (d *chat) event(e wire.SSEEvent) error {
	if isDone(e.Data) {
		d.done = true
		d.Finish()
		return nil
	}
	if text, ok := d.like.Match(e.Data); ok {
		d.Add(d.like.channel, text)
		return nil
	}
	d.chunk = chunk{}
	c := &d.chunk
	if err := json.Unmarshal(e.Data, c); err != nil {
		return err
	}
	d.note(c)
	if report, failed := c.failure(e.Data); failed {
		d.FailStream(report)
		return nil
	}
	for i := range c.Choices {
		choice := &c.Choices[i]
		d.add(choice, choice.Delta)
		d.choices.note(choice.Index.Value, choice.FinishReason.Value != "")
	}
	d.Running(c.Usage.Completion)
	// A caller may leave after the finish; a server may not, having promised.
	left := d.Exchange.Ending == wire.EndClosed || d.Exchange.Ending == wire.EndContext
	if d.choices.finished() && (d.reported || !d.promised || left) {
		d.Complete()
	}
	d.failFinished(c)
	d.like.learn(c, e.Data)
	return nil
}

// isDone reports whether data is the mark that ends a stream, as the SDKs see it.
func isDone(data []byte) bool { return bytes.HasPrefix(data, []byte("[DONE]")) }

// whole reads a reply that is one JSON object.
func (d *chat) whole() {
	c := &d.chunk
	if !d.Whole(c) {
		return
	}
	d.note(c)
	if report, failed := c.failure(d.Exchange.Body); failed {
		d.FailStream(report)
	} else if len(c.Choices) == 0 {
		d.Fail(providers.Parse, "", "a reply without choices")
	}
	for i := range c.Choices {
		d.add(&c.Choices[i], c.Choices[i].Message)
	}
	d.Complete()
	d.failFinished(c)
}

// note keeps what any chunk may tell: the last value wins, since usage comes
// once, twice or cumulatively, and not always last.
func (d *chat) note(c *chunk) {
	if c.Model.Value != "" {
		d.Model = c.Model.Value
	}
	for _, id := range []string{c.Groq.Value.ID.Value, c.ID.Value} {
		if d.RequestID == "" {
			d.RequestID = id
		}
	}
	d.count(&c.Groq.Value.Usage)
	for i := range c.Choices {
		if reason := c.Choices[i].FinishReason.Value; reason != "" {
			d.Stop = reason
		}
		if u := c.Choices[i].Usage; u != nil {
			d.count(u)
		}
	}
	d.count(&c.Usage)
	d.promised = d.promised || c.Usage.null
	d.clocks.note(c.Timings)
	d.clocks.note(c.Metrics)
}

// count takes a usage record, where it is one.
func (d *chat) count(u *usage) {
	if u.Prompt.Known() || u.Completion.Known() {
		d.reported = true
		d.Usage = update(d.Usage, u.canonical())
	}
	d.clocks.note(u.clocks)
}

// add notes the channels of one delta or message that hold content. The text of a
// choice is that of a completion; beside a delta it only repeats it.
func (d *chat) add(of *choice, c *content) {
	if c == nil {
		if of.Text != nil {
			d.Add(providers.Text, of.Text.Value)
		}
		return
	}
	visible, reasoning := c.text()
	d.Add(providers.Reasoning, reasoning)
	d.Add(providers.Text, visible)
	d.Add(providers.Text, c.Audio.Value.Transcript.Value)
	if c.Audio.Value.sounds() {
		d.Nonempty()
	}
	d.Add(providers.Refusal, c.Refusal.Value)
	tool := c.FunctionCall.Value.bytes()
	for _, call := range c.ToolCalls.Value {
		tool += call.bytes()
	}
	d.AddBytes(providers.Tool, tool)
}
