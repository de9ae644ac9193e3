package fakes

import (
	"encoding/json"
	"fmt"
)

// A prompt is what the fake understands of a Converse request. It lets members
// that it does not know through.
type prompt struct {
	Messages []struct {
		Role    string  `json:"role"`
		Content []block `json:"content"`
	} `json:"messages"`
	System     []block `json:"system"`
	ToolConfig struct {
		Tools []block `json:"tools"`
	} `json:"toolConfig"`
	InferenceConfig struct {
		MaxTokens *int `json:"maxTokens"`
	} `json:"inferenceConfig"`
	PerformanceConfig struct {
		Latency string `json:"latency"`
	} `json:"performanceConfig"`
	ServiceTier struct {
		Type string `json:"type"`
	} `json:"serviceTier"`
}

// A block is a union: an object with one member, named for what it is.
type block map[string]json.RawMessage

var contentMembers = map[string]bool{
	"text": true, "image": true, "document": true, "video": true, "audio": true,
	"toolUse": true, "toolResult": true, "toolAddition": true, "toolRemoval": true,
	"guardContent": true, "cachePoint": true, "reasoningContent": true,
	"citationsContent": true, "searchResult": true,
}

// readPrompt returns the prompt in a request body, or why Bedrock would refuse it.
func readPrompt(body []byte) (p prompt, refusal string) {
	if err := json.Unmarshal(body, &p); err != nil {
		return p, "Malformed input request: " + err.Error()
	}
	if len(p.Messages) == 0 {
		return p, "A conversation must have at least one message."
	}
	if p.Messages[0].Role != "user" {
		return p, "A conversation must start with a user message. Try again with a conversation that starts with a user message."
	}
	for i, m := range p.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return p, fmt.Sprintf("The role at messages.%d must be user or assistant, not %q.", i, m.Role)
		}
		if len(m.Content) == 0 {
			return p, fmt.Sprintf("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		for j, b := range m.Content {
			if refusal := b.refusal(fmt.Sprintf("messages.%d.content.%d", i, j)); refusal != "" {
				return p, refusal
			}
		}
	}
	if n := p.InferenceConfig.MaxTokens; n != nil && *n < 1 {
		return p, "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"
	}
	switch p.PerformanceConfig.Latency {
	case "", "standard", "optimized":
	default:
		return p, "Value at 'performanceConfig.latency' failed to satisfy constraint: Member must satisfy enum value set: [standard, optimized]"
	}
	return p, ""
}

func (b block) refusal(where string) string {
	if len(b) != 1 {
		return fmt.Sprintf("The ContentBlock object at %s must set exactly one member.", where)
	}
	for member := range b {
		if !contentMembers[member] {
			return fmt.Sprintf("The ContentBlock object at %s has the unknown member %q.", where, member)
		}
	}
	if raw, ok := b["text"]; ok && len(text(raw)) == 0 {
		return fmt.Sprintf("The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", where)
	}
	return ""
}

// text returns the string in raw, or "" where it is something else.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// bytes returns how much of the block becomes tokens: text and the JSON of
// tools do, media do not.
func (b block) bytes() int {
	for member, raw := range b {
		switch member {
		case "text":
			return len(text(raw))
		case "toolSpec", "toolUse", "toolResult", "reasoningContent", "searchResult":
			return len(raw)
		}
	}
	return 0
}

// blocks returns all blocks in the order in which Bedrock reads them, which is
// the order in which a cache point covers them.
func (p prompt) blocks() []block {
	blocks := append(p.ToolConfig.Tools[:len(p.ToolConfig.Tools):len(p.ToolConfig.Tools)], p.System...)
	for _, m := range p.Messages {
		blocks = append(blocks, m.Content...)
	}
	return blocks
}

// tool returns the name of the tool that an answer calls: the first on offer.
func (p prompt) tool() string {
	for _, t := range p.ToolConfig.Tools {
		var spec struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(t["toolSpec"], &spec) == nil && spec.Name != "" {
			return spec.Name
		}
	}
	return "get_weather"
}
