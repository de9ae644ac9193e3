package openai

import (
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A CompletionsDecoder decodes the older API that continues a text, streamed or
// whole. OpenAI keeps it for old models; vLLM, llama.cpp and others are often
// measured with it. A prompt that is echoed counts as text, since nothing in the
// reply tells where it ends.
type CompletionsDecoder struct{}

var _ providers.Sniffer = CompletionsDecoder{}

// Recognizes reports whether x is a request to .../completions, but not to
// .../chat/completions.
func (CompletionsDecoder) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/completions") && !(ChatDecoder{}).Recognizes(x)
}

// Sniff reports whether a reply is a completion, or begins as a stream of one does.
func (CompletionsDecoder) Sniff(f providers.Frame) bool {
	h, first, ok := headOf(f.Data)
	object := h.Object.Value
	return ok && (object == "text_completion" ||
		first.Text != nil && !first.speaks() && !strings.HasPrefix(object, "chat.completion"))
}

// Decode implements [providers.Decoder].
func (CompletionsDecoder) Decode(x *wire.Exchange) *providers.Response {
	return decodeChat(CompletionsAPI, x)
}
