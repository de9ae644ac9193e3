package baseline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// A Key identifies what was measured: runs of equal keys may be compared, others
// never. It is a list of named facts, in the order in which they were stated.
type Key struct{ facts providers.Facts }

// KeyOf returns the key of a scenario's runs.
func KeyOf(s *latencytest.Scenario) Key { return NewKey(s.Identity) }

// NewKey returns a key of these facts. Facts without a value are left out, as
// the Go benchmark format cannot hold them.
func NewKey(facts providers.Facts) Key {
	var k Key
	for _, f := range facts {
		if value := oneLine(f.Value); value != "" {
			k.facts = append(k.facts, providers.Fact{Name: f.Name, Value: value})
		}
	}
	return k
}

// oneLine makes a value fit on a configuration line.
func oneLine(value string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, value))
}

// Facts returns the key's facts.
func (k Key) Facts() providers.Facts { return k.facts }

// Get returns the value of a fact, "" where the key has none of that name.
func (k Key) Get(name string) string { return k.facts.Get(name) }

// Hash returns the first 8 hex digits of the SHA-256 of the facts in canonical
// JSON. Directories are named after it.
func (k Key) Hash() string {
	byName := make(map[string]string, len(k.facts)) // encoding/json sorts the names
	for _, f := range k.facts {
		byName[f.Name] = f.Value
	}
	canonical, _ := json.Marshal(byName) // strings: cannot fail
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:4])
}

// A Mismatch is one fact in which two keys differ; an empty side has no such fact.
type Mismatch struct {
	Name       string
	Have, Want string
}

// String returns `model: the baseline has "a", this run "b"`.
func (m Mismatch) String() string {
	return fmt.Sprintf("%s: the baseline has %q, this run %q", m.Name, m.Have, m.Want)
}

// Mismatches lists the facts in which the stored key have differs from k, in the
// order of k's facts, and then those that only have states.
func (k Key) Mismatches(have Key) []Mismatch {
	var out []Mismatch
	for _, f := range k.facts {
		if v := have.Get(f.Name); v != f.Value {
			out = append(out, Mismatch{f.Name, v, f.Value})
		}
	}
	for _, f := range have.facts {
		if k.Get(f.Name) == "" {
			out = append(out, Mismatch{f.Name, f.Value, ""})
		}
	}
	return out
}
