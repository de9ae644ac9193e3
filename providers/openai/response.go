package openai

import (
	"encoding/json"
	"fmt"

	"github.com/latgate/latgate/providers"
)

// response is the object that the terminal event of a stream holds, and the body
// of a whole reply.
type response struct {
	ID      string            `json:"id"`
	Object  string            `json:"object"`
	Model   string            `json:"model"`
	Status  string            `json:"status"`
	Error   json.RawMessage   `json:"error"`
	Output  []json.RawMessage `json:"output"`
	Usage   responseUsage     `json:"usage"`
	Details struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
}

// whole reads a reply that is one JSON object.
func (d responses) whole() {
	var r response
	if !d.Whole(&r) {
		return
	}
	switch {
	case r.Status == "failed" || present(r.Error):
		d.note(&r)
		d.fail(&r)
		return
	case r.Object != "response" || r.Output == nil:
		d.Fail(providers.Parse, "", "a reply that is no response with output")
		return
	case r.Status == "queued" || r.Status == "in_progress":
		d.Fail(providers.Parse, "", "a response that is still "+r.Status+": ask for it without background")
		return
	case r.Status == "cancelled":
		d.note(&r)
		d.Fail(providers.StreamError, "", "the response was cancelled")
		return
	}
	d.note(&r)
	for i, raw := range r.Output {
		if err := d.item(raw); err != nil {
			d.Fail(providers.Parse, "", fmt.Sprintf("output.%d: %v", i, err))
			return
		}
	}
	d.Complete()
}

// item is what the items of an output hold that a model writes. Those of the
// server's own tools (searches, images) have none of it.
type item struct {
	Content   []itemPart `json:"content"` // of a message, of reasoning
	Summary   []itemPart `json:"summary"` // of reasoning
	Encrypted string     `json:"encrypted_content"`
	Name      string     `json:"name"`      // of a tool
	Arguments arguments  `json:"arguments"` // of a function, of MCP
	Input     string     `json:"input"`     // of a custom tool
	Code      string     `json:"code"`      // of a code interpreter
	Action    struct {
		Commands []string `json:"commands"`
	} `json:"action"` // of a shell
	Operation struct {
		Diff string `json:"diff"`
	} `json:"operation"` // of a patch
}

type itemPart struct {
	Text    string `json:"text"`
	Refusal string `json:"refusal"`
}

// item notes the content of a whole item.
func (d responses) item(raw json.RawMessage) error {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return err
	}
	switch kind.Type {
	case "message", "reasoning", "function_call", "mcp_call", "custom_tool_call",
		"code_interpreter_call", "shell_call", "apply_patch_call":
	default:
		return nil
	}
	var i item
	if err := json.Unmarshal(raw, &i); err != nil {
		return fmt.Errorf("%s: %w", kind.Type, err)
	}
	switch kind.Type {
	case "message":
		for _, p := range i.Content {
			d.Add(providers.Text, p.Text)
			d.Add(providers.Refusal, p.Refusal)
		}
	case "reasoning":
		for _, p := range i.Content {
			d.Add(providers.Reasoning, p.Text)
		}
		for _, p := range i.Summary {
			d.AddSummary(p.Text)
		}
		d.AddRedacted(i.Encrypted)
	default:
		tool := len(i.Name) + len(i.Arguments) + len(i.Input) + len(i.Code) + len(i.Operation.Diff)
		for _, command := range i.Action.Commands {
			tool += len(command)
		}
		d.AddBytes(providers.Tool, tool)
	}
	return nil
}
