package providers

import (
	"encoding/json"
	"math"
	"strconv"
)

// A Count is a number of tokens as a provider reported it. The zero Count is
// "not reported", which is not the same as 0 tokens. In JSON it is an integer,
// null when not reported.
type Count struct {
	n     int64
	known bool
}

// CountOf returns a known count.
func CountOf(n int64) Count { return Count{n: n, known: true} }

// Get returns the count and whether it was reported.
func (c Count) Get() (int64, bool) { return c.n, c.known }

// Known reports whether the count was reported.
func (c Count) Known() bool { return c.known }

// IsZero reports the opposite of Known; it lets `json:",omitzero"` leave the field out.
func (c Count) IsZero() bool { return !c.known }

// Plus adds what is known; the sum is known when any part is.
func (c Count) Plus(others ...Count) Count {
	for _, o := range others {
		c.n += o.n
		c.known = c.known || o.known
	}
	return c
}

// Update returns the later of two counts of the same thing, as far as it tells more:
// records come more than once, and some that come last count nothing any more.
func (c Count) Update(later Count) Count {
	if !later.known || later.n == 0 && c.n > 0 {
		return c
	}
	return later
}

// MarshalJSON implements [json.Marshaler].
func (c Count) MarshalJSON() ([]byte, error) {
	if !c.known {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, c.n, 10), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. Providers really send floats
// ("inputTextTokenCount":6.0), so those are taken, and numbers in quotes too; what cannot be a count (a
// word, a fraction, a negative number) is "not reported" rather than an error:
// a broken usage record must not lose the reply it came with.
func (c *Count) UnmarshalJSON(data []byte) error {
	*c = Count{}
	var number json.Number
	if json.Unmarshal(data, &number) != nil {
		return nil
	}
	f, err := number.Float64()
	if err != nil || f < 0 || f != math.Trunc(f) || f > 1<<53 || number == "" {
		return nil
	}
	*c = CountOf(int64(f))
	return nil
}

// Usage is a provider's own token count, brought to one meaning for all:
// Input includes what was read from and written to a prompt cache, Output
// includes reasoning. Chunks never stand in for tokens. A part can exceed its
// whole, since it is what the server reports: 161 cached tokens of a prompt of 7
// are on record. Whoever divides by it has to bound the quotient.
type Usage struct {
	Input       Count `json:"input_tokens,omitzero"`
	Output      Count `json:"output_tokens,omitzero"`
	CachedRead  Count `json:"cached_read_tokens,omitzero"`
	CachedWrite Count `json:"cached_write_tokens,omitzero"`
	Reasoning   Count `json:"reasoning_tokens,omitzero"`
}

// plausible returns u without counts that the server did not make: 0 tokens
// beside content, as a stream reports that its token limit cut short.
func (u Usage) plausible(content bool) Usage {
	if content {
		u.Input, u.Output = u.Input.positive(), u.Output.positive()
	}
	return u
}

func (c Count) positive() Count {
	if c.n == 0 {
		return Count{}
	}
	return c
}
