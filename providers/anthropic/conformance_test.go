package anthropic_test

import (
	"net/http"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/providertest"
)

// reply is a stream of these events, a piece each.
func reply(events ...string) providertest.Reply {
	r := providertest.Reply{ContentType: textSSE, Header: http.Header{"Request-Id": {"req_1"}}}
	for _, event := range events {
		r.Pieces = append(r.Pieces, block(event))
	}
	return r
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type constructor = func(string, endpoint.Options) *endpoint.Target
	for name, target := range map[string]constructor{"messages": anthropic.Messages, "vertex": anthropic.Vertex} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			create := func(unary bool) func(string, *http.Client) providers.Target {
				return func(url string, client *http.Client) providers.Target {
					return target("claude-m", endpoint.Options{BaseURL: url, Client: client, Key: "secret", Unary: unary})
				}
			}
			full := messageDelta(`{"input_tokens":9,"cache_creation_input_tokens":2,"cache_read_input_tokens":4,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2}}`)
			failure := func(name string) string {
				return `{"type":"error","error":{"type":"` + name + `","message":"m"}}`
			}
			usage := providers.Usage{Input: count(15), Output: count(5), CachedRead: count(4), CachedWrite: count(2), Reasoning: count(2)}
			providertest.Run(t, providertest.Case{
				New: create(false),
				Stream: reply(
					begin,
					blockStart(`"type":"thinking","thinking":"","signature":""`), ping,
					delta(`"type":"thinking_delta","thinking":"Hmm"`),
					delta(`"type":"signature_delta","signature":"EuYD"`), blockStop,
					textStart, hello, delta(`"type":"text_delta","text":" 東京"`), blockStop,
					full, stop,
				),
				Want: providertest.Want{
					Text: "Hello 東京", Reasoning: 3, First: 3, Last: 8,
					Usage: usage, Stop: "end_turn", Model: "claude-m", RequestID: "req_1",
				},
				Empty: reply(begin, textStart, ping, blockStop, finish, stop),
				Errors: []providertest.ErrorReply{
					{Name: "overloaded in a stream", Reply: reply(begin, textStart, hello, failure("overloaded_error")), Class: providers.Throttled, Code: "overloaded_error"},
					{Name: "failed in a stream", Reply: reply(begin, failure("api_error")), Class: providers.StreamError, Code: "api_error"},
					{Name: "overloaded", Reply: providertest.JSON(failure("overloaded_error")).With(529), Class: providers.Throttled, Code: "overloaded_error"},
					{Name: "rate limit", Reply: providertest.JSON(failure("rate_limit_error")).With(429), Class: providers.Throttled, Code: "rate_limit_error"},
					{Name: "model", Reply: providertest.JSON(failure("not_found_error")).With(404), Class: providers.HTTP4xx, Code: "not_found_error"},
				},
				NewUnary: create(true),
				Unary: providertest.JSON(`{"id":"msg_1","type":"message","role":"assistant","model":"claude-m","content":[{"type":"thinking","thinking":"Hmm","signature":"EuYD"},{"type":"text","text":"Hello"}],` +
					`"stop_reason":"end_turn","usage":{"input_tokens":9,"cache_creation_input_tokens":2,"cache_read_input_tokens":4,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2}}}`),
				UnaryWant: providertest.Want{Text: "Hello", Reasoning: 3, Usage: usage, Stop: "end_turn", Model: "claude-m", RequestID: "msg_1"},
			})
		})
	}
}
