package openai

import (
	"errors"
	"net/url"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
)

// isOwn reports whether a base URL, or its default, is OpenAI's or Azure's, which
// take what OpenAI's reference says and nothing else.
func isOwn(base string) bool {
	if base == "" {
		return true
	}
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") || strings.Contains(host, ".openai.azure.") {
		return true
	}
	// Other vendors' models are served under /models there.
	foundry := strings.Contains(host, ".services.ai.azure.") || strings.Contains(host, ".cognitiveservices.azure.")
	return foundry && !strings.HasPrefix(u.Path, "/models")
}

func chatBody(r endpoint.Request) (map[string]any, error) {
	return chatMembers(r, isOwn(r.BaseURL))
}

func chatMembers(r endpoint.Request, own bool) (map[string]any, error) {
	members, err := sampling(r, own)
	if err != nil {
		return nil, err
	}
	messages := []map[string]any{}
	if r.Prompt.System != "" {
		messages = append(messages, message("system", r.Prompt.System))
	}
	members["messages"] = append(messages, message("user", userContent(r.Prompt, "text")))
	if own {
		members["max_completion_tokens"] = r.Prompt.Limit()
	} else {
		members["max_tokens"] = r.Prompt.Limit()
	}
	if r.Stream {
		members["stream"] = true
		members["stream_options"] = map[string]any{"include_usage": true}
	}
	return members, nil
}

func responsesBody(r endpoint.Request) (map[string]any, error) {
	members, err := sampling(r, isOwn(r.BaseURL))
	if err != nil {
		return nil, err
	}
	members["input"] = []map[string]any{message("user", userContent(r.Prompt, "input_text"))}
	if r.Prompt.System != "" {
		members["instructions"] = r.Prompt.System
	}
	members["max_output_tokens"] = r.Prompt.Limit()
	if r.Stream {
		members["stream"] = true
	}
	return members, nil
}

// sampling returns the members that both APIs have.
func sampling(r endpoint.Request, own bool) (map[string]any, error) {
	members := map[string]any{"model": r.Model}
	if r.Temperature != nil {
		members["temperature"] = *r.Temperature
	}
	if r.TopP != nil {
		members["top_p"] = *r.TopP
	}
	if r.TopK != nil {
		if own {
			return nil, errors.New("Options.TopK: OpenAI's models take no top-k; leave it out")
		}
		members["top_k"] = *r.TopK // vLLM, SGLang, llama.cpp, OpenRouter and others
	}
	return members, nil
}

func message(role string, content any) map[string]any {
	return map[string]any{"role": role, "content": content}
}

// userContent is a string, which every server takes, unless there are two parts.
func userContent(p providers.Prompt, partType string) any {
	if p.CachedContext == "" {
		return p.Text
	}
	part := func(text string) map[string]any { return map[string]any{"type": partType, "text": text} }
	return []map[string]any{part(p.CachedContext), part(p.Text)}
}
