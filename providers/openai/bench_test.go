package openai_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

func BenchmarkDecode(b *testing.B) {
	const events = 4000
	chunk := `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","service_tier":"default","system_fingerprint":"fp_1",` +
		`"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abcdefgh"}`
	chat, answers := []string{role}, []string{created}
	for range events {
		chat = append(chat, chunk)
		answers = append(answers, of("output_text.delta", " token"))
	}
	for name, bench := range map[string]struct {
		decoder providers.Decoder
		x       *wire.Exchange
	}{
		"chat":      {openai.ChatDecoder{}, stream(append(chat, finish("stop"), usage, done)...)},
		"responses": {openai.ResponsesDecoder{}, responseStream(append(answers, completed)...)},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.x.Body)))
			b.ReportAllocs()
			for b.Loop() {
				r := bench.decoder.Decode(bench.x)
				require.Len(b, r.Events, events)
			}
		})
	}
}
