package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"
	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fromAWS turns a message of Amazon's package into one of ours.
func fromAWS(m eventstream.Message) wire.Message {
	headers := []wire.Header{}
	for _, h := range m.Headers {
		value := h.Value.Get()
		if uuid, ok := h.Value.(eventstream.UUIDValue); ok {
			value = [16]byte(uuid)
		}
		headers = append(headers, wire.Header{Name: h.Name, Value: value})
	}
	return wire.Message{Headers: headers, Payload: append([]byte{}, m.Payload...)}
}

func TestEventStreamReaderOnAWSVectors(t *testing.T) {
	names := func(kind string) (paths []string) {
		paths, err := filepath.Glob(recorded.File(t, "eventstream-vectors", "encoded", kind, "*"))
		require.NoError(t, err)
		return paths
	}
	decoded := func(path string) []byte {
		kind, name := filepath.Base(filepath.Dir(path)), filepath.Base(path)
		b, err := os.ReadFile(recorded.File(t, "eventstream-vectors", "decoded", kind, name))
		require.NoError(t, err)
		return b
	}

	positive := names("positive")
	require.Len(t, positive, 5)
	for _, path := range positive {
		t.Run(filepath.Base(path), func(t *testing.T) {
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			var want vector
			require.NoError(t, json.Unmarshal(decoded(path), &want))
			for feed, open := range feeds {
				messages, err := readMessages(open(body))
				require.Equal(t, io.EOF, err, feed)
				require.Len(t, messages, 1, feed)
				if diff := cmp.Diff(want.message(t), messages[0]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", feed, diff)
				}
			}
		})
	}

	negative := names("negative")
	require.Len(t, negative, 4)
	for _, path := range negative {
		t.Run(filepath.Base(path), func(t *testing.T) {
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			want := strings.ToLower(strings.TrimSpace(string(decoded(path))))
			for feed, open := range feeds {
				messages, err := readMessages(open(body))
				assert.Empty(t, messages, feed)
				assert.Equal(t, &wire.FrameError{Reason: want}, err, feed)
			}
		})
	}
}

// A vector is the expectation file of a positive AWS test vector.
type vector struct {
	Total   int64 `json:"total_length"`
	Headers []struct {
		Name  string
		Type  int
		Value json.RawMessage
	}
	Payload []byte
}

func (v vector) message(t *testing.T) wire.Message {
	m := wire.Message{Headers: []wire.Header{}, Payload: v.Payload, End: v.Total}
	for _, h := range v.Headers {
		var number int64
		var raw []byte
		if h.Value[0] == '"' {
			require.NoError(t, json.Unmarshal(h.Value, &raw))
		} else if h.Type > 1 {
			require.NoError(t, json.Unmarshal(h.Value, &number))
		}
		value := map[int]func() any{
			0: func() any { return true },
			1: func() any { return false },
			2: func() any { return int8(number) },
			3: func() any { return int16(number) },
			4: func() any { return int32(number) },
			5: func() any { return number },
			6: func() any { return raw },
			7: func() any { return string(raw) },
			8: func() any { return time.UnixMilli(number).UTC() },
			9: func() any { return [16]byte(raw) },
		}[h.Type]()
		m.Headers = append(m.Headers, wire.Header{Name: h.Name, Value: value})
	}
	return m
}

func TestEventStreamReaderAgreesWithAWS(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	value := func() eventstream.Value {
		switch random.IntN(9) {
		case 0:
			return eventstream.BoolValue(random.IntN(2) == 0)
		case 1:
			return eventstream.Int8Value(random.Uint32())
		case 2:
			return eventstream.Int16Value(random.Uint32())
		case 3:
			return eventstream.Int32Value(random.Uint32())
		case 4:
			return eventstream.Int64Value(random.Uint64())
		case 5:
			return eventstream.BytesValue(bytesOf(random.IntN(100)))
		case 6:
			return eventstream.StringValue(bytesOf(random.IntN(100)))
		case 7:
			return eventstream.TimestampValue(time.UnixMilli(random.Int64N(math.MaxInt64 / 1_000_000)).UTC())
		default:
			return eventstream.UUIDValue(bytesOf(16))
		}
	}

	var body bytes.Buffer
	var want []wire.Message
	encoder := eventstream.NewEncoder()
	for range 300 {
		var m eventstream.Message
		for range random.IntN(8) {
			m.Headers.Set(string(bytesOf(random.IntN(40))), value())
		}
		m.Payload = bytesOf(random.IntN(2000))
		expected := fromAWS(m)
		expected.Start = int64(body.Len())
		require.NoError(t, encoder.Encode(&body, m))
		expected.End = int64(body.Len())
		want = append(want, expected)
	}
	for feed, open := range feeds {
		got, err := readMessages(open(body.Bytes()))
		require.Equal(t, io.EOF, err, feed)
		require.Equal(t, want, got, feed)
	}
}
