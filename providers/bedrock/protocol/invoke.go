package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const (
	streamOperation = "invoke-with-response-stream"
	unaryOperation  = "invoke"

	chunkEvent = "chunk" // the :event-type of every piece of a stream
)

// Invoke decodes InvokeModelWithResponseStream and InvokeModel, whose replies are
// in the words of the model: of Anthropic, Nova, Llama, Titan, Cohere and Mistral,
// and of those that speak as OpenAI's chat completions do. Which it is, the reply
// tells: a model may be named by an ARN that does not.
type Invoke struct{}

var _ providers.Sniffer = Invoke{}

// Recognizes reports whether x is a request to
// /model/{id}/invoke[-with-response-stream].
func (Invoke) Recognizes(x *wire.Exchange) bool {
	_, api := invokeRoute(x.Path)
	return x.Method == http.MethodPost && api != ""
}

func invokeRoute(path string) (model, api string) {
	switch model, operation := route(path); operation {
	case streamOperation:
		return model, InvokeStreamAPI
	case unaryOperation:
		return model, InvokeAPI
	}
	return "", ""
}

// Sniff reports whether a reply begins as an InvokeModelWithResponseStream does.
func (Invoke) Sniff(f providers.Frame) bool {
	return f.MediaType == "application/vnd.amazon.eventstream" && f.Type == chunkEvent
}

// Decode implements [providers.Decoder].
func (Invoke) Decode(x *wire.Exchange) *providers.Response {
	model, api := invokeRoute(x.Path)
	if api == "" {
		api = InvokeStreamAPI // recognized by its first frame
	}
	b := providers.NewBuilder(Provider, api, x)
	b.Served = x.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency")
	v := invocation{Builder: b}
	switch {
	case b.Refused():
		b.Refuse(refusal(b.Exchange))
	case api == InvokeAPI:
		v.unary()
	default:
		b.EventStream(v.event)
	}
	b.Model = MaskAccount(model) // as requested, not as the model calls itself
	b.ServerLatency = b.ServerTime("invocationLatency", "x-amzn-bedrock-invocation-latency")
	return b.Done()
}

// An invocation is one reply being decoded. A stream is complete when Bedrock's
// metrics have come, which it adds to the last JSON of the model, or what the
// model itself ends with: a stream that a guardrail blocked has no metrics.
type invocation struct {
	*providers.Builder
	grammar grammar // nil before the first JSON that tells
}

// A grammar reads the JSON of one family of models. Its errors say that the JSON is
// not what the family sends.
type grammar interface {
	// chunk reads a piece of a stream. It notes a stop field as
	// [providers.Builder.Complete].
	chunk(data []byte) error

	// whole reads a reply in one piece.
	whole(data []byte) error
}

func (v *invocation) event(m wire.Message) error {
	if m.Header(":event-type") != chunkEvent {
		return nil
	}
	data, err := unwrap(m.Payload)
	if err != nil || len(data) == 0 {
		return err
	}
	e := endingOf(data)
	if e.failed() {
		v.fail(data)
		return nil
	}
	if err := v.choose(data); err != nil {
		return err
	}
	if v.grammar != nil {
		if err := v.grammar.chunk(data); err != nil {
			return err
		}
	}
	e.apply(v.Builder)
	return nil
}

// unwrap returns the JSON of the model in the payload of a chunk, which may be
// empty. Padding ("p") beside it is ignored.
func unwrap(payload []byte) ([]byte, error) {
	var c struct {
		Bytes []byte `json:"bytes"` // in base64
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fmt.Errorf("chunk: %w", err)
	}
	if c.Bytes == nil {
		return nil, errors.New("chunk: without bytes")
	}
	return c.Bytes, nil
}

// fail ends the response with the error in data.
func (v *invocation) fail(data []byte) {
	report := providers.ErrorOf(data)
	if (report == providers.ServerError{}) {
		report.Message = string(data) // in nobody's words
	}
	v.FailStream(report)
}

// unary reads a reply that comes whole: its content has one time, that of the read
// that completed the body.
func (v *invocation) unary() {
	var body json.RawMessage
	if !v.Whole(&body) {
		return
	}
	if e := endingOf(body); e.failed() {
		v.fail(body)
		return
	}
	err := v.choose(body)
	if err == nil && v.grammar != nil {
		err = v.grammar.whole(body)
	}
	if err != nil {
		v.Fail(providers.Parse, "", err.Error())
		return
	}
	metricsOf(v.Exchange.Header).fill(&v.Usage)
	v.Complete()
}
