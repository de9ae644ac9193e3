package openai_test

import (
	"net/http"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	refusals := []providertest.ErrorReply{
		{Name: "rate limit", Reply: providertest.JSON(`{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}`).With(429), Class: providers.Throttled, Code: "rate_limit_exceeded"},
		{Name: "quota", Reply: providertest.JSON(`{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}`).With(429), Class: providers.HTTP4xx, Code: "insufficient_quota"},
		{Name: "model", Reply: providertest.JSON(`{"error":{"message":"m","type":"invalid_request_error","code":"model_not_found"}}`).With(404), Class: providers.HTTP4xx, Code: "model_not_found"},
	}
	chat := providertest.Case{
		Stream: providertest.SSE(role, delta(`"reasoning_content":"Hmm"`), hello, delta(`"content":""`), delta(`"content":" 東京"`), finish("stop"), usage, done),
		Want: providertest.Want{
			Text: "Hello 東京", Reasoning: 3, First: 1, Last: 4, Terminal: 6,
			Usage: providers.Usage{Input: count(9), Output: count(5)}, Stop: "stop", Model: "m", RequestID: "chatcmpl-1",
		},
		Empty: providertest.SSE(role, finish("stop"), usage, done),
		Errors: append([]providertest.ErrorReply{
			{Name: "throttled in a stream", Reply: providertest.SSE(role, hello, `{"error":{"message":"m","code":"rate_limit_exceeded"}}`, done), Class: providers.Throttled, Code: "rate_limit_exceeded"},
			{Name: "failed in a stream", Reply: providertest.SSE(role, `{"error":{"message":"m","type":"server_error","code":null}}`), Class: providers.StreamError, Code: "server_error"},
		}, refusals...),
		Unary:     providertest.JSON(`{"id":"chatcmpl-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}`),
		UnaryWant: providertest.Want{Text: "Hello", Usage: providers.Usage{Input: count(9), Output: count(5)}, Stop: "stop", Model: "m", RequestID: "chatcmpl-1"},
	}
	all := providers.Usage{Input: count(9), Output: count(5), CachedRead: count(4), CachedWrite: count(2), Reasoning: count(3)}
	responses := providertest.Case{
		Stream: providertest.Events(
			"response.created", created, "response.in_progress", progress,
			"response.reasoning_text.delta", of("reasoning_text.delta", "Hmm"), "response.reasoning_text.done", `{"type":"response.reasoning_text.done","text":"Hmm"}`,
			"response.output_item.added", added, "response.output_text.delta", of("output_text.delta", ""),
			"response.output_text.delta", helloText, "response.output_text.delta", of("output_text.delta", " 東京"),
			"response.output_item.done", itemDone, "response.completed", completed,
		),
		Want: providertest.Want{
			Text: "Hello 東京", Reasoning: 3, First: 2, Last: 7,
			Usage: all, Stop: "completed", Model: "m", RequestID: "resp_1",
		},
		Empty: providertest.Events("response.created", created, "response.completed", completed),
		Errors: append([]providertest.ErrorReply{
			{Name: "throttled in a stream", Reply: providertest.Events("response.created", created, "error", `{"type":"error","code":"rate_limit_exceeded","message":"m"}`), Class: providers.Throttled, Code: "rate_limit_exceeded"},
			{Name: "failed in a stream", Reply: providertest.Events("response.output_text.delta", helloText, "response.failed", terminated("failed", `"error":{"code":"server_error","message":"m"},`)), Class: providers.StreamError, Code: "server_error"},
		}, refusals...),
		Unary: providertest.JSON(`{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]}],` +
			`"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":14}}`),
		UnaryWant: providertest.Want{Text: "Hello", Usage: all, Stop: "completed", Model: "m", RequestID: "resp_1"},
	}
	for name, api := range map[string]struct {
		c      providertest.Case
		target func(endpoint.Options) *endpoint.Target
	}{
		"chat":      {chat, chatTarget},
		"azure":     {chat, func(o endpoint.Options) *endpoint.Target { return openai.Azure("d", "2024-10-21", o) }},
		"responses": {responses, responsesTarget},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			create := func(unary bool) func(string, *http.Client) providers.Target {
				return func(url string, client *http.Client) providers.Target {
					return api.target(endpoint.Options{BaseURL: url, Client: client, Key: "secret", Unary: unary})
				}
			}
			c := api.c
			c.New, c.NewUnary = create(false), create(true)
			providertest.Run(t, c)
		})
	}
}
