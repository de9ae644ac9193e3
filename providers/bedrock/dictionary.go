package bedrock

import "strings"

// dictionary has the words of each family.
var dictionary = map[ModelFamily]struct {
	ask                   func(ask) object
	limits                string // the member that maxTokens, temperature and so on are in; "" for the body itself
	maxTokens, topP, topK string // topK is "" where there is none
	caches                bool
}{
	Anthropic: {ask: anthropicBody, maxTokens: "max_tokens", topP: "top_p", topK: "top_k", caches: true},
	Nova:      {ask: novaBody, limits: "inferenceConfig", maxTokens: "maxTokens", topP: "topP", topK: "topK", caches: true},
	Titan:     {ask: titanBody, limits: "textGenerationConfig", maxTokens: "maxTokenCount", topP: "topP"},
	Llama:     {ask: promptBody(llama3Prompt), maxTokens: "max_gen_len", topP: "top_p"},
	Llama4:    {ask: promptBody(llama4Prompt), maxTokens: "max_gen_len", topP: "top_p"},
	Command:   {ask: commandBody, maxTokens: "max_tokens", topP: "p", topK: "k"},
	CommandR:  {ask: commandRBody, maxTokens: "max_tokens", topP: "p", topK: "k"},
	Mistral:   {ask: promptBody(mistralPrompt), maxTokens: "max_tokens", topP: "top_p", topK: "top_k"},
	Chat:      {ask: chatBody, maxTokens: "max_tokens", topP: "top_p"},
}

func anthropicBody(a ask) object {
	textBlock := func(text string) object { return object{"type": "text", "text": text} }
	var content []object
	if a.CachedContext != "" {
		context := textBlock(a.CachedContext)
		if a.Caching {
			context["cache_control"] = withTTL(object{"type": "ephemeral"}, a.CacheTTL)
		}
		content = append(content, context)
	}
	body := object{
		"anthropic_version": "bedrock-2023-05-31",
		"messages":          []object{{"role": "user", "content": append(content, textBlock(a.Text))}},
	}
	if a.System != "" {
		body["system"] = a.System
	}
	return body
}

func novaBody(a ask) object {
	var content []object
	if a.CachedContext != "" {
		content = append(content, object{"text": a.CachedContext})
		if a.Caching {
			content = append(content, object{"cachePoint": withTTL(object{"type": "default"}, a.CacheTTL)})
		}
	}
	body := object{
		"schemaVersion": "messages-v1",
		"messages":      []object{{"role": "user", "content": append(content, object{"text": a.Text})}},
	}
	if a.System != "" {
		body["system"] = []object{{"text": a.System}}
	}
	return body
}

// withTTL adds how long a cache mark is good for, where that is said.
func withTTL(mark object, ttl string) object {
	if ttl != "" {
		mark["ttl"] = ttl
	}
	return mark
}

// user returns what the user says.
func (a ask) user() string {
	if a.CachedContext == "" {
		return a.Text
	}
	return a.CachedContext + "\n\n" + a.Text
}

// all returns all that is said, for models that do not tell a system prompt from
// the user's.
func (a ask) all() string {
	if a.System == "" {
		return a.user()
	}
	return a.System + "\n\n" + a.user()
}

func titanBody(a ask) object { return object{"inputText": a.all()} }

func commandBody(a ask) object {
	body := object{"prompt": a.all()}
	if a.stream {
		body["stream"] = true
	}
	return body
}

func commandRBody(a ask) object {
	body := object{"message": a.user()}
	if a.System != "" {
		body["preamble"] = a.System
	}
	return body
}

func chatBody(a ask) object {
	messages := []object{{"role": "user", "content": a.user()}}
	if a.System != "" {
		messages = append([]object{{"role": "system", "content": a.System}}, messages...)
	}
	return object{"messages": messages}
}

// promptBody returns the ask of a model that takes a conversation as one text.
func promptBody(prompt func(ask) string) func(ask) object {
	return func(a ask) object { return object{"prompt": prompt(a)} }
}

func llama3Prompt(a ask) string {
	return conversation(a, "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>")
}

func llama4Prompt(a ask) string {
	return conversation(a, "<|begin_of_text|>", "<|header_start|>", "<|header_end|>\n\n", "<|eot|>")
}

// conversation marks who says what, and that it is the model's turn.
func conversation(a ask, begin, header, headerEnd, end string) string {
	var b strings.Builder
	b.WriteString(begin)
	if a.System != "" {
		b.WriteString(header + "system" + headerEnd + a.System + end)
	}
	b.WriteString(header + "user" + headerEnd + a.user() + end)
	b.WriteString(header + "assistant" + headerEnd)
	return b.String()
}

func mistralPrompt(a ask) string { return "<s>[INST] " + a.all() + " [/INST]" }
