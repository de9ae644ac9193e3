package providertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// cut returns x as it would be had its body ended after n bytes, where err is nil,
// or broken off there.
func cut(x *wire.Exchange, n int, err error) *wire.Exchange {
	short := *x
	short.Body = x.Body[:n:n]
	short.Marks = nil
	var from int64
	for _, m := range x.Marks {
		if from >= int64(n) {
			break
		}
		short.Marks = append(short.Marks, wire.Mark{End: min(m.End, int64(n)), At: m.At})
		from = m.End
		short.End = wire.At(m.At)
	}
	if err != nil {
		short.Ending, short.Err = wire.EndFailed, err
	}
	return &short
}

// maxCuts bounds how many cuts of a stream are tried.
const maxCuts = 4000

// checkTruncated cuts the reply after every byte. The prefix says what the whole
// says of it, with the same times, and is not ok before it has the terminal event.
func checkTruncated(t *trial) {
	out, x, whole := t.reply(context.Background(), "the stream", t.Stream.script())
	if whole == nil || whole.Class != providers.OK {
		return // reported by checkStream
	}
	start, end := bounds(t.Stream, t.terminal())
	stride := 1 + len(x.Body)/maxCuts
	for n := 0; n < len(x.Body); n += stride {
		for _, cause := range []error{nil, io.ErrUnexpectedEOF} {
			label := fmt.Sprintf("cut after %d of %d bytes", n, len(x.Body))
			if cause != nil {
				label = fmt.Sprintf("broken after %d of %d bytes", n, len(x.Body))
			}
			r := t.decode(label, out.target, cut(x, n, cause))
			if r == nil {
				continue
			}
			t.samePrefix(label, int64(n), whole.Events, r.Events)
			switch {
			case r.Class != providers.OK, cause == nil && t.Want.EndsWithBody:
			case int64(n) <= start:
				t.errorf("%s: ok, without the terminal event", label)
			case int64(n) < end && r.Text != t.Want.Text:
				t.errorf("%s: ok, with the text %q", label, r.Text)
			}
		}
	}
}

// samePrefix checks that the events of a body's first n bytes are those that the
// whole has there. One more may be in a frame that ends with the bytes.
func (t *trial) samePrefix(label string, n int64, whole, got []providers.Event) {
	there := 0
	for there < len(whole) && whole[there].End <= n {
		there++
	}
	if len(got) < there {
		t.errorf("%s: want %d content events, got %d", label, there, len(got))
		return
	}
	for i := range there {
		if got[i] != whole[i] {
			t.errorf("%s: event %d: want %+v, got %+v", label, i, whole[i], got[i])
		}
	}
	for _, e := range got[there:] {
		if e.End != n || there == len(whole) {
			t.errorf("%s: an event that the whole does not have: %+v", label, e)
		}
	}
}

// mutations is how many bodies are changed at random, with as many seeds.
const mutations = 500

// checkMutations changes the reply at random: bytes, and what is missing, doubled
// or in another place.
func checkMutations(t *trial) {
	out, x, whole := t.reply(context.Background(), "the stream", t.Stream.script())
	if whole == nil {
		return
	}
	for seed := range uint64(mutations) {
		random := rand.New(rand.NewPCG(seed, 1))
		body := bytes.Clone(x.Body)
		for range 1 + random.IntN(4) {
			body = mutate(random, body)
		}
		t.decode(fmt.Sprintf("changed at random (seed %d)", seed), out.target, withBody(x, body))
	}
}

func mutate(random *rand.Rand, body []byte) []byte {
	if len(body) == 0 {
		return body
	}
	from := random.IntN(len(body))
	to := min(len(body), from+1+random.IntN(40))
	piece := bytes.Clone(body[from:to])
	switch random.IntN(5) {
	case 0: // another byte
		body[from] = byte(random.Uint32())
		return body
	case 1: // one of those that mean something
		const telling = "\"\\{}[]:,0-9e.\n\r \x00\xff"
		body[from] = telling[random.IntN(len(telling))]
		return body
	case 2:
		return append(body[:from:from], body[to:]...)
	case 3:
		return append(body[:to:to], append(piece, body[to:]...)...)
	}
	rest := append(body[:from:from], body[to:]...)
	where := random.IntN(len(rest) + 1)
	return append(rest[:where:where], append(piece, rest[where:]...)...)
}

// withBody returns x with another body, of 16 bytes a read.
func withBody(x *wire.Exchange, body []byte) *wire.Exchange {
	other := *x
	other.Body, other.Marks = body, nil
	for end := 0; end < len(body); {
		end = min(end+16, len(body))
		other.Marks = append(other.Marks, wire.Mark{End: int64(end), At: at(len(other.Marks))})
	}
	other.End = wire.At(at(len(other.Marks)))
	return &other
}

// checkGarbage answers with bodies that are no reply of any protocol.
func checkGarbage(t *trial) {
	out, x, whole := t.reply(context.Background(), "the stream", t.Stream.script())
	if whole == nil {
		return
	}
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 10_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	values := []string{
		"null", "[]", "{}", "0", `""`, "true", "[null]", "-1e999", "{", `"`, "\xff\xfe", "\x00",
		strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 20_000), `"` + strings.Repeat("x", 100_000) + `"`,
		strings.Repeat("9", 5_000), `{"error":null,"usage":null}`, "[DONE", page,
	}
	bodies := []string{
		string(noise), strings.Repeat("\n", 10_000), strings.Repeat("\r", 1_000), "\ufeff", strings.Repeat(": ping\n\n", 100),
		"data", "data:", "data\n\n", "event: x\n\n", "event: error\ndata: null\n\n", "error: null\n\n",
	}
	for _, v := range values {
		bodies = append(bodies, v, v+"\n", "data: "+v+"\n\n", "event: message\ndata: "+v+"\n\n")
	}
	for _, body := range bodies {
		label := fmt.Sprintf("a body of %d bytes, %.30q", len(body), body)
		r := t.decode(label, out.target, withBody(x, []byte(body)))
		if r != nil && r.Class == providers.OK && !t.Want.EndsWithBody {
			t.errorf("%s: ok, with the text %.60q", label, r.Text)
		}
	}
}
