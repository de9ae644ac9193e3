package fakes

import (
	"encoding/json"
	"strings"
)

// tongueOf returns the tongue of a model, by its id or, where that does not tell,
// by the request. It returns nil where neither does.
func (v *invocation) tongueOf(id string, body []byte) tongue {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(body, &members) // the tongue complains
	asks := func(member string) bool { _, has := members[member]; return has }
	is := func(part string) bool { return strings.Contains(id, part) }
	switch {
	case is("anthropic."), asks("anthropic_version"):
		return &invokedAnthropic{invocation: v}
	case is("amazon.nova"), asks("inferenceConfig"):
		return &invokedNova{v}
	case is("amazon.titan"), asks("inputText"):
		return &invokedText{v, titanText}
	case is("meta.llama"), asks("max_gen_len"):
		return &invokedText{v, llamaText}
	case is("cohere.command-r"), asks("message"):
		return &invokedText{v, commandRText}
	case is("cohere."):
		return &invokedText{v, commandText}
	case asks("messages"):
		return &invokedChat{v}
	case is("mistral."):
		return &invokedText{v, mistralText}
	}
	return nil
}

// malformed is how a model refuses a request whose member is missing.
func malformed(member string) string {
	return "Malformed input request: #: required key [" + member + "] not found, please reformat your input and try again."
}

// textPrompt returns a prompt of one text.
func textPrompt(text string) prompt {
	return prompt{System: []block{{"text": mustJSON(text)}}}
}
