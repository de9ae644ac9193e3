package fakes

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"
)

// inputTokens is the input side of a usage record. The three counts do not
// overlap.
type inputTokens struct {
	fresh, cacheRead, cacheWrite int
	cached                       bool // the prompt has cache points
}

// A promptCache remembers the prefixes of prompts that end in a cache point. It
// has no least size, which Bedrock's has.
type promptCache struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

// count returns what the prompt costs now, and caches it.
func (c *promptCache) count(model string, p prompt) inputTokens {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	prefix := sha256.New()
	prefix.Write([]byte(model))
	var tokens inputTokens
	bytes, read, write := 0, 0, 0 // lengths of the prefix so far, the longest one found, the longest one kept
	for _, b := range p.blocks() {
		point, isPoint := b["cachePoint"]
		if !isPoint {
			bytes += b.bytes()
			for member, raw := range b {
				prefix.Write([]byte(member))
				prefix.Write(raw)
			}
			continue
		}
		tokens.cached = true
		key := [sha256.Size]byte(prefix.Sum(nil))
		if c.until[key].After(now) {
			read = bytes
		}
		write = bytes
		if c.until == nil {
			c.until = make(map[[sha256.Size]byte]time.Time)
		}
		c.until[key] = now.Add(timeToLive(point))
	}
	const bytesPerToken = 4
	tokens.cacheRead = read / bytesPerToken
	tokens.cacheWrite = write/bytesPerToken - tokens.cacheRead
	tokens.fresh = max(1, bytes/bytesPerToken-write/bytesPerToken)
	return tokens
}

// timeToLive returns how long a cache point keeps its prefix: from its last use.
func timeToLive(point json.RawMessage) time.Duration {
	var p struct {
		TTL string `json:"ttl"`
	}
	if json.Unmarshal(point, &p) == nil && p.TTL == "1h" {
		return time.Hour
	}
	return 5 * time.Minute
}
