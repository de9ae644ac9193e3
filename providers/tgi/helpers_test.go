package tgi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

const (
	ms       = time.Millisecond
	textSSE  = "text/event-stream"
	jsonText = "application/json"
	lines    = "application/jsonlines"
)

// exchange is a reply as the transport would have captured it.
func exchange(status int, contentType, body string) *wire.Exchange {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: "tgi.example.com", Path: "/generate_stream",
		Status: status, Header: http.Header{}, Body: []byte(body),
		Ending: wire.EndEOF, End: wire.At(time.Second),
	}
	if contentType != "" {
		x.Header.Set("Content-Type", contentType)
	}
	if body != "" {
		x.Marks = []wire.Mark{{End: int64(len(body)), At: 500 * ms}}
	}
	return x
}

// framed is a reply of events, each read by itself: the first arrives after 10 ms
// and so on. Events of a stream have no space before their data.
func framed(contentType string, events ...string) *wire.Exchange {
	x := exchange(200, contentType, "")
	for i, event := range events {
		if contentType == lines {
			event += "\n"
		} else {
			event = "data:" + event + "\n\n"
		}
		x.Body = append(x.Body, event...)
		x.Marks = append(x.Marks, wire.Mark{End: int64(len(x.Body)), At: time.Duration(i+1) * 10 * ms})
	}
	return x
}

func stream(events ...string) *wire.Exchange { return framed(textSSE, events...) }

func decode(t *testing.T, x *wire.Exchange) *providers.Response {
	t.Helper()
	require.True(t, tgi.Decoder{}.Recognizes(x))
	return tgi.Decoder{}.Decode(x)
}

func count(n int64) providers.Count { return providers.CountOf(n) }

// token is an event of text, which is JSON without its quotes.
func token(text string) string {
	return `{"index":1,"token":{"id":1,"text":"` + text + `","logprob":-0.5,"special":false},"generated_text":null,"details":null}`
}

// last is the event that ends a stream: with a special token, which is no content.
func last(generated string) string {
	return `{"index":3,"token":{"id":2,"text":"</s>","logprob":-0.1,"special":true},"generated_text":"` + generated + `",` + usage + `}`
}

const usage = `"details":{"finish_reason":"eos_token","generated_tokens":3,"seed":null,"input_length":7}`
