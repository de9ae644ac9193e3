package openai

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// Chat decodes chat completions.
type Chat struct{}

var _ providers.Decoder = Chat{}

// Recognizes reports whether x is a request to .../chat/completions.
func (Chat) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/chat/completions")
}

// requestIDs are the headers that name a request, in this order. Some servers
// have none; the id in the body stands in then.
var requestIDs = []string{
	"x-amzn-requestid", "request-id", "x-request-id", "apim-request-id",
	"x-generation-id", "mistral-correlation-id", "x-ds-trace-id",
}

// Decode implements [providers.Decoder].
func (Chat) Decode(x *wire.Exchange) *providers.Response {
	r := &providers.Response{Provider: "openai", API: "chat-completions", End: x.End}
	for _, name := range requestIDs {
		if r.RequestID == "" {
			r.RequestID = x.Header.Get(name)
		}
	}
	switch {
	case x.Status == 0:
		r.Class = providers.ClassOfError(x.Err)
		if x.Err != nil {
			r.Detail = x.Err.Error()
		}
	case x.Status >= 300:
		e := errorOf(x.Body)
		r.Code, r.Detail = e.name(), e.Message
		r.Class = providers.ClassOfStatus(x.Status, r.Code)
	case strings.HasPrefix(x.Header.Get("Content-Type"), "application/json"):
		decodeWhole(r, x)
	default:
		decodeStream(r, x)
	}
	// A count of 0 beside content is one that the server did not make.
	if len(r.Events) > 0 {
		r.Usage.Input, r.Usage.Output = positive(r.Usage.Input), positive(r.Usage.Output)
	}
	return r
}

func positive(c providers.Count) providers.Count {
	if n, _ := c.Get(); n == 0 {
		return providers.Count{}
	}
	return c
}

// chunk is one event of a stream, and the body of a whole reply: the latter has
// a message where the former has a delta.
type chunk struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Choices []struct {
		Delta        content `json:"delta"`
		Message      content `json:"message"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage    `json:"usage"`
	Error *apiError `json:"error"`
}

type content struct {
	Content          json.RawMessage `json:"content"` // a string, or a list of typed parts
	Refusal          string          `json:"refusal"`
	ReasoningContent string          `json:"reasoning_content"`
	Reasoning        string          `json:"reasoning"`
	ToolCalls        []struct {
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// text returns the visible text and the reasoning that a content field holds.
func (c content) text() (visible, reasoning string) {
	reasoning = c.ReasoningContent
	if reasoning == "" {
		reasoning = c.Reasoning
	}
	if json.Unmarshal(c.Content, &visible) == nil {
		return visible, reasoning
	}
	var parts []struct {
		Text     string `json:"text"`
		Thinking []struct {
			Text string `json:"text"`
		} `json:"thinking"`
	}
	if json.Unmarshal(c.Content, &parts) == nil {
		for _, part := range parts {
			visible += part.Text
			for _, thought := range part.Thinking {
				reasoning += thought.Text
			}
		}
	}
	return visible, reasoning
}

type usage struct {
	Prompt     providers.Count `json:"prompt_tokens"`
	Completion providers.Count `json:"completion_tokens"`
	Total      providers.Count `json:"total_tokens"`
	PromptSub  struct {
		Cached providers.Count `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionSub struct {
		Reasoning providers.Count `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// canonical adds reasoning to the output where the total shows that the server
// left it out of completion_tokens, as xAI does.
func (u usage) canonical() providers.Usage {
	c := providers.Usage{
		Input: u.Prompt, Output: u.Completion,
		CachedRead: u.PromptSub.Cached, Reasoning: u.CompletionSub.Reasoning,
	}
	prompt, _ := u.Prompt.Get()
	completion, _ := u.Completion.Get()
	reasoning, _ := u.CompletionSub.Reasoning.Get()
	if total, known := u.Total.Get(); known && reasoning > 0 && total == prompt+completion+reasoning {
		c.Output = u.Completion.Plus(u.CompletionSub.Reasoning)
	}
	return c
}

type apiError struct {
	Message string          `json:"message"`
	Type    string          `json:"type"`
	Code    json.RawMessage `json:"code"` // a string or a number
}

// UnmarshalJSON takes an error that is a string, its message, as well.
func (e *apiError) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &e.Message) == nil {
		return nil
	}
	type object apiError
	return json.Unmarshal(data, (*object)(e))
}

// errorOf returns the error in the body of a reply with an error status: its
// member, the body itself (older vLLM), or its detail (what FastAPI sends).
func errorOf(body []byte) apiError {
	var nested struct {
		Error  *apiError `json:"error"`
		Detail string    `json:"detail"`
	}
	if json.Unmarshal(body, &nested) == nil && nested.Error != nil {
		return *nested.Error
	}
	var e apiError
	if json.Unmarshal(body, &e) == nil && e.Message == "" {
		e.Message = nested.Detail
	}
	return e
}

func (e *apiError) name() string {
	if code := strings.Trim(string(e.Code), `"`); code != "" && code != "null" {
		return code
	}
	return e.Type
}

