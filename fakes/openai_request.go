package fakes

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An openAIMessage is a message of a chat, or an item of a response's input.
type openAIMessage struct {
	Role    string          `json:"role"`
	Type    string          `json:"type"`
	Content json.RawMessage `json:"content"`
}

// text returns the text of a message, and whether its content is what the API takes.
func (m openAIMessage) text() (string, bool) {
	var whole string
	if json.Unmarshal(m.Content, &whole) == nil && string(m.Content) != "null" {
		return whole, true
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(m.Content, &parts) != nil || len(parts) == 0 {
		return "", false
	}
	for _, p := range parts {
		whole += p.Text
	}
	return whole, true
}

// An openAITool is a tool on offer: nested in a chat, flat in a response.
type openAITool struct {
	Name     string `json:"name"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

// toolName returns the name of the tool that an answer calls: the first on offer.
func toolName(tools []json.RawMessage) string {
	for _, raw := range tools {
		var t openAITool
		if json.Unmarshal(raw, &t) == nil && t.Name+t.Function.Name != "" {
			return t.Name + t.Function.Name
		}
	}
	return "get_weather"
}

// An openAIRequest is what both APIs take. Members that the fake does not know are
// let through.
type openAIRequest struct {
	Model       string            `json:"model"`
	Stream      bool              `json:"stream"`
	Tools       []json.RawMessage `json:"tools"`
	Temperature *float64          `json:"temperature"`
	TopP        *float64          `json:"top_p"`
	TopK        json.RawMessage   `json:"top_k"`
	Options     *struct {
		IncludeUsage       bool  `json:"include_usage"`
		IncludeObfuscation *bool `json:"include_obfuscation"`
	} `json:"stream_options"`
}

// obfuscated reports whether the client takes padding.
func (q *openAIRequest) obfuscated() bool {
	return q.Options == nil || q.Options.IncludeObfuscation == nil || *q.Options.IncludeObfuscation
}

// refusal returns why the API would refuse what both APIs take, "" where it would not.
func (a *openAIAttempt) refusal(q *openAIRequest) string {
	switch {
	case q.Model == "" && !a.azure:
		return "you must provide a model parameter"
	case q.Options != nil && !q.Stream:
		return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
	case q.Temperature != nil && (*q.Temperature < 0 || *q.Temperature > 2):
		return fmt.Sprintf("Invalid 'temperature': decimal out of range. Expected a value between 0 and 2, but got %g instead.", *q.Temperature)
	case q.TopP != nil && (*q.TopP < 0 || *q.TopP > 1):
		return fmt.Sprintf("Invalid 'top_p': decimal out of range. Expected a value between 0 and 1, but got %g instead.", *q.TopP)
	case len(q.TopK) > 0 && a.server.quirks == nil:
		return "Unrecognized request argument supplied: top_k"
	}
	return ""
}

const notJSON = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly.)"

func belowMinimum(parameter string, least, got int) string {
	return fmt.Sprintf("Invalid '%s': integer below minimum value. Expected a value >= %d, but got %d instead.", parameter, least, got)
}

// A chatRequest is a request for a chat completion.
type chatRequest struct {
	openAIRequest
	Messages            []openAIMessage `json:"messages"`
	N                   *int            `json:"n"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
}

// limit returns the maximum of tokens by whichever name it has.
func (q *chatRequest) limit() *int {
	if q.MaxCompletionTokens != nil {
		return q.MaxCompletionTokens
	}
	return q.MaxTokens
}

// refusal returns why the API would refuse the request, else "" and the prompt.
func (q *chatRequest) refusal() (refusal, prompt string) {
	switch limit := q.limit(); {
	case q.Messages == nil:
		return "Missing required parameter: 'messages'.", ""
	case len(q.Messages) == 0:
		return "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", ""
	case q.N != nil && *q.N != 1:
		return "Invalid 'n': the fake answers with one choice.", ""
	case q.MaxTokens != nil && q.MaxCompletionTokens != nil:
		return "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", ""
	case limit != nil && *limit < 1:
		return belowMinimum("max_completion_tokens", 1, *limit), ""
	}
	var b strings.Builder
	for _, tool := range q.Tools {
		b.Write(tool)
	}
	for i, m := range q.Messages {
		switch m.Role {
		case "system", "developer", "user", "assistant", "tool", "function":
		default:
			return fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", m.Role), ""
		}
		text, ok := m.text()
		if !ok && m.Role != "assistant" { // which may have called tools instead
			return fmt.Sprintf("Invalid type for 'messages[%d].content': expected one of a string or array of objects.", i), ""
		}
		b.WriteString(text)
	}
	return "", b.String()
}

// A responseRequest is a request for a response.
type responseRequest struct {
	openAIRequest
	Input           json.RawMessage `json:"input"`
	Instructions    string          `json:"instructions"`
	MaxOutputTokens *int            `json:"max_output_tokens"`
}

// refusal returns why the API would refuse the request, else "" and the prompt.
func (q *responseRequest) refusal() (refusal, prompt string) {
	const least = 16 // tokens
	if q.MaxOutputTokens != nil && *q.MaxOutputTokens < least {
		return belowMinimum("max_output_tokens", least, *q.MaxOutputTokens), ""
	}
	if len(q.Input) == 0 || string(q.Input) == "null" {
		return "Missing required parameter: 'input'.", ""
	}
	var b strings.Builder
	for _, tool := range q.Tools {
		b.Write(tool)
	}
	b.WriteString(q.Instructions)
	var text string
	if json.Unmarshal(q.Input, &text) == nil {
		b.WriteString(text)
		return "", b.String()
	}
	var items []openAIMessage
	if json.Unmarshal(q.Input, &items) != nil {
		return "Invalid type for 'input': expected one of a string or array of objects.", ""
	}
	for i, item := range items {
		text, ok := item.text()
		if !ok && (item.Type == "" || item.Type == "message") {
			return fmt.Sprintf("Invalid type for 'input[%d].content': expected one of a string or array of objects.", i), ""
		}
		b.WriteString(text)
	}
	return "", b.String()
}
