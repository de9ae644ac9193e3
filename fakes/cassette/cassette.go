package cassette

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Schema names the format of the files, see the package documentation.
const Schema = "latgate.cassette/1"

// A Header tells where a cassette comes from and how its requests are matched.
type Header struct {
	Schema     string            `json:"schema"`
	Name       string            `json:"name,omitempty"`   // of the scenario
	Source     string            `json:"source"`           // "latgate", or the format it was imported from
	Started    time.Time         `json:"started,omitzero"` // when the first request could have been made
	Tool       string            `json:"tool,omitempty"`   // what wrote it
	Provenance map[string]string `json:"provenance,omitempty"`

	// Redacted says that text is filler of the same shape, see [Recording].
	Redacted bool     `json:"redacted"`
	Salt     []byte   `json:"salt,omitempty"` // of the hashes of redacted request bodies
	Matching Matching `json:"matching,omitzero"`
}

// A Cassette is a recording: what was asked of an endpoint and what came back, in
// the order in which the requests were made. Interactions are kept compressed, so
// that the recording of a long run fits into memory. A Cassette does not change and
// is safe for concurrent use.
type Cassette struct {
	Header Header

	packed []packed
}

// Assemble makes a cassette of interactions, redacted as rec says. They are in the
// order of their calls afterwards; those of one instant in that of Sample, Order, and
// as they were given. Those of a redacted cassette are refused: what they are matched
// by holds in that cassette only, see [Cassette.Select].
func Assemble(rec Recording, interactions ...*Interaction) (*Cassette, error) {
	r, err := rec.redactor(nil)
	if err != nil {
		return nil, err
	}
	c := &Cassette{Header: rec.header(r)}
	for n, i := range interactions {
		if i.Request.key != "" {
			return nil, fmt.Errorf("cassette: interaction %d comes from a redacted cassette, and is matched in that one only: use Select to take some of them", n)
		}
		clean, err := r.interaction(i)
		if err != nil {
			return nil, fmt.Errorf("cassette: interaction %d: %w", n, err)
		}
		if err := c.add(clean); err != nil {
			return nil, fmt.Errorf("cassette: interaction %d: %w", n, err)
		}
	}
	c.sort()
	return c, nil
}

// Select returns a cassette of the interactions that keep wants.
func (c *Cassette) Select(keep func(position int, i *Interaction) bool) *Cassette {
	selected := &Cassette{Header: c.Header}
	for n, i := range c.All() {
		if keep(n, i) {
			selected.packed = append(selected.packed, c.packed[n])
		}
	}
	return selected
}

// Redact returns the cassette with its text replaced by filler, see [Recording], and
// what scrub finds. A cassette that is redacted already stays as it is.
func (c *Cassette) Redact(scrub ...Scrubber) (*Cassette, error) {
	if c.Header.Redacted {
		return c, nil
	}
	redacted, err := Assemble(Recording{Redact: true, Scrub: scrub, Matching: c.Header.Matching}, slices.Collect(interactions(c))...)
	if err != nil {
		return nil, err
	}
	header := c.Header
	header.Redacted, header.Salt = true, redacted.Header.Salt
	redacted.Header = header
	return redacted, nil
}

// interactions returns the interactions without their positions.
func interactions(c *Cassette) iter.Seq[*Interaction] {
	return func(yield func(*Interaction) bool) {
		for _, i := range c.All() {
			if !yield(i) {
				return
			}
		}
	}
}

func (c *Cassette) add(i *Interaction) error {
	if err := i.validate(); err != nil {
		return err
	}
	p, err := pack(i)
	if err != nil {
		return err
	}
	c.packed = append(c.packed, p)
	return nil
}

// sort puts the interactions in the order of their calls; those of one instant in that
// of their samples, as a replay serves them.
func (c *Cassette) sort() {
	slices.SortStableFunc(c.packed, func(a, b packed) int {
		return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.sample, b.sample), cmp.Compare(a.order, b.order))
	})
}

// Len returns the number of interactions.
func (c *Cassette) Len() int { return len(c.packed) }

// At returns a copy of the interaction at a position from 0, in the order of calls.
func (c *Cassette) At(position int) *Interaction { return c.packed[position].unpack() }

// All returns the interactions with their positions.
func (c *Cassette) All() iter.Seq2[int, *Interaction] {
	return func(yield func(int, *Interaction) bool) {
		for n := range c.packed {
			if !yield(n, c.At(n)) {
				return
			}
		}
	}
}

// Arrivals returns when the requests were made, since the first of them, for load
// that comes as the recorded one did.
func (c *Cassette) Arrivals() []time.Duration {
	arrivals := make([]time.Duration, len(c.packed))
	for n, p := range c.packed {
		arrivals[n] = p.call - c.packed[0].call
	}
	return arrivals
}

// Synthesised reports whether some of the times are made up rather than measured,
// and of how many interactions in what way. A gate on times should refuse them: it
// would judge the profile.
func (c *Cassette) Synthesised() (reason string, synthesised bool) {
	count, timing := 0, ""
	for _, p := range c.packed {
		if p.timing != Recorded {
			count++
			timing = p.timing
		}
	}
	if count == 0 {
		return "", false
	}
	return fmt.Sprintf("the times of %d of %d interactions were not recorded: %s", count, len(c.packed), timing), true
}

// Buffered reports whether the recording's gaps are those of something that held the
// streams back when they were recorded, a proxy or a compressing hop, rather than
// the model's: with more than half of the streams that came in several events, all of
// these came nearly at once. A gate on gaps should refuse such a recording.
func (c *Cassette) Buffered() (reason string, buffered bool) {
	streams, held, example := 0, 0, -1
	for n, p := range c.packed {
		switch p.pace {
		case heldBack:
			if example < 0 {
				example = n
			}
			held++
			streams++
		case paced:
			streams++
		}
	}
	if 2*held <= streams {
		return "", false
	}
	return fmt.Sprintf("%d of %d streams came nearly at once when they were recorded: %s",
		held, streams, c.At(example).Response.heldBack()), true
}

var errEmpty = errors.New("cassette: nothing was recorded")
