package protocol

import (
	"encoding/json"
	"strings"

	"github.com/latgate/latgate/providers"
)

// command is the grammar of Cohere Command before R.
type command struct{ b *providers.Builder }

func newCommand(b *providers.Builder) grammar { return command{b} }

func (c command) chunk(data []byte) error {
	var piece struct {
		Text     string `json:"text"`
		Finished bool   `json:"is_finished"`
		Reason   word   `json:"finish_reason"`
	}
	if err := json.Unmarshal(data, &piece); err != nil {
		return err
	}
	c.b.Add(providers.Text, piece.Text)
	if piece.Finished {
		c.b.Complete()
	}
	finish(c.b, piece.Reason)
	return nil
}

func (c command) whole(data []byte) error {
	var reply struct {
		Generations providers.Capped[struct {
			Text   string `json:"text"`
			Reason word   `json:"finish_reason"`
		}] `json:"generations"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return err
	}
	for _, g := range reply.Generations {
		c.b.Add(providers.Text, g.Text)
		finish(c.b, g.Reason)
	}
	return nil
}

// finish notes Cohere's reason for stopping, which may be that it failed: ERROR,
// ERROR_TOXIC, ERROR_LIMIT.
func finish(b *providers.Builder, reason word) {
	if name := reason.Value; strings.HasPrefix(name, "ERROR") {
		b.Stop = name
		b.FailStream(providers.ServerError{Code: name, Message: "the model stopped with " + name})
		return
	}
	stop(b, reason)
}

// commandR is the grammar of Cohere Command R: the events of Cohere's chat API in
// its first version, named by event_type.
type commandR struct {
	b         *providers.Builder
	toolCalls bool // tool calls have come in pieces
}

func newCommandR(b *providers.Builder) grammar { return &commandR{b: b} }

// A toolCall has parameters of its own JSON when whole, and a piece of their text
// when not.
type toolCall struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

func (c toolCall) bytes() int {
	var piece string
	if json.Unmarshal(c.Parameters, &piece) == nil {
		return len(c.Name) + len(piece)
	}
	return len(c.Name) + len(c.Parameters)
}

// commandReply is a reply in one piece, and what stream-end repeats of it.
type commandReply struct {
	Text      string                     `json:"text"`
	ToolCalls providers.Capped[toolCall] `json:"tool_calls"`
	Reason    word                       `json:"finish_reason"`
	Tokens    providers.Lenient[struct {
		Input  providers.Count `json:"prompt_tokens"`
		Output providers.Count `json:"response_tokens"`
	}] `json:"token_count"`
}

func (r commandReply) count(b *providers.Builder) {
	count(b, r.Tokens.Value.Input, r.Tokens.Value.Output)
}

func (c *commandR) chunk(data []byte) error {
	var event struct {
		commandReply
		Type     string       `json:"event_type"`
		Finished bool         `json:"is_finished"`
		CallPart toolCall     `json:"tool_call_delta"`
		Response commandReply `json:"response"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return err
	}
	switch event.Type {
	case "text-generation":
		c.b.Add(providers.Text, event.Text)
	case "tool-calls-chunk":
		c.b.Add(providers.Reasoning, event.Text) // the plan of what to call
		c.b.AddBytes(providers.Tool, event.CallPart.bytes())
		c.toolCalls = c.toolCalls || event.CallPart.bytes() > 0
	case "tool-calls-generation": // whole; after pieces, for the second time
		if !c.toolCalls {
			c.addCalls(event.ToolCalls)
		}
	case "stream-end":
		event.Response.count(c.b)
		finish(c.b, event.Reason)
	}
	if event.Finished {
		c.b.Complete()
	}
	return nil
}

func (c *commandR) whole(data []byte) error {
	var reply commandReply
	if err := json.Unmarshal(data, &reply); err != nil {
		return err
	}
	c.b.Add(providers.Text, reply.Text)
	c.addCalls(reply.ToolCalls)
	reply.count(c.b)
	finish(c.b, reply.Reason)
	return nil
}

func (c *commandR) addCalls(calls []toolCall) {
	for _, call := range calls {
		c.b.AddBytes(providers.Tool, call.bytes())
	}
}
