package fakes

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An anthropicRequest is what the fake understands of a Messages request. It lets
// members that it does not know through.
type anthropicRequest struct {
	Model     string `json:"model"`
	Version   string `json:"anthropic_version"` // where the host takes no header for it
	MaxTokens *int   `json:"max_tokens"`
	Messages  []struct {
		Role    string           `json:"role"`
		Content anthropicContent `json:"content"`
	} `json:"messages"`
	System      anthropicContent `json:"system"`
	Tools       []anthropicBlock `json:"tools"`
	Stream      bool             `json:"stream"`
	Temperature *float64         `json:"temperature"`
	Thinking    struct {
		Type   string `json:"type"`
		Budget int    `json:"budget_tokens"`
	} `json:"thinking"`
	CacheControl *anthropicCacheControl `json:"cache_control"` // marks the last block
}

// An anthropicBlock is a block of content, or a tool.
type anthropicBlock struct {
	Type         string                 `json:"type"`
	Text         *string                `json:"text"`
	Name         string                 `json:"name"`
	CacheControl *anthropicCacheControl `json:"cache_control"`

	raw json.RawMessage
}

type anthropicCacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *anthropicBlock) UnmarshalJSON(data []byte) error {
	type members anthropicBlock
	b.raw = append(b.raw[:0], data...)
	return json.Unmarshal(data, (*members)(b))
}

// anthropicContent is a list of blocks, or a string that stands for one of text.
type anthropicContent []anthropicBlock

// UnmarshalJSON implements [json.Unmarshaler].
func (c *anthropicContent) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*c = nil
		if text != "" {
			*c = anthropicContent{{Type: "text", Text: &text, raw: data}}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]anthropicBlock)(c))
}

// readAnthropic returns the request in a body, or why Anthropic would refuse it.
// At Vertex AI the path names the model, and the body a version.
func readAnthropic(body []byte, vertex bool) (r anthropicRequest, refusal string) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, "The request body is not valid JSON: " + err.Error()
	}
	switch {
	case vertex && r.Version == "":
		return r, "anthropic_version: Field required"
	case vertex && r.Model != "":
		return r, "model: Extra inputs are not permitted"
	case !vertex && r.Model == "":
		return r, "model: Field required"
	case r.MaxTokens == nil:
		return r, "max_tokens: Field required"
	case *r.MaxTokens < 1:
		return r, "max_tokens: Input should be greater than or equal to 1"
	case r.Messages == nil:
		return r, "messages: Field required"
	case len(r.Messages) == 0:
		return r, "messages: at least one message is required"
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 1):
		return r, "temperature: range: 0..1"
	}
	if refusal := r.thinkingRefusal(); refusal != "" {
		return r, refusal
	}
	if refusal := r.System.refusal("system"); refusal != "" {
		return r, refusal
	}
	for i, m := range r.Messages {
		if refusal := m.Content.refusal(fmt.Sprintf("messages.%d.content", i)); refusal != "" {
			return r, refusal
		}
		switch {
		case m.Role != "user" && m.Role != "assistant" && m.Role != "system":
			return r, fmt.Sprintf("messages.%d.role: Input should be 'user', 'assistant' or 'system'", i)
		case len(m.Content) == 0 && (m.Role != "assistant" || i < len(r.Messages)-1):
			return r, fmt.Sprintf("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
		}
	}
	return r, r.cacheRefusal()
}

func (r anthropicRequest) thinkingRefusal() string {
	switch {
	case r.Thinking.Type != "enabled":
		return ""
	case r.Thinking.Budget < 1024:
		return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
	case *r.MaxTokens <= r.Thinking.Budget:
		return "`max_tokens` must be greater than `thinking.budget_tokens`."
	case r.Temperature != nil && *r.Temperature != 1:
		return "`temperature` may only be set to 1 when thinking is enabled."
	}
	return ""
}

// refusal says why the blocks are none.
func (c anthropicContent) refusal(where string) string {
	for i, b := range c {
		switch {
		case b.Type == "":
			return fmt.Sprintf("%s.%d.type: Field required", where, i)
		case b.Type == "text" && b.Text == nil:
			return fmt.Sprintf("%s.%d.text.text: Field required", where, i)
		case b.Type == "text" && strings.TrimSpace(*b.Text) == "":
			return fmt.Sprintf("%s.%d: text content blocks must contain non-whitespace text", where, i)
		}
	}
	return ""
}

// marks returns the cache marks of the request in the order of its blocks.
func (r anthropicRequest) marks() []anthropicCacheControl {
	var marks []anthropicCacheControl
	for _, b := range r.blocks() {
		if b.CacheControl != nil {
			marks = append(marks, *b.CacheControl)
		}
	}
	return marks
}

// caches reports whether a mark asks for that time to live.
func (r anthropicRequest) caches(ttl string) bool {
	for _, m := range r.marks() {
		if m.TTL == ttl {
			return true
		}
	}
	return false
}

func (r anthropicRequest) cacheRefusal() string {
	const most = 4
	marks := r.marks()
	for _, m := range marks {
		switch {
		case m.Type != "ephemeral":
			return "cache_control.type: Input should be 'ephemeral'"
		case m.TTL != "" && m.TTL != "5m" && m.TTL != "1h":
			return "cache_control.ephemeral.ttl: Input should be '5m' or '1h'"
		}
	}
	if len(marks) > most {
		return fmt.Sprintf("A maximum of %d blocks with cache_control may be provided. Found %d.", most, len(marks))
	}
	return ""
}

// blocks returns all blocks in the order in which a cache mark covers them.
func (r anthropicRequest) blocks() []anthropicBlock {
	blocks := append(r.Tools[:len(r.Tools):len(r.Tools)], r.System...)
	for _, m := range r.Messages {
		blocks = append(blocks, m.Content...)
	}
	if n := len(blocks); r.CacheControl != nil && n > 0 && blocks[n-1].CacheControl == nil {
		blocks[n-1].CacheControl = r.CacheControl
	}
	return blocks
}

// prompt returns the request in the words of Bedrock, for the prompt cache that
// both have: a mark on a block is a cache point after it.
func (r anthropicRequest) prompt() prompt {
	var p prompt
	for _, b := range r.blocks() {
		switch {
		case b.Type == "text" && b.Text != nil:
			p.System = append(p.System, block{"text": mustJSON(*b.Text)})
		case b.Type == "image", b.Type == "document":
			p.System = append(p.System, block{"image": b.raw})
		default:
			p.System = append(p.System, block{"toolSpec": b.raw})
		}
		if b.CacheControl != nil {
			p.System = append(p.System, block{"cachePoint": mustJSON(object{"ttl": b.CacheControl.TTL})})
		}
	}
	return p
}

// tool returns the name of the tool that an answer calls: the first on offer.
func (r anthropicRequest) tool() string {
	for _, t := range r.Tools {
		if t.Name != "" {
			return t.Name
		}
	}
	return "get_weather"
}
