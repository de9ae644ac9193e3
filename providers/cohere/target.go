package cohere

import (
	"errors"

	"github.com/latgate/latgate/providers/endpoint"
)

// BaseURL is where Cohere's paths begin.
const BaseURL = "https://api.cohere.com"

// Chat measures a model ("command-a-03-2025") at the chat API in version 2,
// [BaseURL] where o names no other. The key is the value of CO_API_KEY where o has
// none.
//
// Cohere caches prompts by itself, so that [providers.Prompt.Caching] sends nothing
// but the context before the text.
func Chat(model string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   Decoder{},
		Provider:  provider,
		API:       api,
		BaseURL:   BaseURL,
		KeyEnv:    "CO_API_KEY",
		Authorize: endpoint.Bearer,
		Path:      func(string, bool) string { return "/v2/chat" },
		Body:      body,
		Terminal:  End,
	}, model, o)
}

type object = map[string]any

func body(r endpoint.Request) (object, error) {
	if r.Model == "" {
		return nil, errors.New("no model")
	}
	var messages []object
	if r.Prompt.System != "" {
		messages = append(messages, object{"role": "system", "content": r.Prompt.System})
	}
	var content any = r.Prompt.Text
	if r.Prompt.CachedContext != "" {
		content = []object{
			{"type": "text", "text": r.Prompt.CachedContext},
			{"type": "text", "text": r.Prompt.Text},
		}
	}
	members := object{
		"model":      r.Model,
		"messages":   append(messages, object{"role": "user", "content": content}),
		"max_tokens": r.Prompt.Limit(),
		"stream":     r.Stream,
	}
	if r.Temperature != nil {
		members["temperature"] = *r.Temperature
	}
	if r.TopP != nil {
		members["p"] = *r.TopP
	}
	if r.TopK != nil {
		members["k"] = *r.TopK
	}
	return members, nil
}
