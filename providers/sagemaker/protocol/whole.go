package protocol

import (
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// decodeWhole decodes a reply in one piece: TGI's, as an object or in a list, or a
// chat completion.
func decodeWhole(x *wire.Exchange) *providers.Response {
	const mediaType = "application/json"
	x = withType(x, mediaType)
	if (tgi.Decoder{}).Sniff(providers.Frame{MediaType: mediaType, Data: x.Body}) {
		return tgi.Decoder{}.Decode(x)
	}
	return openai.ChatDecoder{}.Decode(x)
}
