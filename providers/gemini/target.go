package gemini

import (
	"errors"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers/endpoint"
)

// BaseURL is where the paths of the Gemini API begin.
const BaseURL = "https://generativelanguage.googleapis.com/v1beta"

// GenerateContent measures a model ("gemini-2.5-flash") at the Gemini API,
// [BaseURL] where o names no other. The key is the value of GEMINI_API_KEY where o
// has none; it travels in the header x-goog-api-key, never in the URL.
//
// A thinking budget is set with o.Fields, which are merged with what is sent:
//
//	endpoint.Options{Fields: map[string]any{
//		"generationConfig": map[string]any{"thinkingConfig": map[string]any{"thinkingBudget": 0}},
//	}}
//
// Gemini caches prompts by itself, so that [providers.Prompt.Caching] sends nothing
// but the context before the text.
func GenerateContent(model string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   Decoder{},
		Provider:  provider,
		API:       api,
		BaseURL:   BaseURL,
		KeyEnv:    "GEMINI_API_KEY",
		Authorize: endpoint.Header("x-goog-api-key"),
		Path: func(model string, stream bool) string {
			return "/models/" + url.PathEscape(strings.TrimPrefix(model, "models/")) + Method(stream)
		},
		Body: body,
	}, model, o)
}

// Method returns how a path ends, after the name of the model.
func Method(stream bool) string {
	if stream {
		return ":streamGenerateContent?alt=sse"
	}
	return ":generateContent"
}

type object = map[string]any

func body(r endpoint.Request) (object, error) {
	if r.Model == "" {
		return nil, errors.New("no model")
	}
	config := object{"maxOutputTokens": r.Prompt.Limit()}
	if r.Temperature != nil {
		config["temperature"] = *r.Temperature
	}
	if r.TopP != nil {
		config["topP"] = *r.TopP
	}
	if r.TopK != nil {
		config["topK"] = *r.TopK
	}
	members := object{
		"contents":         []object{{"role": "user", "parts": parts(r.Prompt.CachedContext, r.Prompt.Text)}},
		"generationConfig": config,
	}
	if r.Prompt.System != "" {
		members["systemInstruction"] = object{"parts": parts(r.Prompt.System)}
	}
	return members, nil
}

// parts returns a part for each text that is not empty.
func parts(texts ...string) []object {
	var parts []object
	for _, text := range texts {
		if text != "" {
			parts = append(parts, object{"text": text})
		}
	}
	return parts
}
