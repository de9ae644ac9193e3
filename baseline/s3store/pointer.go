package s3store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/providers"
)

// Schema names the format of a pointer.
const Schema = "latgate.pointer/1"

// A pointer says which runs are the baseline of a key.
type pointer struct {
	Schema string  `json:"schema"`
	Runs   []entry `json:"runs"` // oldest first; of one second in the order in which they came
	Pinned *entry  `json:"pinned,omitzero"`
}

// An entry names a run's object, below the prefix, and says what it holds.
type entry struct {
	Object string    `json:"object"`
	SHA256 string    `json:"sha256"` // of the object's bytes, 64 hex digits
	Time   time.Time `json:"time"`   // when the run was measured, UTC
}

// add enters a run, unless it is there, and drops the oldest ones beyond
// baseline.Keep, never the one just added.
func (p *pointer) add(e entry) {
	if slices.ContainsFunc(p.Runs, func(other entry) bool { return other.Object == e.Object }) {
		return
	}
	at := slices.IndexFunc(p.Runs, func(other entry) bool { return other.Time.After(e.Time) })
	if at < 0 {
		at = len(p.Runs)
	}
	p.Runs = slices.Insert(p.Runs, at, e)
	for len(p.Runs) > baseline.Keep {
		oldest := 0
		if p.Runs[0] == e {
			oldest = 1
		}
		p.Runs = slices.Delete(p.Runs, oldest, oldest+1)
	}
}

// newest are the entries of those runs that others are compared with.
func (p *pointer) newest() []entry { return p.Runs[max(0, len(p.Runs)-baseline.Keep):] }

func (p *pointer) format() ([]byte, error) {
	p.Schema = Schema
	if p.Runs == nil {
		p.Runs = []entry{} // there may be a pinned run alone
	}
	return document(p)
}

// parsePointer reads the pointer of a key. It refuses what format would not have
// written: entries lead nowhere but to that key's runs.
func parsePointer(data []byte, l layout) (*pointer, error) {
	p := new(pointer)
	if err := parse(data, Schema, p); err != nil {
		return nil, err
	}
	all := p.Runs
	if p.Pinned != nil {
		all = append(all[:len(all):len(all)], *p.Pinned)
	}
	for _, e := range all {
		sum, err := hex.DecodeString(e.SHA256)
		switch {
		case !l.holds(e.Object):
			return nil, fmt.Errorf("it names the object %s, which is no run of this key: %s", quoted(e.Object), restore)
		case err != nil || len(sum) != 32 || strings.ToLower(e.SHA256) != e.SHA256:
			return nil, fmt.Errorf("it names the SHA-256 %s, want 64 hex digits: %s", quoted(e.SHA256), restore)
		}
	}
	slices.SortStableFunc(p.Runs, func(a, b entry) int { return a.Time.Compare(b.Time) })
	return p, nil
}

const restore = "somebody edited it; restore the version of before"

// keysSchema names the format of a list of keys.
const keysSchema = "latgate.keys/1"

// maxKeys is how many keys of a scenario are listed; of more, the oldest go.
const maxKeys = 100

// A keyList says under which keys a scenario has runs: what another run could not
// be compared with, and why. A mirror has no other way to find them.
type keyList struct {
	Schema string      `json:"schema"`
	Keys   []listedKey `json:"keys"` // in the order in which they first got a run
}

type listedKey struct {
	Hash  string          `json:"hash"`
	Facts providers.Facts `json:"facts"`
}

// add enters a key and reports whether it was missing.
func (l *keyList) add(k baseline.Key) bool {
	if slices.ContainsFunc(l.Keys, func(other listedKey) bool { return other.Hash == k.Hash() }) {
		return false
	}
	l.Keys = append(l.Keys, listedKey{k.Hash(), k.Facts()})
	l.Keys = l.Keys[max(0, len(l.Keys)-maxKeys):]
	return true
}

func (l *keyList) format() ([]byte, error) {
	l.Schema = keysSchema
	return document(l)
}

func parseKeys(data []byte) (*keyList, error) {
	list := new(keyList)
	if err := parse(data, keysSchema, list); err != nil {
		return nil, err
	}
	for _, stored := range list.Keys {
		if baseline.NewKey(stored.Facts).Hash() != stored.Hash {
			return nil, fmt.Errorf("the facts of the key %s are not those of its hash: %s", quoted(stored.Hash), restore)
		}
	}
	return list, nil
}

// document renders JSON for people as well: pointers are read when something is
// wrong.
func document(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// parse reads a document of a schema, and nothing that it does not know.
func parse(data []byte, schema string, v any) error {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("not a document of latgate: %s", providers.Scrub(err.Error()))
	}
	if head.Schema != schema {
		return fmt.Errorf("schema %s: this version of latgate reads %q; use the version that wrote it", quoted(head.Schema), schema)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %s", providers.Scrub(err.Error()), restore)
	}
	return nil
}

// quoted makes a text of the server harmless and short.
func quoted(text string) string { return fmt.Sprintf("%q", providers.Scrub(text)) }

// clean reports whether a text is one segment of an object's name.
func clean(segment string) bool {
	return segment != "" && segment != "." && segment != ".." && !strings.ContainsFunc(segment, func(r rune) bool {
		return r == '/' || r == '\\' || r > unicode.MaxASCII || unicode.IsControl(r)
	})
}
