package openai

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/latgate/latgate/providers"
)

// An item is one of those in a response's output: a message, reasoning, the call of a
// tool.
type item struct {
	Type      word                         `json:"type"`
	ID        json.RawMessage              `json:"id"`
	Content   json.RawMessage              `json:"content"` // of a message, of reasoning
	Summary   providers.Lenient[itemParts] `json:"summary"` // of reasoning
	Encrypted word                         `json:"encrypted_content"`
	Name      word                         `json:"name"`      // of a tool
	Arguments arguments                    `json:"arguments"` // of a function, of MCP
	Input     word                         `json:"input"`     // of a custom tool
	Code      word                         `json:"code"`      // of a code interpreter

	Action providers.Lenient[struct {
		Commands providers.Capped[string] `json:"commands"`
	}] `json:"action"` // of a shell
	Operation providers.Lenient[struct {
		Diff word `json:"diff"`
	}] `json:"operation"` // of a patch

	parts itemParts // the content
}

type itemParts = providers.Capped[struct {
	Text       word `json:"text"`
	Transcript word `json:"transcript"` // of speech
	Refusal    word `json:"refusal"`
}]

// itemOf reads an item. Only the content of a message has to be what it should.
func itemOf(raw json.RawMessage) (i item, err error) {
	if err := json.Unmarshal(raw, &i); err != nil || !providers.Present(i.Content) {
		return i, err
	}
	switch i.Type.Value {
	case "message":
		if err := json.Unmarshal(i.Content, &i.parts); err != nil {
			return i, fmt.Errorf("message: content: %w", err)
		}
	case "reasoning":
		_ = json.Unmarshal(i.Content, &i.parts)
	}
	return i, nil
}

// calls reports whether the item is the call of a tool, be it one of the server's own.
func (i *item) calls() bool {
	return strings.HasSuffix(i.Type.Value, "_call") || i.Type.Value == "mcp_approval_request"
}

// input returns how many bytes the model wrote for a tool to be called with. For the
// server's own tools (searches, images) it writes none that can be seen.
func (i *item) input() (n int, written bool) {
	switch i.Type.Value {
	case "function_call", "mcp_call", "custom_tool_call", "code_interpreter_call", "shell_call", "apply_patch_call":
	default:
		return 0, false
	}
	n = len(i.Arguments) + len(i.Input.Value) + len(i.Code.Value) + len(i.Operation.Value.Diff.Value)
	for _, command := range i.Action.Value.Commands {
		n += len(command)
	}
	return n, true
}

// speaks reports whether there is text in the item.
func (i *item) speaks() bool {
	for _, parts := range []itemParts{i.parts, i.Summary.Value} {
		for _, p := range parts {
			if p.Text.Value+p.Transcript.Value+p.Refusal.Value != "" {
				return true
			}
		}
	}
	return false
}

// item notes the content of an item of a whole reply.
func (d *responses) item(raw json.RawMessage) error {
	i, err := itemOf(raw)
	if err != nil {
		return err
	}
	switch i.Type.Value {
	case "message":
		for _, p := range i.parts {
			d.Add(providers.Text, p.Text.Value)
			d.Add(providers.Text, p.Transcript.Value)
			d.Add(providers.Refusal, p.Refusal.Value)
		}
	case "reasoning":
		for _, p := range i.parts {
			d.Add(providers.Reasoning, p.Text.Value)
		}
		for _, p := range i.Summary.Value {
			d.AddSummary(p.Text.Value)
		}
		d.AddRedacted(i.Encrypted.Value)
	}
	if n, written := i.input(); written {
		d.AddBytes(providers.Tool, n+len(i.Name.Value))
	}
	if i.calls() {
		d.Nonempty()
	}
	return nil
}

// announced takes an item of a stream that has begun, or that has ended after its
// deltas. It repeats what they hold, and is no content; but what a tool is called
// with may come in the end alone.
func (d *responses) announced(v *responseEvent) {
	i, err := itemOf(v.Item)
	if err != nil {
		return // it is of no importance
	}
	if i.Type.Value == "reasoning" {
		d.AddRedacted(i.Encrypted.Value)
	}
	if i.calls() || i.speaks() {
		d.Nonempty()
	}
	if n, written := i.input(); written && v.Type == "response.output_item.done" && !d.called.has(i.ID, v.Index) {
		d.AddBytes(providers.Tool, n)
	}
}

// items are some of a stream's, by what events name them by: an ID or a place in the
// output, each as it stands in the JSON. Some servers know only one of the two.
type items map[string]bool

func (s *items) add(id, index json.RawMessage) {
	if *s == nil {
		*s = make(items)
	}
	if providers.Present(id) {
		(*s)["id "+string(id)] = true
	}
	if providers.Present(index) {
		(*s)["at "+string(index)] = true
	}
}

func (s items) has(id, index json.RawMessage) bool {
	return s["id "+string(id)] || s["at "+string(index)]
}
