package cohere_test

import (
	"net/http"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/providertest"
)

func events(data ...string) providertest.Reply {
	r := providertest.Reply{ContentType: sse}
	for _, d := range data {
		r.Pieces = append(r.Pieces, block(d))
	}
	return r
}

func TestConformance(t *testing.T) {
	t.Parallel()
	target := func(unary bool) func(url string, client *http.Client) providers.Target {
		return func(url string, client *http.Client) providers.Target {
			return cohere.Chat("command-a", endpoint.Options{BaseURL: url, Key: "key", Client: client, Unary: unary})
		}
	}
	tokens := providers.Usage{Input: count(502), Output: count(5), CachedRead: count(448)}
	failed := end(`"finish_reason":"ERROR","error":"model crashed"`)
	providertest.Run(t, providertest.Case{
		New:    target(false),
		Stream: events(start, delta("tool-plan-delta", `"tool_plan":"Hm."`), blockOn, text("Hel"), text("lo, 世界"), blockOff, complete, done),
		Want: providertest.Want{
			Text: "Hello, 世界", Reasoning: 3, First: 1, Last: 4, Terminal: 6, Stop: "COMPLETE", RequestID: "m-1", Usage: tokens,
		},
		Empty: events(start, blockOn, text(""), blockOff, complete, done),
		Errors: []providertest.ErrorReply{
			{Name: "throttle", Reply: providertest.JSON(`{"id":"e","message":"slow"}`).With(429), Class: providers.Throttled},
			{Name: "in the stream", Reply: events(start, text("Hel"), failed, done), Class: providers.StreamError, Code: "ERROR"},
			{Name: "without a type", Reply: events(start, text("Hel"), `{"message":"boom"}`), Class: providers.StreamError},
		},
		NewUnary:  target(true),
		Unary:     providertest.JSON(reply),
		UnaryWant: providertest.Want{Text: "Hi", Reasoning: 9, Stop: "COMPLETE", Usage: tokens},
	})
}
