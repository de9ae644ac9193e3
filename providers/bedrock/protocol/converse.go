package protocol

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// The names under which responses of this package are filed.
const (
	Provider  = "bedrock"
	StreamAPI = "converse-stream"
	UnaryAPI  = "converse"
)

// Converse decodes ConverseStream and Converse.
type Converse struct{}

var _ providers.Decoder = Converse{}

// Recognizes reports whether x is a request to /model/{id}/converse[-stream].
func (Converse) Recognizes(x *wire.Exchange) bool {
	_, api := route(x.Path)
	return x.Method == http.MethodPost && api != ""
}

// route splits /model/{id}/converse[-stream]; a proxy may have put a prefix
// before it.
func route(path string) (model, api string) {
	i := strings.Index(path, "/model/")
	if i < 0 {
		return "", ""
	}
	escaped, operation, ok := strings.Cut(path[i+len("/model/"):], "/")
	if !ok || (operation != StreamAPI && operation != UnaryAPI) {
		return "", ""
	}
	model, err := url.PathUnescape(escaped)
	if err != nil {
		model = escaped
	}
	return model, operation
}

var account = regexp.MustCompile(`:[0-9]{12}:`)

// MaskAccount hides the AWS account in a model that is named by its ARN.
func MaskAccount(model string) string { return account.ReplaceAllString(model, ":***:") }

// Decode implements [providers.Decoder].
func (Converse) Decode(x *wire.Exchange) *providers.Response {
	r := &providers.Response{Provider: Provider, End: x.End}
	r.Model, r.API = route(x.Path)
	r.Model = MaskAccount(r.Model)
	r.RequestID = x.Header.Get("x-amzn-requestid")
	switch {
	case x.Status == 0:
		r.Class = providers.ClassOfError(x.Err)
		if x.Err != nil {
			r.Detail = x.Err.Error()
		}
	case x.Status >= 300:
		decodeError(r, x)
	case r.API == UnaryAPI:
		decodeUnary(r, x)
	default:
		decodeStream(r, x)
	}
	return r
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
	Usage   usage `json:"usage"`
	Metrics struct {
		LatencyMs *float64 `json:"latencyMs"`
	} `json:"metrics"`
	PerformanceConfig struct {
		Latency string `json:"latency"`
	} `json:"performanceConfig"`
}

func (f facts) apply(r *providers.Response) {
	r.Usage = f.Usage.canonical()
	r.Served = f.PerformanceConfig.Latency
	if ms := f.Metrics.LatencyMs; ms != nil {
		r.ServerLatency = wire.At(time.Duration(*ms * float64(time.Millisecond)))
	}
}

// delta is the union inside a contentBlockDelta. Padding ("p") and members that
// did not exist when this was written are ignored.
type delta struct {
	Delta struct {
		Text      *string `json:"text"`
		Reasoning *struct {
			Text     string `json:"text"`
			Redacted string `json:"redactedContent"`
		} `json:"reasoningContent"`
		ToolUse *struct {
			Input string `json:"input"`
		} `json:"toolUse"`
	} `json:"delta"`
}

