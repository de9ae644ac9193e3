package anthropic

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// Messages returns the Messages API of a model. The base URL is
// https://api.anthropic.com unless the options have another, the key that of
// ANTHROPIC_API_KEY. A prompt's cached context goes before its text, with a cache
// mark where the prompt asks for caching; the mark covers the system prompt, too.
func Messages(model string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   MessagesDecoder{},
		Provider:  Provider,
		API:       MessagesAPI,
		BaseURL:   "https://api.anthropic.com",
		KeyEnv:    "ANTHROPIC_API_KEY",
		Authorize: endpoint.Header("X-Api-Key"),
		Header:    http.Header{"Anthropic-Version": {"2023-06-01"}},
		Path:      func(string, bool) string { return "/v1/messages" },
		Body: func(r endpoint.Request) (map[string]any, error) {
			body := members(r)
			body["model"] = r.Model
			return body, nil
		},
		Terminal: terminal,
	}, model, o)
}

// Vertex returns the Messages API of a model at Vertex AI, "claude-haiku-4-5@20251001"
// say. The options must have a base URL, which names the project and the location,
// and a token:
//
//	anthropic.Vertex(model, endpoint.Options{
//		BaseURL: "https://us-east5-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-east5",
//		Token:   func(ctx context.Context) (string, error) { … },
//	})
func Vertex(model string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   MessagesDecoder{},
		Provider:  Provider,
		API:       MessagesAPI,
		Authorize: endpoint.Bearer,
		Path: func(model string, stream bool) string {
			method := ":rawPredict"
			if stream {
				method = ":streamRawPredict"
			}
			return "/publishers/anthropic/models/" + url.PathEscape(model) + method
		},
		Body: func(r endpoint.Request) (map[string]any, error) {
			body := members(r)
			body["anthropic_version"] = "vertex-2023-10-16"
			return body, nil
		},
		Terminal: terminal,
	}, model, o)
}

// members returns what every host wants in a request body.
func members(r endpoint.Request) map[string]any {
	type object = map[string]any
	textBlock := func(text string) object { return object{"type": "text", "text": text} }
	p := r.Prompt
	var content []object
	if p.CachedContext != "" {
		context := textBlock(p.CachedContext)
		if p.Caching {
			mark := object{"type": "ephemeral"}
			if p.CacheTTL != "" {
				mark["ttl"] = p.CacheTTL
			}
			context["cache_control"] = mark
		}
		content = append(content, context)
	}
	body := object{
		"max_tokens": p.Limit(),
		"messages":   []object{{"role": "user", "content": append(content, textBlock(p.Text))}},
		"stream":     r.Stream,
	}
	if p.System != "" {
		body["system"] = p.System
	}
	if r.Temperature != nil {
		body["temperature"] = *r.Temperature
	}
	if r.TopP != nil {
		body["top_p"] = *r.TopP
	}
	if r.TopK != nil {
		body["top_k"] = *r.TopK
	}
	return body
}

// terminal is for [wire.Transport.Terminal]: a stream is over at message_stop, or
// at an error. It runs between two reads, so that most events are told by their
// bytes; the JSON has the last word where text quotes one of the names.
func terminal(resp *http.Response) func([]byte) bool {
	if !wire.Streams(resp, "text/event-stream") {
		return nil
	}
	return wire.SSEEnd(func(e wire.SSEEvent) bool {
		if e.Event == "error" {
			return len(bytes.TrimSpace(e.Data)) > 0 // a blank one keeps the connection alive
		}
		if !bytes.Contains(e.Data, []byte(`"message_stop"`)) && !bytes.Contains(e.Data, []byte(`"error"`)) {
			return false
		}
		var h head
		return json.Unmarshal(e.Data, &h) == nil && (h.Type == "message_stop" || h.failed())
	})
}
