package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// A format is how a container streams.
type format int

const (
	unknown format = iota
	events         // server-sent events
	lines          // a JSON object a line
	whole          // not at all
)

// decodeContainer decodes what a container streamed.
func decodeContainer(x *wire.Exchange) *providers.Response {
	mediaType, _, _ := mime.ParseMediaType(x.Header.Get("X-Amzn-SageMaker-Content-Type"))
	switch formatOf(x.Body, mediaType) {
	case events:
		return decodeEvents(x)
	case lines:
		w := linesAsEvents(x.Body)
		r := decodeEvents(w.exchange(x))
		w.restore(r)
		return r
	case whole:
		return decodeWhole(x)
	}
	return failed(x, fmt.Errorf("the container streams neither server-sent events nor JSON, but %q: "+
		"its bytes are timed, but which of them are content is not known", mediaType))
}

// formatOf tells the format by the first bytes, and asks the content type where they
// are no help: containers name whatever they did before they learned to stream.
func formatOf(body []byte, mediaType string) format {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if n := min(len(body), len(field)); string(body[:n]) == field[:n] {
			return events
		}
	}
	switch {
	case mediaType == "text/event-stream":
		return events
	case body[0] == '[':
		return whole
	case body[0] != '{':
		return unknown
	}
	first, _, more := bytes.Cut(body, []byte("\n"))
	switch {
	case isLines(mediaType):
		return lines
	case more && !json.Valid(first): // an object over several lines
		return whole
	case isWhole(first):
		return whole
	}
	return lines
}

func isLines(mediaType string) bool {
	return strings.Contains(mediaType, "ndjson") || strings.Contains(mediaType, "jsonl") || strings.HasSuffix(mediaType, "stream+json")
}

// isWhole reports whether a line of JSON is a reply that did not stream.
func isWhole(line []byte) bool {
	var reply struct {
		Object string          `json:"object"`
		Text   json.RawMessage `json:"generated_text"`
		Token  json.RawMessage `json:"token"`
	}
	return json.Unmarshal(line, &reply) == nil &&
		(reply.Object == "chat.completion" || reply.Text != nil && reply.Token == nil)
}

// decodeEvents decodes server-sent events in the words that the first of them tells.
func decodeEvents(x *wire.Exchange) *providers.Response {
	first, incomplete := firstData(x.Body)
	d, err := speaker(first, incomplete)
	if err != nil {
		return failed(x, err)
	}
	return d.Decode(withType(x, "text/event-stream"))
}

// firstData returns the data of the first event that has any, and whether the body
// ended in it.
func firstData(body []byte) (data []byte, incomplete bool) {
	r := wire.NewSSEReader(bytes.NewReader(body))
	for {
		e, err := r.Next()
		if err != nil || e.Data != nil {
			return e.Data, e.Unterminated
		}
	}
}

// speakers are the decoders of what containers say.
var speakers = []providers.Sniffer{openai.ChatDecoder{}, tgi.Decoder{}}

// speaker returns the decoder for the words of the first event.
func speaker(first []byte, incomplete bool) (providers.Decoder, error) {
	frame := providers.Frame{MediaType: "text/event-stream", Data: first}
	for _, d := range speakers {
		if d.Sniff(frame) {
			return d, nil
		}
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(first, &members)
	switch _, failure := members["error"]; {
	case failure, len(first) == 0, string(first) == "[DONE]", incomplete && err != nil:
		return openai.ChatDecoder{}, nil // an error, or nothing, is the same in all words
	case err != nil:
		return nil, errors.New("the container's events are no JSON objects: which of their bytes are content is not known")
	}
	return nil, fmt.Errorf("the container's events are neither chat completions nor TGI's tokens: their members are {%s}", names(members))
}

// names lists members, the first twelve of them, in alphabetical order.
func names(members map[string]json.RawMessage) string {
	const shown, length = 12, 40
	var list []string
	for name := range members {
		list = append(list, name)
	}
	slices.Sort(list)
	if len(list) > shown {
		list = append(list[:shown], "…")
	}
	for i, name := range list {
		list[i] = fmt.Sprintf("%.*s", length, name)
	}
	return strings.Join(list, ", ")
}

// withType returns x with another content type.
func withType(x *wire.Exchange, mediaType string) *wire.Exchange {
	y := *x
	y.Header = x.Header.Clone()
	if y.Header == nil {
		y.Header = make(http.Header)
	}
	y.Header.Set("Content-Type", mediaType)
	return &y
}

// failed returns the response to x that is not what its protocol says.
func failed(x *wire.Exchange, err error) *providers.Response {
	b := providers.NewBuilder(Provider, StreamAPI, x)
	b.Fail(providers.Parse, "", err.Error())
	return b.Done()
}