// decodeStream reads a body of event-stream frames. The stream is complete when
// messageStop and the metadata event that always follows it have arrived.
func decodeStream(r *providers.Response, x *wire.Exchange) {
	if contentType, _, _ := strings.Cut(x.Header.Get("Content-Type"), ";"); contentType != "application/vnd.amazon.eventstream" {
		r.Class = providers.Parse
		r.Detail = "want content type application/vnd.amazon.eventstream, got " + contentType
		return
	}
	var text strings.Builder
	var stopped, complete bool
	frames := wire.NewEventStreamReader(bytes.NewReader(x.Body))
	var frameErr error
	for !complete {
		m, err := frames.Next()
		if err != nil {
			frameErr = err
			break
		}
		read, at := x.ReadOf(m.End)
		frame := r.Frames
		r.Frames++
		if frame == 0 {
			r.FirstFrame = at
		}
		if kind := m.Header(":message-type"); kind != "event" {
			streamError(r, kind, m)
			r.End = at
			break
		}
		switch m.Header(":event-type") {
		case "contentBlockDelta":
			var d delta
			if err := json.Unmarshal(m.Payload, &d); err != nil {
				r.Class, r.Detail = providers.Parse, "contentBlockDelta: "+err.Error()
				return
			}
			moment, _ := at.Get()
			e := providers.Event{Frame: frame, End: m.End, At: moment, Read: read}
			switch {
			case d.Delta.Text != nil:
				text.WriteString(*d.Delta.Text)
				e.Channel, e.Bytes = providers.Text, len(*d.Delta.Text)
			case d.Delta.Reasoning != nil:
				e.Channel, e.Bytes = providers.Reasoning, len(d.Delta.Reasoning.Text)
				r.Reasoning += e.Bytes
				r.Disclosure = disclosure(r.Disclosure, d.Delta.Reasoning.Text, d.Delta.Reasoning.Redacted)
			case d.Delta.ToolUse != nil:
				e.Channel, e.Bytes = providers.Tool, len(d.Delta.ToolUse.Input)
			}
			if e.Bytes > 0 {
				r.Events = append(r.Events, e)
			}
		case "messageStop":
			var s struct {
				StopReason string `json:"stopReason"`
			}
			if json.Unmarshal(m.Payload, &s) == nil {
				r.Stop = s.StopReason
			}
			stopped = true
		case "metadata":
			var f facts
			if json.Unmarshal(m.Payload, &f) == nil {
				f.apply(r)
			}
			complete, r.End = stopped, at
		}
	}
	r.Text = text.String()
	if r.Class != "" {
		return
	}
	r.Class = providers.ClassOfEnding(x, complete, len(r.Events) > 0)
	if corrupt(frameErr) && r.Class == providers.Truncated {
		r.Class, r.Detail = providers.Parse, frameErr.Error()
	}
}

// disclosure keeps the most telling form seen so far: content beats ciphertext.
func disclosure(so providers.Disclosure, text, redacted string) providers.Disclosure {
	switch {
	case text != "":
		return providers.Verbatim
	case redacted != "" && so == "":
		return providers.Redacted
	}
	return so
}

// unary is the body of a Converse reply.
type unary struct {
	facts
	Output *struct {
		Message struct {
			Content []struct {
				Text      *string `json:"text"`
				Reasoning *struct {
					Text *struct {
						Text string `json:"text"`
					} `json:"reasoningText"`
					Redacted string `json:"redactedContent"`
				} `json:"reasoningContent"`
				ToolUse *struct {
					Name  string          `json:"name"`
					Input json.RawMessage `json:"input"`
				} `json:"toolUse"`
			} `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason string `json:"stopReason"`
}

// decodeUnary reads a reply that comes whole: its content has one time, that of
// the read that completed the body.
func decodeUnary(r *providers.Response, x *wire.Exchange) {
	if x.Ending != wire.EndEOF {
		r.Class = providers.ClassOfEnding(x, false, false)
		return
	}
	var reply unary
	if err := json.Unmarshal(x.Body, &reply); err != nil {
		r.Class, r.Detail = providers.Parse, err.Error()
		if len(x.Body) == 0 || strings.Contains(err.Error(), "unexpected end") {
			r.Class = providers.Truncated
		}
		return
	}
	end := int64(len(x.Body))
	read, at := x.ReadOf(end)
	moment, _ := at.Get()
	r.Frames, r.FirstFrame = 1, at
	reply.apply(r)
	r.Stop = reply.StopReason
	content := func(c providers.Channel, bytes int) {
		if bytes > 0 {
			r.Events = append(r.Events, providers.Event{Channel: c, Bytes: bytes, End: end, At: moment, Read: read})
		}
	}
	if reply.Output != nil {
		for _, block := range reply.Output.Message.Content {
			switch {
			case block.Text != nil:
				r.Text += *block.Text
				content(providers.Text, len(*block.Text))
			case block.Reasoning != nil:
				shown := ""
				if block.Reasoning.Text != nil {
					shown = block.Reasoning.Text.Text
				}
				r.Reasoning += len(shown)
				r.Disclosure = disclosure(r.Disclosure, shown, block.Reasoning.Redacted)
				content(providers.Reasoning, len(shown))
			case block.ToolUse != nil:
				content(providers.Tool, len(block.ToolUse.Name)+len(block.ToolUse.Input))
			}
		}
	}
	r.Class = providers.ClassOfEnding(x, reply.Output != nil, len(r.Events) > 0)
}
