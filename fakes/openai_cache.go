package fakes

import (
	"crypto/sha256"
	"sync"
	"time"
)

// A prefixCache remembers the prefixes of all prompts in blocks, unasked, as
// OpenAI does.
type prefixCache struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

// count returns the tokens of a prompt and how many of them are cached now, and
// caches it.
func (c *prefixCache) count(model, prompt string) (tokens, cached int) {
	const (
		bytesPerToken = 4
		block         = 128  // tokens
		least         = 1024 // tokens
		timeToLive    = 5 * time.Minute
	)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until == nil {
		c.until = make(map[[sha256.Size]byte]time.Time)
	}
	now := time.Now()
	prefix := sha256.New()
	prefix.Write([]byte(model + "\n"))
	tokens = max(1, len(prompt)/bytesPerToken)
	for end := block; end <= tokens; end += block {
		prefix.Write([]byte(prompt[(end-block)*bytesPerToken : end*bytesPerToken]))
		if end < least {
			continue
		}
		key := [sha256.Size]byte(prefix.Sum(nil))
		if c.until[key].After(now) {
			cached = end
		}
		c.until[key] = now.Add(timeToLive)
	}
	return tokens, cached
}
