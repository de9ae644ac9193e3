package tgi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/internal/hostile"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/tgi"
)

// Whatever bytes come, decoding neither fails nor invents.
func FuzzDecode(f *testing.F) {
	f.Add(200, textSSE, stream(token("Hello"), token(" there"), last("Hello there")).Body)
	f.Add(200, lines, framed(lines, token("Hello"), last("Hello")).Body)
	f.Add(200, textSSE, stream(token("a"), `{"error":"Model is overloaded","error_type":"overloaded"}`).Body)
	f.Add(200, jsonText, []byte(`[{"generated_text":"Hello","details":{"finish_reason":"length","generated_tokens":2}}]`))
	f.Add(429, jsonText, []byte(`{"error":"Model is overloaded","error_type":"overloaded"}`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		x := exchange(status, contentType, "")
		x.Body = body
		r := hostile.Decode(t, tgi.Decoder{}, x)
		if r.Class == providers.OK {
			require.NotEmpty(t, r.Events)
		}
		tgi.Decoder{}.Sniff(providers.Frame{MediaType: contentType, Data: body})
	})
}

func BenchmarkDecode(b *testing.B) {
	const events = 4000
	tokens := make([]string, events)
	for i := range tokens {
		tokens[i] = token(" token")
	}
	for _, contentType := range []string{textSSE, lines} {
		x := framed(contentType, append(tokens, last("all"))...)
		b.Run(contentType, func(b *testing.B) {
			b.SetBytes(int64(len(x.Body)))
			b.ReportAllocs()
			for b.Loop() {
				require.Len(b, tgi.Decoder{}.Decode(x).Events, events)
			}
		})
	}
}