// streamClass is the class of an error inside HTTP 200.
func (e *apiError) streamClass() providers.Class {
	if name := e.name(); providers.IsThrottle(name) || providers.IsThrottle(e.Type) || name == "429" || name == "529" {
		return providers.Throttled
	}
	return providers.StreamError
}

// decodeStream reads server-sent events. A stream is complete when a finish
// reason or [DONE] has come: some servers send only the one, some the other.
func decodeStream(r *providers.Response, x *wire.Exchange) {
	var text strings.Builder
	complete := false
	events := wire.NewSSEReader(bytes.NewReader(x.Body))
	for {
		event, err := events.Next()
		if err != nil {
			break
		}
		read, at := x.ReadOf(event.End)
		if event.Data == nil { // not an event to the standard, yet llama-box reports errors in such a field
			for _, field := range event.Other {
				if field.Name == "error" {
					r.Class, r.Detail, r.End = providers.StreamError, string(field.Value), at
				}
			}
			continue
		}
		frame := r.Frames
		r.Frames++
		if frame == 0 {
			r.FirstFrame = at
		}
		if bytes.HasPrefix(event.Data, []byte("[DONE]")) { // as the SDKs have it
			complete, r.End = true, at
			break
		}
		var c chunk
		if err := json.Unmarshal(event.Data, &c); err != nil {
			if event.Unterminated {
				break // cut inside the event
			}
			r.Class, r.Detail = providers.Parse, err.Error()
			break
		}
		note(r, c)
		if c.Error != nil {
			r.Class, r.Code, r.Detail, r.End = c.Error.streamClass(), c.Error.name(), c.Error.Message, at
			break
		}
		moment, _ := at.Get()
		for _, choice := range c.Choices {
			add(r, &text, choice.Delta, providers.Event{Frame: frame, End: event.End, At: moment, Read: read})
			complete = complete || choice.FinishReason != nil && *choice.FinishReason != ""
		}
	}
	r.Text = text.String()
	if r.Class == "" {
		r.Class = providers.ClassOfEnding(x, complete, len(r.Events) > 0)
	}
	mediaType, _, _ := strings.Cut(x.Header.Get("Content-Type"), ";")
	if r.Class == providers.Truncated && r.Frames == 0 && len(x.Body) > 0 && mediaType != "text/event-stream" {
		r.Class, r.Detail = providers.Parse, "no server-sent event in a reply of content type "+mediaType
	}
}

// decodeWhole reads a reply that is one JSON object: its content came with the
// last read.
func decodeWhole(r *providers.Response, x *wire.Exchange) {
	var c chunk
	if err := json.Unmarshal(x.Body, &c); err != nil {
		r.Class, r.Detail = providers.ClassOfEnding(x, false, false), err.Error()
		if r.Class == providers.Truncated && !strings.Contains(r.Detail, "unexpected end") {
			r.Class = providers.Parse
		}
		return
	}
	end := int64(len(x.Body))
	read, at := x.ReadOf(end)
	moment, _ := at.Get()
	r.Frames, r.FirstFrame = 1, at
	note(r, c)
	if c.Error != nil {
		r.Class, r.Code, r.Detail = c.Error.streamClass(), c.Error.name(), c.Error.Message
		return
	}
	if len(c.Choices) == 0 {
		r.Class, r.Detail = providers.Parse, "a reply without choices"
		return
	}
	var text strings.Builder
	for _, choice := range c.Choices {
		add(r, &text, choice.Message, providers.Event{End: end, At: moment, Read: read})
	}
	r.Text = text.String()
	r.Class = providers.ClassOfEnding(x, true, len(r.Events) > 0)
}

// note keeps what any chunk may tell: the last value wins, since usage comes
// once, twice or cumulatively, and not always last.
func note(r *providers.Response, c chunk) {
	if c.Model != "" {
		r.Model = c.Model
	}
	if r.RequestID == "" {
		r.RequestID = c.ID
	}
	if c.Usage != nil && (c.Usage.Prompt.Known() || c.Usage.Completion.Known()) {
		r.Usage = c.Usage.canonical()
	}
	for _, choice := range c.Choices {
		if choice.FinishReason != nil && *choice.FinishReason != "" {
			r.Stop = *choice.FinishReason
		}
	}
}

// add appends the channels of one delta that hold content.
func add(r *providers.Response, text *strings.Builder, c content, e providers.Event) {
	visible, reasoning := c.text()
	text.WriteString(visible)
	r.Reasoning += len(reasoning)
	if reasoning != "" {
		r.Disclosure = providers.Verbatim
	}
	tool := 0
	for _, call := range c.ToolCalls {
		tool += len(call.Function.Name) + len(call.Function.Arguments)
	}
	for _, part := range []struct {
		channel providers.Channel
		bytes   int
	}{
		{providers.Reasoning, len(reasoning)},
		{providers.Text, len(visible)},
		{providers.Refusal, len(c.Refusal)},
		{providers.Tool, tool},
	} {
		if part.bytes > 0 {
			e.Channel, e.Bytes = part.channel, part.bytes
			r.Events = append(r.Events, e)
		}
	}
}
