package cassette

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/latgate/latgate/providers/wire"
)

// packed is an interaction in memory: some 20,000 of them, each of 100 reads, are to
// fit beside what replays them. Streams of JSON shrink to a tenth.
type packed struct {
	call   time.Duration
	order  int64
	sample int
	timing string
	pace   pace
	blob   []byte
}

// The blob is, compressed: the line without its bodies and reads, the bodies, the
// reads; each after its length. Reads are the differences to the one before. It is S2 and
// not DEFLATE because that took a sixth of the time of a replay.

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func pack(i *Interaction) (packed, error) {
	e := exchangeOf(i)
	e.Request.Body, e.Request.Body64 = nil, nil
	e.Response.Body, e.Response.Body64, e.Response.Reads = nil, nil, nil
	head, err := json.Marshal(e)
	if err != nil {
		return packed{}, err
	}
	var reads []byte
	last := wire.Mark{}
	for _, m := range i.Response.Reads {
		reads = binary.AppendUvarint(reads, uint64(m.End-last.End))
		reads = binary.AppendUvarint(reads, uint64(m.At-last.At))
		last = m
	}

	plain := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(plain)
	plain.Reset()
	known := byte(1)
	if i.Request.Body == nil {
		known = 0
	}
	for _, part := range [][]byte{{known}, head, i.Request.Body, i.Response.Body, reads} {
		plain.Write(binary.AppendUvarint(nil, uint64(len(part))))
		plain.Write(part)
	}
	return packed{
		call: i.Call, order: i.Order, sample: i.Sample, timing: i.Timing, pace: i.Response.pace(),
		blob: bytes.Clone(s2.Encode(nil, plain.Bytes())),
	}, nil
}

func (p packed) unpack() *Interaction {
	parts := p.parts()
	i := p.interaction(parts[0], parts[1], parts[2])
	i.Response.Body = parts[3]
	last := wire.Mark{}
	for reads := parts[4]; len(reads) > 0; {
		end, n := binary.Uvarint(reads)
		at, m := binary.Uvarint(reads[n:])
		reads = reads[n+m:]
		last = wire.Mark{End: last.End + int64(end), At: last.At + time.Duration(at)}
		i.Response.Reads = append(i.Response.Reads, last)
	}
	return i
}

// request returns the request alone.
func (p packed) request() Request {
	parts := p.parts()
	return p.interaction(parts[0], parts[1], parts[2]).Request
}

// interaction returns what the first parts say.
func (p packed) interaction(known, head, request []byte) *Interaction {
	var e exchange
	err := json.Unmarshal(head, &e)
	must(err == nil, "packed: %v", err)
	i, err := e.interaction()
	must(err == nil, "packed: %v", err)
	if known[0] != 0 {
		i.Request.Body = request
	}
	return i
}

// parts decompresses the blob. The parts share their memory with nothing else.
func (p packed) parts() (parts [5][]byte) {
	rest, err := s2.Decode(nil, p.blob)
	must(err == nil, "packed: %v", err)
	for k := range parts {
		size, n := binary.Uvarint(rest)
		end := uint64(n) + size
		parts[k] = rest[n:end:end]
		rest = rest[end:]
	}
	return parts
}

// must panics where this package contradicts itself.
func must(ok bool, format string, a ...any) {
	if !ok {
		panic("cassette: " + fmt.Sprintf(format, a...))
	}
}
