package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/latgate/latgate/providers"
)

// Events decodes the events of one Messages reply, for hosts that carry them in
// frames of their own: each frame is begun on the builder, then its event handed
// over. A [MessagesDecoder] does so for server-sent events.
//
//	events := anthropic.NewEvents(b)
//	b.EventStream(func(m wire.Message) error { return events.Event(unwrapped(m.Payload)) })
type Events struct {
	b     *providers.Builder
	usage usage // the last value of each count

	like    providers.Pattern // of the deltas that differ in their text
	channel providers.Channel // of that
}

// NewEvents returns the decoder of the reply that b puts together.
func NewEvents(b *providers.Builder) *Events { return &Events{b: b} }

// head is what every event, and every reply in one piece, begins with.
type head struct {
	Type  string          `json:"type"`
	Error json.RawMessage `json:"error"`
}

// failed reports an error. Proxies and hosts leave out its type.
func (h head) failed() bool {
	return h.Type == "error" || providers.Present(h.Error)
}

// Event decodes the JSON of one event, whose type it takes from the member of that
// name. Types that it does not know are ignored: the API may add some at any time.
// It ends the response at message_stop and at an error. The error returned says
// that data is not what the API sends.
func (e *Events) Event(data []byte) error {
	if text, ok := e.like.Match(data); ok {
		e.b.Add(e.channel, text)
		return nil
	}
	e.like.Forget()
	var event struct {
		head
		Message json.RawMessage `json:"message"`
		Block   json.RawMessage `json:"content_block"`
		Delta   json.RawMessage `json:"delta"`
		Usage   json.RawMessage `json:"usage"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return err
	}
	if event.failed() {
		e.fail(data)
		return nil
	}
	var err error
	switch event.Type {
	case "message_start":
		err = e.start(event.Message)
	case "content_block_start":
		err = e.blockStart(event.Block)
	case "content_block_delta":
		err = e.delta(event.Delta, data)
	case "message_delta":
		err = e.messageDelta(event.Delta, event.Usage)
	case "message_stop":
		e.b.Finish()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", event.Type, err)
	}
	return nil
}

// fail ends the response with the error in data, which names the request where
// the response head did not.
func (e *Events) fail(data []byte) {
	noteRequestID(e.b, data)
	report := providers.ErrorOf(data)
	if (report == providers.ServerError{}) {
		report.Message = string(data) // in nobody's words
	}
	e.b.FailStream(report)
}

func noteRequestID(b *providers.Builder, data []byte) {
	var report struct {
		RequestID string `json:"request_id"`
	}
	if b.RequestID == "" && json.Unmarshal(data, &report) == nil {
		b.RequestID = report.RequestID
	}
}

func (e *Events) start(data json.RawMessage) error {
	var message struct {
		ID    providers.Lenient[string] `json:"id"`
		Model providers.Lenient[string] `json:"model"`
		Usage providers.Lenient[usage]  `json:"usage"`
	}
	if err := unmarshal(data, &message); err != nil {
		return err
	}
	e.note(message.ID.Value, message.Model.Value)
	e.count(message.Usage.Value)
	return nil
}

// unmarshal is json.Unmarshal for a member of an event, which may be missing.
func unmarshal(data json.RawMessage, v any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, v)
}

// blockStart looks for reasoning that comes encrypted, which has no deltas. All
// else that a block may begin with is no token of the answer: a tool's name, the
// results of a search. But a reply that calls a tool is not empty, be it one that
// takes no parameters, nor is one whose text came with the start of its block.
func (e *Events) blockStart(data json.RawMessage) error {
	var block struct {
		Type     string                    `json:"type"`
		Text     providers.Lenient[string] `json:"text"`
		Thinking providers.Lenient[string] `json:"thinking"`
		Data     providers.Lenient[string] `json:"data"` // of another kind in blocks of other types
	}
	if err := unmarshal(data, &block); err != nil {
		return err
	}
	switch {
	case block.Type == "redacted_thinking":
		e.b.AddRedacted(block.Data.Value)
	case isToolUse(block.Type),
		block.Type == "text" && block.Text.Value != "",
		block.Type == "thinking" && block.Thinking.Value != "":
		e.b.Nonempty()
	}
	return nil
}

// isToolUse reports whether a block calls a tool: the caller's (tool_use), the
// server's (server_tool_use) or an MCP server's (mcp_tool_use).
func isToolUse(blockType string) bool { return strings.HasSuffix(blockType, "tool_use") }

// delta notes content. Signatures, citations, compaction and deltas of a later
// time are none, whatever their members are.
func (e *Events) delta(data json.RawMessage, event []byte) error {
	var delta struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Thinking string `json:"thinking"`
		Input    string `json:"partial_json"`
	}
	err := unmarshal(data, &delta)
	switch delta.Type {
	case "text_delta":
		e.b.Add(providers.Text, delta.Text)
		if err == nil {
			e.channel = providers.Text
			e.like.Learn(event, delta.Text, "text")
		}
	case "thinking_delta":
		e.b.Add(providers.Reasoning, delta.Thinking)
		if err == nil {
			e.channel = providers.Reasoning
			e.like.Learn(event, delta.Thinking, "thinking")
		}
	case "input_json_delta":
		e.b.Add(providers.Tool, delta.Input)
	case "":
	default:
		return nil
	}
	return err
}

func (e *Events) messageDelta(data, record json.RawMessage) error {
	var delta struct {
		StopReason providers.Lenient[string] `json:"stop_reason"`
	}
	if err := unmarshal(data, &delta); err != nil {
		return err
	}
	e.stop(delta.StopReason.Value)
	var u usage
	if unmarshal(record, &u) == nil {
		e.count(u)
	}
	return nil
}

// Message decodes the JSON of a reply in one piece. The error returned says that
// data is none.
func (e *Events) Message(data []byte) error {
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return err
	}
	if h.failed() {
		e.fail(data)
		return nil
	}
	var m struct {
		ID         providers.Lenient[string]          `json:"id"`
		Model      providers.Lenient[string]          `json:"model"`
		Content    *providers.Capped[json.RawMessage] `json:"content"` // nil where there is none
		StopReason providers.Lenient[string]          `json:"stop_reason"`
		Usage      providers.Lenient[usage]           `json:"usage"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	if h.Type != "message" || m.Content == nil {
		return fmt.Errorf("a reply of type %q, which is no message with content", h.Type)
	}
	e.note(m.ID.Value, m.Model.Value)
	e.stop(m.StopReason.Value)
	e.count(m.Usage.Value)
	for i, block := range *m.Content {
		if err := e.block(block); err != nil {
			return fmt.Errorf("content[%d]: %w", i, err)
		}
	}
	e.b.Complete()
	return nil
}

// block notes a whole block. What the server's own tools were asked and answered
// is no content, though a reply with such a call is not empty.
func (e *Events) block(data []byte) error {
	var b struct {
		Type     string                    `json:"type"`
		Text     providers.Lenient[string] `json:"text"`
		Thinking providers.Lenient[string] `json:"thinking"`
		Data     providers.Lenient[string] `json:"data"`
		Name     providers.Lenient[string] `json:"name"`
		Input    json.RawMessage           `json:"input"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	switch {
	case b.Type == "text":
		e.b.Add(providers.Text, b.Text.Value)
	case b.Type == "thinking":
		e.b.Add(providers.Reasoning, b.Thinking.Value)
	case b.Type == "redacted_thinking":
		e.b.AddRedacted(b.Data.Value)
	case b.Type == "tool_use":
		e.b.AddBytes(providers.Tool, len(b.Name.Value)+len(b.Input))
	case isToolUse(b.Type):
		e.b.Nonempty()
	}
	return nil
}

func (e *Events) note(id, model string) {
	if model != "" {
		e.b.Model = model
	}
	if e.b.RequestID == "" {
		e.b.RequestID = id
	}
}

func (e *Events) stop(reason string) {
	if reason != "" {
		e.b.Stop = reason
	}
}

func (e *Events) count(u usage) {
	e.usage.update(u)
	e.b.Usage = e.usage.canonical()
}
