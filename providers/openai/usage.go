package openai

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// usage is the record of a chat completion, with the clocks that Groq adds.
type usage struct {
	Prompt     providers.Count `json:"prompt_tokens"`
	Completion providers.Count `json:"completion_tokens"`
	Total      providers.Count `json:"total_tokens"`
	CacheHit   providers.Count `json:"prompt_cache_hit_tokens"` // DeepSeek
	Cached     providers.Count `json:"cached_tokens"`           // Moonshot

	PromptSub     inputTokens  `json:"prompt_tokens_details"`
	CompletionSub outputTokens `json:"completion_tokens_details"`

	clocks clocks
	null   bool // the member is there and null
}

// UnmarshalJSON implements [json.Unmarshaler]. A record that is none is as good
// as no record.
func (u *usage) UnmarshalJSON(data []byte) error {
	*u = usage{null: string(data) == "null"}
	if u.null {
		return nil
	}
	type record usage
	_ = json.Unmarshal(data, (*record)(u))
	return u.clocks.UnmarshalJSON(data)
}

func (u *usage) canonical() providers.Usage {
	c := providers.Usage{
		Input: u.Prompt, Output: output(u.Prompt, u.Completion, u.CompletionSub.Reasoning, u.Total),
		CachedRead: u.PromptSub.Cached, CachedWrite: u.PromptSub.CacheWrite, Reasoning: u.CompletionSub.Reasoning,
	}
	for _, elsewhere := range []providers.Count{u.CacheHit, u.Cached} {
		if !c.CachedRead.Known() {
			c.CachedRead = elsewhere
		}
	}
	return c
}

// update returns what the later of two records tells more, count by count.
func update(now, later providers.Usage) providers.Usage {
	return providers.Usage{
		Input: now.Input.Update(later.Input), Output: now.Output.Update(later.Output),
		CachedRead: now.CachedRead.Update(later.CachedRead), CachedWrite: now.CachedWrite.Update(later.CachedWrite),
		Reasoning: now.Reasoning.Update(later.Reasoning),
	}
}

// output adds reasoning to the output tokens where the total shows that the server
// left it out of them, as xAI does.
func output(in, out, reasoning, total providers.Count) providers.Count {
	prompt, _ := in.Get()
	completion, _ := out.Get()
	thought, _ := reasoning.Get()
	if all, known := total.Get(); known && thought > 0 && all == prompt+completion+thought {
		return out.Plus(reasoning)
	}
	return out
}

// responseUsage is the record of the responses API.
type responseUsage struct {
	Input    providers.Count                `json:"input_tokens"`
	Output   providers.Count                `json:"output_tokens"`
	Total    providers.Count                `json:"total_tokens"`
	InputSub providers.Lenient[inputTokens] `json:"input_tokens_details"`

	OutputSub providers.Lenient[outputTokens] `json:"output_tokens_details"`
}

type inputTokens struct {
	Cached     providers.Count `json:"cached_tokens"`
	CacheWrite providers.Count `json:"cache_write_tokens"`
}

type outputTokens struct {
	Reasoning providers.Count `json:"reasoning_tokens"`
}

func (u responseUsage) canonical() providers.Usage {
	in, out := u.InputSub.Value, u.OutputSub.Value
	return providers.Usage{
		Input: u.Input, Output: output(u.Input, u.Output, out.Reasoning, u.Total),
		CachedRead: in.Cached, CachedWrite: in.CacheWrite, Reasoning: out.Reasoning,
	}
}

// forgetZeros drops the parts of a record whose sums are zero beside content, as a
// stream reports that its token limit cut short: they are no more true.
func forgetZeros(b *providers.Builder) {
	zero := providers.CountOf(0)
	if len(b.Events) > 0 && b.Usage.Input == zero && b.Usage.Output == zero {
		b.Usage = providers.Usage{}
	}
}
