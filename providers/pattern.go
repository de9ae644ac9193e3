package providers

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// A Pattern recognizes frames of JSON that differ from one seen before in the values
// of a few strings only, as most chunks of a stream do. Whatever else such a frame
// says has been said already, so it need not be parsed: that is what takes the time
// in decoding. The zero Pattern matches nothing.
//
//	if text, ok := d.pattern.Match(frame); ok {
//		b.Add(providers.Text, text)
//		return nil
//	}
//	… // parse the frame, which holds the text under "content"
//	d.pattern.Learn(frame, text, "content", "obfuscation")
type Pattern struct {
	fixed []byte // the example without the values
	parts []int  // the ends in fixed of what stands before, between and after the values
	text  int    // which of the values is the text
}

// Learn makes p the pattern of frames like this one, whose string under the name
// key is text; those under the other names may differ, too. It makes p match
// nothing where it cannot be sure where text stands: a name comes up twice, or text
// is not in the frame as it is.
func (p *Pattern) Learn(frame []byte, text, key string, others ...string) {
	p.Forget()
	start, end, ok := stringAt(frame, key)
	if !ok || string(frame[start:end]) != text || !plain(frame[start:end]) {
		return
	}
	gaps := [][2]int{{start, end}}
	for _, name := range others {
		if from, to, ok := stringAt(frame, name); ok {
			gaps = append(gaps, [2]int{from, to})
		}
	}
	slices.SortFunc(gaps, func(a, b [2]int) int { return a[0] - b[0] })
	from := 0
	for i, gap := range gaps {
		if gap[0] == start {
			p.text = i
		}
		p.fixed = append(p.fixed, frame[from:gap[0]]...)
		p.parts = append(p.parts, len(p.fixed))
		from = gap[1]
	}
	p.fixed = append(p.fixed, frame[from:]...)
	p.parts = append(p.parts, len(p.fixed))
}

// Forget makes p match nothing.
func (p *Pattern) Forget() { p.fixed, p.parts = p.fixed[:0], p.parts[:0] }

// Match returns the text of a frame that is like the one learned.
func (p *Pattern) Match(frame []byte) (text string, ok bool) {
	if len(p.parts) == 0 {
		return "", false
	}
	var value []byte
	from := 0
	for i, end := range p.parts {
		var found bool
		if frame, found = bytes.CutPrefix(frame, p.fixed[from:end]); !found {
			return "", false
		}
		if from = end; i == len(p.parts)-1 {
			break
		}
		quote := bytes.IndexByte(frame, '"')
		if quote < 0 || !plain(frame[:quote]) {
			return "", false
		}
		if i == p.text {
			value = frame[:quote]
		}
		frame = frame[quote:]
	}
	return string(value), len(frame) == 0
}

// stringAt returns where the value of the only member of that name stands in data,
// if it is a string: quotation marks left out, escapes not looked at.
func stringAt(data []byte, name string) (start, end int, ok bool) {
	member := []byte(`"` + name + `"`)
	at := bytes.Index(data, member)
	if at <= 0 || data[at-1] == '\\' || bytes.Contains(data[at+len(member):], member) {
		return 0, 0, false
	}
	rest := bytes.TrimLeft(data[at+len(member):], " \t\r\n")
	if rest, ok = bytes.CutPrefix(rest, []byte(":")); !ok {
		return 0, 0, false
	}
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if rest, ok = bytes.CutPrefix(rest, []byte(`"`)); !ok {
		return 0, 0, false
	}
	length := bytes.IndexByte(rest, '"')
	if length < 0 {
		return 0, 0, false
	}
	start = len(data) - len(rest)
	return start, start + length, true
}

// plain reports whether a string's value is what stands between its quotation marks.
func plain(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(value)
}
