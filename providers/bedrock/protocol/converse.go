package protocol

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Converse decodes ConverseStream and Converse.
type Converse struct{}

var _ providers.Sniffer = Converse{}

// Recognizes reports whether x is a request to /model/{id}/converse[-stream].
func (Converse) Recognizes(x *wire.Exchange) bool {
	_, api := converseRoute(x.Path)
	return x.Method == http.MethodPost && api != ""
}

func converseRoute(path string) (model, api string) {
	model, operation := route(path)
	if operation != StreamAPI && operation != UnaryAPI {
		return "", ""
	}
	return model, operation
}

// Decode implements [providers.Decoder].
func (Converse) Decode(x *wire.Exchange) *providers.Response {
	model, api := converseRoute(x.Path)
	if api == "" {
		api = StreamAPI // recognized by its first frame
	}
	b := providers.NewBuilder(Provider, api, x)
	b.Model = MaskAccount(model)
	c := converse{Builder: b}
	switch {
	case b.Refused():
		b.Refuse(refusal(b.Exchange))
	case api == UnaryAPI:
		c.unary()
	default:
		b.EventStream(c.event)
	}
	return b.Done()
}

// Sniff reports whether a reply begins as a ConverseStream does.
func (Converse) Sniff(f providers.Frame) bool {
	return f.MediaType == "application/vnd.amazon.eventstream" && f.Type == "messageStart"
}

// usage is the record of ConverseStream's metadata event and of Converse.
// inputTokens excludes what the prompt cache read or wrote.
type usage struct {
	Input      providers.Count `json:"inputTokens"`
	Output     providers.Count `json:"outputTokens"`
	CacheRead  providers.Count `json:"cacheReadInputTokens"`
	CacheWrite providers.Count `json:"cacheWriteInputTokens"`
}

func (u usage) canonical() providers.Usage {
	c := providers.Usage{Output: u.Output, CachedRead: u.CacheRead, CachedWrite: u.CacheWrite}
	if u.Input.Known() {
		c.Input = u.Input.Plus(u.CacheRead, u.CacheWrite)
	}
	return c
}

// facts are what the end of a reply tells, streamed or not.
type facts struct {
	Usage   providers.Lenient[usage] `json:"usage"`
	Metrics providers.Lenient[struct {
		LatencyMs *float64 `json:"latencyMs"`
	}] `json:"metrics"`
	PerformanceConfig providers.Lenient[struct {
		Latency string `json:"latency"`
	}] `json:"performanceConfig"`
}

func (f facts) apply(b *providers.Builder) {
	b.Usage = f.Usage.Value.canonical()
	b.Served = f.PerformanceConfig.Value.Latency
	b.AddTime("latencyMs", f.Metrics.Value.LatencyMs, time.Millisecond)
	b.ServerLatency = b.ServerTime("latencyMs")
}

// delta is a contentBlockDelta with its union. Padding ("p") and members that
// did not exist when this was written are ignored.
type delta struct {
	Delta struct {
		Text      string `json:"text"`
		Reasoning struct {
			Text     string `json:"text"`
			Redacted string `json:"redactedContent"`
		} `json:"reasoningContent"`
		ToolUse struct {
			Input string `json:"input"`
		} `json:"toolUse"`
	} `json:"delta"`
}

func (d delta) add(b *providers.Builder) {
	b.Add(providers.Text, d.Delta.Text)
	b.Add(providers.Reasoning, d.Delta.Reasoning.Text)
	b.AddRedacted(d.Delta.Reasoning.Redacted)
	b.Add(providers.Tool, d.Delta.ToolUse.Input)
}

func (d delta) onlyText() bool {
	return d.Delta.Reasoning.Text == "" && d.Delta.Reasoning.Redacted == "" && d.Delta.ToolUse.Input == ""
}

// A blockStart is a contentBlockStart. The name of a tool is no token of the answer,
// but a reply that calls one is not empty, be it one that takes no parameters.
type blockStart struct {
	Start providers.Lenient[struct {
		ToolUse json.RawMessage `json:"toolUse"`
	}] `json:"start"`
}

func (s blockStart) add(b *providers.Builder) {
	if providers.Present(s.Start.Value.ToolUse) {
		b.Nonempty()
	}
}

// A converse is one reply being decoded. A stream is complete when messageStop and
// the metadata event that always follows it have arrived.
type converse struct {
	*providers.Builder
	stopped bool
	like    providers.Pattern // of the deltas that differ in their text and padding
}

func (c *converse) event(m wire.Message) error {
	switch m.Header(":event-type") {
	case "contentBlockDelta":
		if text, ok := c.like.Match(m.Payload); ok {
			c.Add(providers.Text, text)
			break
		}
		var d delta
		if err := json.Unmarshal(m.Payload, &d); err != nil {
			return fmt.Errorf("contentBlockDelta: %w", err)
		}
		d.add(c.Builder)
		c.like.Forget()
		if d.onlyText() {
			c.like.Learn(m.Payload, d.Delta.Text, "text", "p")
		}
	case "contentBlockStart":
		var s blockStart
		_ = json.Unmarshal(m.Payload, &s) // it holds no content
		s.add(c.Builder)
	case "messageStop":
		var s struct {
			StopReason word `json:"stopReason"`
		}
		_ = json.Unmarshal(m.Payload, &s)
		c.Stop = s.StopReason.Value
		c.stopped = true
	case "metadata":
		var f facts
		if json.Unmarshal(m.Payload, &f) == nil {
			f.apply(c.Builder)
		}
		if c.stopped {
			c.Finish()
		}
	}
	return nil
}

// unary is the body of a Converse reply.
type unary struct {
	facts
	Output     *output `json:"output"`
	StopReason word    `json:"stopReason"`
}

// output is the message of a reply in one piece.
type output struct {
	Message struct {
		Content providers.Capped[struct {
			Text      string `json:"text"`
			Reasoning struct {
				Text struct {
					Text string `json:"text"`
				} `json:"reasoningText"`
				Redacted string `json:"redactedContent"`
			} `json:"reasoningContent"`
			ToolUse struct {
				Name  string          `json:"name"`
				Input json.RawMessage `json:"input"`
			} `json:"toolUse"`
		}] `json:"content"`
	} `json:"message"`
}

func (o output) add(b *providers.Builder) {
	for _, block := range o.Message.Content {
		b.Add(providers.Text, block.Text)
		b.Add(providers.Reasoning, block.Reasoning.Text.Text)
		b.AddRedacted(block.Reasoning.Redacted)
		b.AddBytes(providers.Tool, len(block.ToolUse.Name)+len(block.ToolUse.Input))
	}
}

// unary reads a reply that comes whole: its content has one time, that of the read
// that completed the body.
func (c *converse) unary() {
	var reply unary
	if !c.Whole(&reply) {
		return
	}
	reply.apply(c.Builder)
	c.Stop = reply.StopReason.Value
	if reply.Output == nil {
		return
	}
	reply.Output.add(c.Builder)
	c.Complete()
}
