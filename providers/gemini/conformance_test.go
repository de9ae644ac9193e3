package gemini_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/providertest"
)

func options(url string, client *http.Client) endpoint.Options {
	return endpoint.Options{BaseURL: url, Key: "key", Client: client}
}

// crlf is a reply of events as Google sends them.
func crlf(data ...string) providertest.Reply {
	r := providertest.SSE(data...)
	for i, piece := range r.Pieces {
		r.Pieces[i] = strings.ReplaceAll(piece, "\n", "\r\n")
	}
	return r
}

func TestConformance(t *testing.T) {
	t.Parallel()
	want := providertest.Want{
		Text: "Hello there", Reasoning: 3, First: 1, Last: 3, Terminal: 4, EndsWithBody: true,
		Usage: providers.Usage{Input: count(9), Output: count(45), Reasoning: count(40)},
		Stop:  "STOP", Model: "gemini-2.5-flash", RequestID: "r-1",
	}
	chunks := []string{chunk("", ""), chunk(thought, usage1), chunk(hello, usage1), chunk(there, usage2), last(`{"text": ""}`, "STOP", usage2)}
	c := providertest.Case{
		New: func(url string, client *http.Client) providers.Target {
			return gemini.GenerateContent("gemini-2.5-flash", options(url, client))
		},
		Stream: crlf(chunks...),
		Want:   want,
		Empty:  crlf(`{"promptFeedback": {"blockReason": "SAFETY"}}`),
		Errors: []providertest.ErrorReply{
			{Name: "quota", Reply: providertest.JSON(throttled).With(429), Class: providers.Throttled, Code: "RESOURCE_EXHAUSTED"},
			{Name: "overload", Reply: providertest.JSON(barePretty).With(503), Class: providers.HTTP5xx, Code: "UNAVAILABLE"},
			{Name: "as data", Reply: crlf(chunk(hello, ""), throttled), Class: providers.Throttled, Code: "RESOURCE_EXHAUSTED"},
			{Name: "bare JSON", Reply: providertest.Reply{
				ContentType: "text/event-stream", Pieces: append(crlf(chunk(hello, "")).Pieces, barePretty),
			}, Class: providers.StreamError, Code: "UNAVAILABLE"},
		},
		NewUnary: func(url string, client *http.Client) providers.Target {
			o := options(url, client)
			o.Unary = true
			return gemini.GenerateContent("gemini-2.5-flash", o)
		},
		Unary:     providertest.JSON(last(thought+","+hello, "STOP", usage2)),
		UnaryWant: providertest.Want{Text: "Hello", Reasoning: 3, Stop: "STOP", Usage: want.Usage, EndsWithBody: true},
	}
	t.Run("events", func(t *testing.T) { providertest.Run(t, c) })

	c.Stream = providertest.Reply{ContentType: "application/json"}
	for i, chunk := range chunks {
		piece := "\n," + chunk
		if i == 0 {
			piece = "[" + chunk
		}
		c.Stream.Pieces = append(c.Stream.Pieces, piece)
	}
	c.Stream.Pieces = append(c.Stream.Pieces, "]")
	c.Empty = providertest.JSON(`[{"promptFeedback": {"blockReason": "SAFETY"}}]`)
	t.Run("array", func(t *testing.T) { providertest.Run(t, c) })
}
