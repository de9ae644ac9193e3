package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readMessages reads to the first error, copying what Next does not leave.
func readMessages(r io.Reader) (messages []wire.Message, err error) {
	reader := wire.NewEventStreamReader(r)
	for {
		m, err := reader.Next()
		if err != nil {
			return messages, err
		}
		m.Payload = bytes.Clone(m.Payload)
		m.Headers = append([]wire.Header{}, m.Headers...)
		for i, h := range m.Headers {
			if b, ok := h.Value.([]byte); ok {
				m.Headers[i].Value = bytes.Clone(b)
			}
		}
		messages = append(messages, m)
	}
}

// frame returns a message with the lengths as given and both checksums right.
func frame(total, headers uint32, rest string) []byte {
	b := binary.BigEndian.AppendUint32(nil, total)
	b = binary.BigEndian.AppendUint32(b, headers)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(b, rest...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// frameWithHeaders returns a message with these bytes for headers.
func frameWithHeaders(headers string) []byte {
	return frame(uint32(16+len(headers)), uint32(len(headers)), headers)
}

// bedrockBody is a body of n messages like those of ConverseStream.
func bedrockBody(tb testing.TB, n int) []byte {
	var body bytes.Buffer
	encoder := eventstream.NewEncoder()
	for i := range n {
		require.NoError(tb, encoder.Encode(&body, eventstream.Message{
			Headers: eventstream.Headers{
				{Name: ":event-type", Value: eventstream.StringValue("contentBlockDelta")},
				{Name: ":content-type", Value: eventstream.StringValue("application/json")},
				{Name: ":message-type", Value: eventstream.StringValue("event")},
			},
			Payload: fmt.Appendf(nil, `{"contentBlockIndex":0,"delta":{"text":" token%d"},"p":"abcdefghijklmnop"}`, i),
		}))
	}
	return body.Bytes()
}

// Strings that repeat are shared from message to message; a value of another
// type with the same bytes must not be taken for one.
func TestEventStreamReaderTellsTypesApart(t *testing.T) {
	var body []byte
	for _, value := range []string{"\x07\x00\x01x", "\x06\x00\x01x", "\x07\x00\x00", "\x00", "\x07\x00\x00", "\x02x", "\x07\x00\x01x"} {
		body = append(body, frameWithHeaders("\x01a"+value)...)
	}
	messages, err := readMessages(bytes.NewReader(body))
	require.Equal(t, io.EOF, err)
	var got []any
	for _, m := range messages {
		got = append(got, m.Headers[0].Value)
	}
	assert.Equal(t, []any{"x", []byte("x"), "", true, "", int8('x'), "x"}, got)
}

func TestMessageHeader(t *testing.T) {
	m := wire.Message{Headers: []wire.Header{{Name: ":event-type", Value: "metadata"}, {Name: "n", Value: int32(1)}}}
	assert.Equal(t, "metadata", m.Header(":event-type"))
	assert.Empty(t, m.Header("n"), "not a string")
	assert.Empty(t, m.Header(":exception-type"), "absent")
}

func TestEventStreamReaderCutAnywhere(t *testing.T) {
	body := bedrockBody(t, 3)
	whole, err := readMessages(bytes.NewReader(body))
	require.Equal(t, io.EOF, err)
	require.Len(t, whole, 3)
	for size := range len(body) {
		complete, boundary := 0, int64(0)
		for complete < 3 && whole[complete].End <= int64(size) {
			boundary = whole[complete].End
			complete++
		}
		for feed, open := range feeds {
			got, err := readMessages(open(body[:size]))
			require.Equal(t, whole[:complete], append([]wire.Message{}, got...), feed)
			if int64(size) == boundary {
				require.Equal(t, io.EOF, err, "%s: %d bytes", feed, size)
				continue
			}
			var broken *wire.FrameError
			require.ErrorAs(t, err, &broken, "%s: %d bytes", feed, size)
			require.Equal(t, boundary, broken.Offset)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

func TestEventStreamReaderFindsEveryFlippedBit(t *testing.T) {
	body := bedrockBody(t, 2)
	second := len(bedrockBody(t, 1))
	for i := range len(body) {
		for bit := range 8 {
			damaged := bytes.Clone(body)
			damaged[i] ^= 1 << bit
			messages, err := readMessages(bytes.NewReader(damaged))
			var broken *wire.FrameError
			require.ErrorAs(t, err, &broken, "bit %d of byte %d", bit, i)
			require.Contains(t, broken.Reason, "checksum mismatch")
			require.EqualValues(t, i/second*second, broken.Offset)
			require.Len(t, messages, i/second)
		}
	}
}

func TestEventStreamReaderRejects(t *testing.T) {
	name := "\x01a"
	tests := []struct {
		name  string
		frame []byte
		want  string
	}{
		{"total length 0", frame(0, 0, ""), "total length 0 is below the minimum of 16"},
		{"total length 15", frame(15, 0, ""), "total length 15 is below the minimum of 16"},
		{"headers longer than the message", frame(20, 5, "abcd"), "headers length 5 does not fit a total length of 20"},
		{"headers of 4 GiB", frame(16, math.MaxUint32, ""), "headers length 4294967295 does not fit a total length of 16"},
		{"headers above the limit", frame(16+128<<10+1, 128<<10+1, ""), "headers length 131073 is above the maximum of 131072"},
		{"payload above the limit", frame(16+24<<20+1, 0, ""), "payload length 25165825 is above the maximum of 25165824"},
		{"payload of 4 GiB", frame(math.MaxUint32, 0, ""), "payload length 4294967279 is above the maximum of 25165824"},
		{"prelude checksum", append(make([]byte, 8), "1234\x00\x00\x00\x00"...), "prelude checksum mismatch"},
		{"header without type", frameWithHeaders(name), "malformed headers: the last header is incomplete"},
		{"header cut in its name", frameWithHeaders("\xffabc"), "malformed headers: the last header is incomplete"},
		{"header type 10", frameWithHeaders(name + "\x0a"), `malformed headers: header "a" has a value of unknown type 10`},
		{"header type 255", frameWithHeaders(name + "\xff"), `malformed headers: header "a" has a value of unknown type 255`},
		{"short int8", frameWithHeaders(name + "\x02"), "malformed headers: the last header is incomplete"},
		{"short int16", frameWithHeaders(name + "\x031"), "malformed headers: the last header is incomplete"},
		{"short int32", frameWithHeaders(name + "\x04123"), "malformed headers: the last header is incomplete"},
		{"short int64", frameWithHeaders(name + "\x051234567"), "malformed headers: the last header is incomplete"},
		{"short bytes length", frameWithHeaders(name + "\x06\x00"), "malformed headers: the last header is incomplete"},
		{"short bytes", frameWithHeaders(name + "\x06\x00\x02x"), "malformed headers: the last header is incomplete"},
		{"short string", frameWithHeaders(name + "\x07\xff\xffx"), "malformed headers: the last header is incomplete"},
		{"short timestamp", frameWithHeaders(name + "\x081234567"), "malformed headers: the last header is incomplete"},
		{"short UUID", frameWithHeaders(name + "\x09123456789012345"), "malformed headers: the last header is incomplete"},
		{"duplicate header", frameWithHeaders(name + "\x00" + "\x01b\x00" + name + "\x01"), `malformed headers: header "a" occurs twice`},
	}
	good := bedrockBody(t, 1)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for feed, open := range feeds {
				reader := wire.NewEventStreamReader(open(append(bytes.Clone(good), test.frame...)))
				_, err := reader.Next()
				require.NoError(t, err, feed)
				for range 2 {
					_, err = reader.Next()
					require.EqualError(t, err, fmt.Sprintf("wire: frame at byte %d: %s", len(good), test.want), feed)
				}
			}
		})
	}
}

func TestEventStreamReaderAcceptsTheLimits(t *testing.T) {
	value := strings.Repeat("v", 64<<10-5) // which makes a header of 64 KiB
	headers := "\x01a\x07\xff\xfb" + value + "\x01b\x07\xff\xfb" + value
	payload := strings.Repeat("p", 24<<20)
	messages, err := readMessages(bytes.NewReader(frame(16+128<<10+24<<20, 128<<10, headers+payload)))
	require.Equal(t, io.EOF, err)
	require.Len(t, messages, 1)
	assert.Equal(t, value, messages[0].Header("b"))
	assert.Len(t, messages[0].Payload, len(payload))
}

func TestEventStreamReaderAllocatesForBytesPresent(t *testing.T) {
	announced := frame(16+24<<20, 0, "")
	allocated := allocatedBy(func() {
		_, err := readMessages(bytes.NewReader(announced))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
	assert.Less(t, allocated, uint64(32<<10))
}

func TestEventStreamReaderAfterReadError(t *testing.T) {
	failure := errors.New("connection reset")
	body := bedrockBody(t, 1)
	read := func(body []byte) error {
		_, err := readMessages(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(failure)))
		return err
	}
	assert.Equal(t, failure, read(body), "between two messages")
	var broken *wire.FrameError
	for _, size := range []int{1, 12, len(body) - 1} {
		err := read(body[:size])
		assert.ErrorIs(t, err, failure)
		assert.ErrorAs(t, err, &broken)
	}
}

func FuzzEventStream(f *testing.F) {
	f.Add([]byte{})
	f.Add(bedrockBody(f, 2))
	f.Add(bedrockBody(f, 2)[:200])
	f.Add(frame(16+24<<20, 0, "abc"))
	f.Add(frameWithHeaders("\x01a\x00\x01b\x021\x01c\x0312\x01d\x041234\x01e\x0512345678\x01f\x06\x00\x01x" +
		"\x01g\x07\x00\x01y\x01h\x0812345678\x01i\x091234567890123456"))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkEventStream(t, body)
		checkEventStream(t, frameWithHeaders(string(body))) // past the checksums
	})
}

// checkEventStream checks what holds for any body.
func checkEventStream(t *testing.T, body []byte) {
	var messages []wire.Message
	var err error
	allocated := allocatedBy(func() { messages, err = readMessages(bytes.NewReader(body)) })
	assert.LessOrEqual(t, allocated, uint64(64<<10+200*len(body)))

	slowly, slowErr := readMessages(iotest.OneByteReader(bytes.NewReader(body)))
	require.Equal(t, err, slowErr)
	require.Equal(t, messages, slowly)

	end := int64(0)
	for _, m := range messages {
		require.Equal(t, end, m.Start)
		require.Less(t, m.Start, m.End)
		require.LessOrEqual(t, m.End, int64(len(body)))
		end = m.End

		theirs, err := eventstream.NewDecoder().Decode(bytes.NewReader(body[m.Start:m.End]), nil)
		require.NoError(t, err)
		m.Start, m.End = 0, 0
		require.Empty(t, cmp.Diff(fromAWS(theirs), m))
	}
	if err != io.EOF {
		var broken *wire.FrameError
		require.ErrorAs(t, err, &broken)
		require.Equal(t, end, broken.Offset)
		require.Less(t, end, int64(len(body)))
	} else {
		require.Equal(t, end, int64(len(body)))
	}
}

// countMessages reads body to its end and keeps nothing.
func countMessages(body []byte) (n int) {
	reader := wire.NewEventStreamReader(bytes.NewReader(body))
	for {
		if _, err := reader.Next(); err != nil {
			return n
		}
		n++
	}
}

func BenchmarkEventStream(b *testing.B) {
	const messages = 1000
	body := bedrockBody(b, messages)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if n := countMessages(body); n != messages {
			b.Fatalf("read %d messages, want %d", n, messages)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/message")
}

func ExampleEventStreamReader() {
	body := "" +
		"\x00\x00\x00U\x00\x00\x001\xc4\x0f\x9f\xe8" + // lengths and their checksum
		"\x0b:event-type\x07\x00\x0cmessageStart\x0d:message-type\x07\x00\x05event" +
		`{"role":"assistant"}` +
		"9)\x1b\xc6" + // checksum
		"\x00\x00\x00`\x00\x00\x0063\xaa=\xbd" +
		"\x0b:event-type\x07\x00\x11contentBlockDelta\x0d:message-type\x07\x00\x05event" +
		`{"delta":` // and here the connection broke
	reader := wire.NewEventStreamReader(strings.NewReader(body))
	for {
		m, err := reader.Next()
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("bytes %d to %d: %s %s\n", m.Start, m.End, m.Header(":event-type"), m.Payload)
	}
	// Output:
	// bytes 0 to 85: messageStart {"role":"assistant"}
	// wire: frame at byte 85: incomplete message, 75 of 96 bytes: unexpected EOF
}
