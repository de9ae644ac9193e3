package latencytest

import (
	"fmt"

	"github.com/latgate/latgate/providers"
)

// A CachePolicy is what a run does about the provider's prompt cache, which cuts
// the time to the first token of prompts that begin alike. It belongs to a run's
// identity: a run that found its prompts cached is never compared with one that
// did not.
type CachePolicy string

// The policies.
const (
	// AsIsCache sends the prompts as they are.
	AsIsCache CachePolicy = "asis"

	// BustCache begins each prompt with 19 characters of its own, so that nothing
	// is found in a cache. What a provider caches starts with the system text, so
	// they are put there where there is one.
	BustCache CachePolicy = "bust"

	// WarmCache sends each prompt once before anything is measured, within the
	// warm-up. A run that then reads no token from the cache is invalid.
	WarmCache CachePolicy = "warm"
)

// busted returns the prompt with a beginning that no other request has.
func busted(p providers.Prompt, seed uint64, number int) providers.Prompt {
	unique := fmt.Sprintf("[%08x%08x] ", uint32(seed^seed>>32), uint32(number))
	switch {
	case p.System != "":
		p.System = unique + p.System
	case p.CachedContext != "":
		p.CachedContext = unique + p.CachedContext
	default:
		p.Text = unique + p.Text
	}
	return p
}
