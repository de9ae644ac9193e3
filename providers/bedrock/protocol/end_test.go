package protocol_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
)

// endOf returns at which byte StreamEnd sees the end, fed with step bytes more a
// call; -1 when never.
func endOf(t testing.TB, body []byte, step int) int {
	t.Helper()
	return firstEnd(protocol.StreamEnd(), body, step)
}

func firstEnd(ended func([]byte) bool, body []byte, step int) int {
	for n := 0; ; n = min(n+step, len(body)) {
		if ended(bytes.Clone(body[:n])) { // the transport moves its buffer
			return n
		}
		if n == len(body) {
			return -1
		}
	}
}

func failure(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, eventstream.NewEncoder().Encode(&b, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":exception-type", Value: eventstream.StringValue("throttlingException")},
			{Name: ":message-type", Value: eventstream.StringValue("exception")},
		},
		Payload: []byte(`{"message":"slow down"}`),
	}))
	return b.Bytes()
}

func TestStreamEndsWhereDecodeStops(t *testing.T) {
	t.Parallel()
	whole := smallStream(t)
	stop := frame(t, "messageStop", `{"stopReason":"end_turn"}`)
	metadata := frame(t, "metadata", `{"usage":{"outputTokens":9}}`)
	// What the model says about the end is not the end, not even as a message.
	quoting := frame(t, "contentBlockDelta", `{"delta":{"text":"`+"\x0b:event-type\x07\x00\x08metadata"+string(stop)+string(metadata)+`"}}`)
	start := bytes.Join([][]byte{whole[:len(frame(t, "messageStart", `{"role":"assistant","p":"ab"}`))], quoting}, nil)
	large := frame(t, "metadata", `{"trace":"`+string(bytes.Repeat([]byte("guardrail "), 200))+`"}`)
	corrupt := append(bytes.Clone(start), stop...)
	corrupt[len(start)+20] ^= 1
	for _, c := range []struct {
		name string
		body []byte
		want int
	}{
		{"nothing", nil, -1},
		{"whole", whole, len(whole)},
		{"with more behind it", join(whole, []byte("more")), len(whole)},
		{"cut short", whole[:len(whole)-1], -1},
		{"text that quotes the end", start, -1},
		{"and the real end", join(start, stop, metadata), len(start) + len(stop) + len(metadata)},
		{"large metadata", join(start, stop, large), len(start) + len(stop) + len(large)},
		{"stop alone", join(start, stop), -1},
		{"metadata before the stop", join(start, metadata, stop), -1},
		{"metadata before and after the stop", join(metadata, stop, metadata), 2*len(metadata) + len(stop)},
		{"exception", join(start, failure(t)), len(start) + len(failure(t))},
		{"corrupt", join(corrupt, metadata), -1},
		{"no event stream", []byte("<html>blocked by the proxy</html>"), -1},
		{"short of a prelude", []byte{0, 0, 0, 3, 0, 0, 0}, -1},
	} {
		for _, step := range []int{1, 7, 1000} {
			got := endOf(t, c.body, step)
			if c.want < 0 {
				assert.Equal(t, -1, got, "%s, %d bytes a read", c.name, step)
				continue
			}
			assert.GreaterOrEqual(t, got, c.want, "%s, %d bytes a read", c.name, step)
			assert.Less(t, got, c.want+step, "%s, %d bytes a read", c.name, step)
		}
	}
}

func TestInvokeStreamEndsWhereDecodeStops(t *testing.T) {
	t.Parallel()
	hi := chunk(t, `{"generation":"Hi \"amazon-bedrock-invocationMetrics\":{","stop_reason":null}`)
	stop := chunk(t, `{"generation":"","stop_reason":"stop"}`)
	last := chunk(t, `{"generation":"",`+recordOfMetrics+`}`)
	for _, c := range []struct {
		name string
		body []byte
		want int
	}{
		{"nothing", nil, -1},
		{"text that quotes the end", join(hi, hi), -1},
		{"a stop is not the end: metrics may follow", join(hi, stop), -1},
		{"metrics", join(hi, last), len(hi) + len(last)},
		{"with more behind it", join(hi, last, hi), len(hi) + len(last)},
		{"cut short", join(hi, last[:len(last)-1]), -1},
		{"message_stop", join(hi, chunk(t, `{"type":"message_stop"}`)), len(hi) + len(chunk(t, `{"type":"message_stop"}`))},
		{"an error of the model", chunk(t, `{"error":"no"}`), len(chunk(t, `{"error":"no"}`))},
		{"an exception", join(hi, failure(t)), len(hi) + len(failure(t))},
		{"an event of a later time", frame(t, "later", `{"bytes":"!"}`), -1},
		{"no base64", frame(t, "chunk", `{"bytes":"!"}`), -1},
	} {
		for _, step := range []int{1, 7, 1000} {
			got := firstEnd(protocol.InvokeStreamEnd(), c.body, step)
			if c.want < 0 {
				assert.Equal(t, -1, got, "%s, %d bytes a read", c.name, step)
				continue
			}
			assert.GreaterOrEqual(t, got, c.want, "%s, %d bytes a read", c.name, step)
			assert.Less(t, got, c.want+step, "%s, %d bytes a read", c.name, step)
		}
	}
}

// Whatever the bytes: where StreamEnd sees the end, more bytes do not change what
// is decoded, however the bytes were cut into reads.
func FuzzStreamEnd(f *testing.F) {
	whole := smallStream(f)
	f.Add(whole, 5)
	f.Add(append(bytes.Clone(whole), whole...), 100)
	f.Add(whole[:len(whole)/2], 1)
	f.Add(failure(f), 3)
	f.Fuzz(func(t *testing.T, body []byte, step int) {
		end := endOf(t, body, max(1, step))
		if (end >= 0) != (endOf(t, body, len(body)+1) >= 0) {
			t.Error("it depends on how the bytes were cut")
		}
		decoded := protocol.Converse{}.Decode(streamOf(body))
		if complete := decoded.Class == providers.OK || decoded.Class == providers.Empty; complete && end < 0 {
			t.Errorf("%s, but no end", decoded.Class)
		}
		if end < 0 {
			return
		}
		cut := protocol.Converse{}.Decode(streamOf(body[:end]))
		if cut.Class != decoded.Class || cut.Frames != decoded.Frames || cut.Text != decoded.Text {
			t.Errorf("cut at %d: %s, whole: %s", end, cut.Class, decoded.Class)
		}
	})
}

func BenchmarkStreamEnd(b *testing.B) {
	var body []byte
	var reads []int
	for range 500 {
		body = append(body, frame(b, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijklmnop"}`)...)
		reads = append(reads, len(body))
	}
	b.ReportAllocs()
	for b.Loop() {
		ended := protocol.StreamEnd()
		for _, n := range reads {
			if ended(body[:n]) {
				b.Fatal("ended")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/read")
}
