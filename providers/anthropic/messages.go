package anthropic

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// The names under which responses of this package are filed.
const (
	Provider    = "anthropic"
	MessagesAPI = "messages"
)

// A MessagesDecoder decodes the Messages API, streamed or whole: Anthropic's, Vertex
// AI's, and that of every host which serves it as server-sent events.
type MessagesDecoder struct{}

var _ providers.Sniffer = MessagesDecoder{}

// Recognizes reports whether x is a request to .../v1/messages, or to a model of
// Anthropic's at Vertex AI.
func (MessagesDecoder) Recognizes(x *wire.Exchange) bool {
	if x.Method != http.MethodPost {
		return false
	}
	_, vertex := vertexModel(x.Path)
	return vertex || strings.HasSuffix(x.Path, "/v1/messages")
}

// vertexModel returns the model in a path of Vertex AI, and whether it is one:
// .../publishers/anthropic/models/{model}:[streamR|r]awPredict.
func vertexModel(path string) (model string, ok bool) {
	_, last, ok := strings.Cut(path, "/publishers/anthropic/models/")
	if !ok {
		return "", false
	}
	escaped, ok := strings.CutSuffix(last, ":streamRawPredict")
	if !ok {
		escaped, ok = strings.CutSuffix(last, ":rawPredict")
	}
	if !ok || escaped == "" || escaped == "count-tokens" || strings.Contains(escaped, "/") {
		return "", false
	}
	model, err := url.PathUnescape(escaped)
	if err != nil {
		model = escaped
	}
	return model, true
}

// Sniff reports whether a reply begins as a message does.
func (MessagesDecoder) Sniff(f providers.Frame) bool {
	var first struct {
		Type    string          `json:"type"`
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
		Message struct {
			Role string `json:"role"`
		} `json:"message"`
	}
	if f.MediaType == "application/vnd.amazon.eventstream" || json.Unmarshal(f.Data, &first) != nil {
		return false
	}
	switch first.Type {
	case "message_start":
		return first.Message.Role == "assistant"
	case "message":
		return first.Role == "assistant" && bytes.HasPrefix(first.Content, []byte("["))
	}
	return false
}

// Decode implements [providers.Decoder].
func (MessagesDecoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder(Provider, MessagesAPI, x)
	b.Model, _ = vertexModel(x.Path)
	events := NewEvents(b)
	switch {
	case b.Refused():
		noteRequestID(b, b.Exchange.Body)
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case b.MediaType() == "application/json", startsWithObject(b.Exchange.Body):
		whole(b, events)
	default:
		b.SSE(func(e wire.SSEEvent) error { return events.Event(e.Data) })
		if b.Class == providers.StreamError || b.Class == providers.Throttled {
			noteError(b)
		}
	}
	return b.Done()
}

// startsWithObject reports whether a body is JSON, whatever its content type: some
// gateways call every reply an event stream, which begins with no brace.
func startsWithObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
}

// noteError completes what is known of the error that ended a stream. An event
// named error ends it before anybody sees what is in the event beside an error: the
// id of the request, or words that are no JSON.
func noteError(b *providers.Builder) {
	events := wire.NewSSEReader(bytes.NewReader(b.Exchange.Body))
	for {
		e, err := events.Next()
		if err != nil {
			return
		}
		if e.Event == "error" && len(e.Data) > 0 {
			noteRequestID(b, e.Data)
			if b.Code == "" && b.Detail == "" {
				b.Detail = string(e.Data)
			}
			return
		}
	}
}

// whole reads a reply that is one JSON object.
func whole(b *providers.Builder, events *Events) {
	var body json.RawMessage
	if !b.Whole(&body) {
		return
	}
	if err := events.Message(body); err != nil {
		b.Fail(providers.Parse, "", err.Error())
	}
}
