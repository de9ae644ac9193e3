package fakes

import "encoding/json"

// An invokedText is a family that takes a text and answers with one.
type invokedText struct {
	*invocation
	words textWords
}

// textWords are those of one family.
type textWords struct {
	prompt     string // the request's member with the text
	limits     string // the member that limit is in; "" for the request itself
	limit      string
	stop, long string // why an answer ends

	opening object // what is sent before the first piece, nil for nothing
	piece   func(v *invocation, text string) object
	last    func(v *invocation, stop string) object
	whole   func(v *invocation, text, stop string) object
}

func (t *invokedText) read(body []byte) (p prompt, maxTokens *int, refusal string) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return p, nil, "Malformed input request: " + err.Error()
	}
	raw, has := members[t.words.prompt]
	if !has || text(raw) == "" {
		return p, nil, malformed(t.words.prompt)
	}
	p = textPrompt(text(raw))
	if t.words.limits != "" {
		_ = json.Unmarshal(members[t.words.limits], &members)
	}
	_ = json.Unmarshal(members[t.words.limit], &maxTokens)
	return p, maxTokens, ""
}

func (t *invokedText) open() []object {
	var pieces []object
	if t.words.opening != nil {
		pieces = append(pieces, t.words.opening)
	}
	if t.script.EmptyDelta {
		pieces = append(pieces, t.piece(""))
	}
	return pieces
}

func (t *invokedText) content(i int) []object   { return []object{t.piece(t.Content[i].Text)} }
func (t *invokedText) piece(text string) object { return t.words.piece(t.invocation, text) }
func (t *invokedText) end() []object            { return []object{t.words.last(t.invocation, t.reason())} }

func (t *invokedText) whole() object { return t.words.whole(t.invocation, t.allText(), t.reason()) }

func (t *invokedText) reason() string { return t.stopReason(t.words.stop, t.words.long, t.words.stop) }

// counted returns a count, or null where the script leaves usage out.
func (v *invocation) counted(n int) any {
	if has[NoUsage](v.Schedule) {
		return nil
	}
	return n
}

// Llama tells how long the prompt is with the first piece, and how many tokens it
// has generated with each.
var llamaText = textWords{
	prompt: "prompt", limit: "max_gen_len", stop: "stop", long: "length",
	piece: func(v *invocation, text string) object {
		piece := object{"generation": text, "prompt_token_count": nil, "generation_token_count": v.counted(v.sent), "stop_reason": nil}
		if len(v.Content) > 0 && v.sent <= v.Content[0].Tokens {
			piece["prompt_token_count"] = v.counted(v.input.fresh)
		}
		return piece
	},
	last: func(v *invocation, stop string) object {
		return object{"generation": "", "prompt_token_count": nil, "generation_token_count": v.counted(v.sent), "stop_reason": stop}
	},
	whole: func(v *invocation, text, stop string) object {
		return object{
			"generation": text, "prompt_token_count": v.counted(v.input.fresh),
			"generation_token_count": v.counted(v.sent), "stop_reason": stop,
		}
	},
}

// Titan counts the answer at its end. It writes counts as fractions at times, which
// the fake always does.
var titanText = textWords{
	prompt: "inputText", limits: "textGenerationConfig", limit: "maxTokenCount", stop: "FINISH", long: "LENGTH",
	piece: func(v *invocation, text string) object {
		return object{
			"outputText": text, "index": 0, "totalOutputTextTokenCount": nil,
			"completionReason": nil, "inputTextTokenCount": v.fraction(v.input.fresh),
		}
	},
	last: func(v *invocation, stop string) object {
		return object{
			"outputText": "", "index": 0, "totalOutputTextTokenCount": v.fraction(v.sent),
			"completionReason": stop, "inputTextTokenCount": nil,
		}
	},
	whole: func(v *invocation, text, stop string) object {
		return object{
			"inputTextTokenCount": v.fraction(v.input.fresh),
			"results":             []object{{"tokenCount": v.fraction(v.sent), "outputText": text, "completionReason": stop}},
		}
	},
}

// fraction writes a count as 6.0.
func (v *invocation) fraction(n int) any {
	if has[NoUsage](v.Schedule) {
		return nil
	}
	return json.RawMessage(string(mustJSON(n)) + ".0")
}

// Command does not count.
var commandText = textWords{
	prompt: "prompt", limit: "max_tokens", stop: "COMPLETE", long: "MAX_TOKENS",
	piece: func(_ *invocation, text string) object { return object{"text": text, "is_finished": false} },
	last: func(_ *invocation, stop string) object {
		return object{"is_finished": true, "finish_reason": stop}
	},
	whole: func(v *invocation, text, stop string) object {
		return object{"id": v.uuid(), "prompt": "", "generations": []object{{"id": v.uuid(), "text": text, "finish_reason": stop}}}
	},
}

// commandRText is Command R's chat, of which the fake knows the text.
var commandRText = textWords{
	prompt: "message", limit: "max_tokens", stop: "COMPLETE", long: "MAX_TOKENS",
	opening: object{"event_type": "stream-start", "generation_id": "fake", "is_finished": false},
	piece: func(_ *invocation, text string) object {
		return object{"event_type": "text-generation", "text": text, "is_finished": false}
	},
	last: func(v *invocation, stop string) object {
		response := object{"text": v.allText(), "generation_id": "fake", "finish_reason": stop}
		return object{"event_type": "stream-end", "is_finished": true, "finish_reason": stop, "response": response}
	},
	whole: func(v *invocation, text, stop string) object {
		return object{"response_id": v.uuid(), "generation_id": "fake", "text": text, "finish_reason": stop, "chat_history": []object{}}
	},
}

// Mistral's text models do not count either.
var mistralText = textWords{
	prompt: "prompt", limit: "max_tokens", stop: "stop", long: "length",
	piece: func(_ *invocation, text string) object {
		return object{"outputs": []object{{"text": text, "stop_reason": nil}}}
	},
	last: func(_ *invocation, stop string) object {
		return object{"outputs": []object{{"text": "", "stop_reason": stop}}}
	},
	whole: func(_ *invocation, text, stop string) object {
		return object{"outputs": []object{{"text": text, "stop_reason": stop}}}
	},
}
