package tgi_test

import (
	"net/http"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/providertest"
	"github.com/latgate/latgate/providers/tgi"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	create := func(unary bool) func(string, *http.Client) providers.Target {
		return func(url string, client *http.Client) providers.Target {
			return tgi.Generate(endpoint.Options{BaseURL: url, Client: client, Key: "secret", Unary: unary})
		}
	}
	const overloaded = `{"error":"Model is overloaded","error_type":"overloaded"}`
	for name, reply := range map[string]func(...string) providertest.Reply{
		"events": providertest.SSE,
		"lines": func(events ...string) providertest.Reply {
			r := providertest.Lines(events...)
			r.ContentType = lines
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, providertest.Case{
				New:    create(false),
				Stream: reply(token(""), token("Hello"), token(" 東京"), last("Hello 東京")),
				Want: providertest.Want{
					Text: "Hello 東京", First: 1, Last: 2,
					Usage: providers.Usage{Input: count(7), Output: count(3)}, Stop: "eos_token",
				},
				Empty: reply(last("")),
				Errors: []providertest.ErrorReply{
					{Name: "overloaded in a stream", Reply: reply(overloaded), Class: providers.Throttled, Code: "overloaded"},
					{Name: "failed in a stream", Reply: reply(token("a"), `{"error":"m","error_type":"generation"}`), Class: providers.StreamError, Code: "generation"},
					{Name: "overloaded", Reply: providertest.JSON(overloaded).With(429), Class: providers.Throttled, Code: "overloaded"},
					{Name: "validation", Reply: providertest.JSON(`{"error":"m","error_type":"validation"}`).With(422), Class: providers.HTTP4xx, Code: "validation"},
				},
				NewUnary:  create(true),
				Unary:     providertest.JSON(`{"generated_text":"Hello","details":{"finish_reason":"length","generated_tokens":2}}`),
				UnaryWant: providertest.Want{Text: "Hello", Usage: providers.Usage{Output: count(2)}, Stop: "length"},
			})
		})
	}
}
