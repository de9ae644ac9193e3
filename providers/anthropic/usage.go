package anthropic

import "github.com/latgate/latgate/providers"

// usage is the record of message_start, of message_delta and of a reply in one
// piece. Input leaves out what the prompt cache read or wrote, output includes
// thinking.
type usage struct {
	Input      providers.Count `json:"input_tokens"`
	CacheWrite providers.Count `json:"cache_creation_input_tokens"`
	CacheRead  providers.Count `json:"cache_read_input_tokens"`
	Output     providers.Count `json:"output_tokens"`
	OutputSub  providers.Lenient[struct {
		Thinking providers.Count `json:"thinking_tokens"`
	}] `json:"output_tokens_details"`
}

// update takes the counts of a later record. They are cumulative, and not every
// record has them all: the last value of each is the one that counts.
func (u *usage) update(later usage) {
	u.Input = u.Input.Update(later.Input)
	u.CacheWrite = u.CacheWrite.Update(later.CacheWrite)
	u.CacheRead = u.CacheRead.Update(later.CacheRead)
	u.Output = u.Output.Update(later.Output)
	thinking := &u.OutputSub.Value.Thinking
	*thinking = thinking.Update(later.OutputSub.Value.Thinking)
}

func (u usage) canonical() providers.Usage {
	c := providers.Usage{
		Output: u.Output, CachedRead: u.CacheRead, CachedWrite: u.CacheWrite, Reasoning: u.OutputSub.Value.Thinking,
	}
	if u.Input.Known() {
		c.Input = u.Input.Plus(u.CacheWrite, u.CacheRead)
	}
	return c
}
