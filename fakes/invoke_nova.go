package fakes

// An invokedNova is a model of the Nova family: the events of Converse, one JSON
// each. A block of text or reasoning has one delta, and no start.
type invokedNova struct{ *invocation }

func (n *invokedNova) read(body []byte) (p prompt, maxTokens *int, refusal string) {
	p, refusal = readPrompt(body)
	return p, p.InferenceConfig.MaxTokens, refusal
}

func (n *invokedNova) open() []object {
	events := []object{{"messageStart": object{"role": "assistant"}}}
	if n.script.EmptyDelta {
		events = append(events, n.piece(""))
	}
	return events
}

func (n *invokedNova) content(i int) []object {
	c := n.Content[i]
	delta := object{"contentBlockDelta": object{"contentBlockIndex": i, "delta": c.delta()}}
	stop := object{"contentBlockStop": object{"contentBlockIndex": i}}
	if c.Channel != ToolInput {
		return []object{delta, stop}
	}
	var events []object
	if n.startsBlock(i) {
		tool := object{"toolUseId": n.uuid(), "name": n.prompt.tool()}
		events = append(events, object{"contentBlockStart": object{"contentBlockIndex": i, "start": object{"toolUse": tool}}})
	}
	return append(events, delta)
}

func (n *invokedNova) piece(text string) object {
	return object{"contentBlockDelta": object{"contentBlockIndex": len(n.Content), "delta": object{"text": text}}}
}

func (n *invokedNova) end() []object {
	metadata := object{"metrics": object{}, "trace": object{}}
	if !has[NoUsage](n.Schedule) {
		metadata["usage"] = n.usage()
	}
	return []object{{"messageStop": object{"stopReason": n.reason()}}, {"metadata": metadata}}
}

func (n *invokedNova) reason() string { return n.stopReason("end_turn", "max_tokens", "tool_use") }

func (n *invokedNova) usage() object {
	usage := object{"inputTokens": n.input.fresh, "outputTokens": n.Tokens()}
	if n.input.cached {
		usage["cacheReadInputTokenCount"], usage["cacheWriteInputTokenCount"] = n.input.cacheRead, n.input.cacheWrite
	}
	return usage
}

func (n *invokedNova) whole() object {
	blocks := []object{}
	for _, w := range n.wholes() {
		switch w.Channel {
		case Reasoning:
			blocks = append(blocks, object{"reasoningContent": object{"reasoningText": object{"text": w.Text}}})
		case ToolInput:
			blocks = append(blocks, object{"toolUse": object{"input": w.arguments(), "name": n.prompt.tool(), "toolUseId": n.uuid()}})
		default:
			blocks = append(blocks, object{"text": w.Text})
		}
	}
	reply := object{"output": object{"message": object{"content": blocks, "role": "assistant"}}, "stopReason": n.reason()}
	if !has[NoUsage](n.Schedule) {
		reply["usage"] = n.usage()
	}
	return reply
}
