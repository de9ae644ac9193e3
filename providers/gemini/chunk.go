package gemini

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// A chunk is one event of a stream, one element of an array, and the body of a
// whole reply.
type chunk struct {
	Candidates     *providers.Capped[candidate]      `json:"candidates"` // nil where there is none
	PromptFeedback providers.Lenient[promptFeedback] `json:"promptFeedback"`
	Usage          providers.Lenient[usage]          `json:"usageMetadata"`
	ModelVersion   providers.Lenient[string]         `json:"modelVersion"`
	ResponseID     providers.Lenient[string]         `json:"responseId"`
	Error          json.RawMessage                   `json:"error"`
}

type promptFeedback struct {
	BlockReason string `json:"blockReason"`
}

func (c chunk) candidates() []candidate {
	if c.Candidates == nil {
		return nil
	}
	return *c.Candidates
}

// isNone reports whether c has nothing of a generated content about it. Without
// candidates it can still be one: the model had nothing to say.
func (c chunk) isNone() bool {
	return c.Candidates == nil && c.PromptFeedback.Value.BlockReason == "" && c.Usage.Value == usage{} &&
		c.ModelVersion.Value == "" && c.ResponseID.Value == "" && !providers.Present(c.Error)
}

type candidate struct {
	Index   providers.Count `json:"index"` // left out where it is 0, by Vertex
	Content struct {
		Parts providers.Capped[part] `json:"parts"`
	} `json:"content"`
	FinishReason string `json:"finishReason"`
}

// A part is a union, as good as: a signature can stand beside text or a call.
type part struct {
	Text           string          `json:"text"`
	Thought        bool            `json:"thought"`
	FunctionCall   *functionCall   `json:"functionCall"`
	ExecutableCode *executableCode `json:"executableCode"`
}

// tool returns the bytes of what p asks a tool to do.
func (p part) tool() int {
	n := 0
	if p.FunctionCall != nil {
		n += p.FunctionCall.bytes()
	}
	if p.ExecutableCode != nil {
		n += len(p.ExecutableCode.Code)
	}
	return n
}

type executableCode struct {
	Code string `json:"code"`
}

// A functionCall comes in one piece, unless its arguments were asked for in
// several.
type functionCall struct {
	Name        string          `json:"name"`
	Args        json.RawMessage `json:"args"`
	PartialArgs json.RawMessage `json:"partialArgs"`
}

// bytes returns the length of the name and of the arguments in JSON.
func (f functionCall) bytes() int {
	n := len(f.Name)
	for _, raw := range []json.RawMessage{f.Args, f.PartialArgs} {
		if providers.Present(raw) {
			n += len(raw)
		}
	}
	return n
}

// usage is cumulative and comes with each chunk, or with the last alone (Vertex).
// The counts of a prompt include those read from a cache, the ones of candidates
// do not include thoughts.
type usage struct {
	Prompt     providers.Count `json:"promptTokenCount"`
	ToolUse    providers.Count `json:"toolUsePromptTokenCount"`
	Cached     providers.Count `json:"cachedContentTokenCount"`
	Candidates providers.Count `json:"candidatesTokenCount"`
	Thoughts   providers.Count `json:"thoughtsTokenCount"`
}

// update takes over the counts that a later record has: what is 0 it leaves out.
func (u *usage) update(later usage) {
	u.Prompt = u.Prompt.Update(later.Prompt)
	u.ToolUse = u.ToolUse.Update(later.ToolUse)
	u.Cached = u.Cached.Update(later.Cached)
	u.Candidates = u.Candidates.Update(later.Candidates)
	u.Thoughts = u.Thoughts.Update(later.Thoughts)
}

func (u usage) canonical() providers.Usage {
	return providers.Usage{
		Input:      u.Prompt.Plus(u.ToolUse),
		Output:     u.Candidates.Plus(u.Thoughts),
		CachedRead: u.Cached,
		Reasoning:  u.Thoughts,
	}
}
