package anthropic

import (
	"encoding/json"

	"github.com/latgate/latgate/providers"
)

// usage is the record of message_start, of message_delta and of a reply in one
// piece. Input leaves out what the prompt cache read or wrote, output includes
// thinking.
type usage struct {
	Input      providers.Count `json:"input_tokens"`
	CacheWrite providers.Count `json:"cache_creation_input_tokens"`
	CacheRead  providers.Count `json:"cache_read_input_tokens"`
	Output     providers.Count `json:"output_tokens"`
	OutputSub  struct {
		Thinking providers.Count `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

// UnmarshalJSON implements [json.Unmarshaler]. A record that is none is as good
// as no record.
func (u *usage) UnmarshalJSON(data []byte) error {
	*u = usage{}
	type record usage
	_ = json.Unmarshal(data, (*record)(u))
	return nil
}

// update takes the counts of a later record. They are cumulative, and not every
// record has them all: the last value of each is the one that counts.
func (u *usage) update(later usage) {
	for _, c := range []struct {
		now   *providers.Count
		later providers.Count
	}{
		{&u.Input, later.Input},
		{&u.CacheWrite, later.CacheWrite},
		{&u.CacheRead, later.CacheRead},
		{&u.Output, later.Output},
		{&u.OutputSub.Thinking, later.OutputSub.Thinking},
	} {
		if c.later.Known() {
			*c.now = c.later
		}
	}
}

func (u usage) canonical() providers.Usage {
	c := providers.Usage{
		Output: u.Output, CachedRead: u.CacheRead, CachedWrite: u.CacheWrite, Reasoning: u.OutputSub.Thinking,
	}
	if u.Input.Known() {
		c.Input = u.Input.Plus(u.CacheWrite, u.CacheRead)
	}
	return c
}
