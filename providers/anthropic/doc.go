// Package anthropic sends prompts to Claude models through the Messages API of
// Anthropic, of Vertex AI and of whoever else serves it, and decodes its replies,
// streamed and whole, from captured bytes. It needs no SDK:
//
//	target := anthropic.Messages("claude-haiku-4-5", endpoint.Options{}) // key: ANTHROPIC_API_KEY
//	res := latencytest.Run(t, target, plan)
//
// Replies to a client of one's own are recognized by their path:
//
//	rec := latencytest.NewRecorder(t)
//	client := anthropic.NewClient(option.WithHTTPClient(rec.Client()))
//
// # Other hosts
//
// [Vertex] speaks to Vertex AI. Amazon Bedrock's Messages endpoint, Microsoft
// Foundry's and proxies take a base URL, and a bearer token where they want one in
// place of a key:
//
//	anthropic.Messages("anthropic.claude-haiku-4-5", endpoint.Options{
//		BaseURL: "https://bedrock-mantle.us-east-1.api.aws/anthropic",
//		Token:   func(context.Context) (string, error) { return os.Getenv("AWS_BEARER_TOKEN_BEDROCK"), nil },
//	})
//
// Hosts that carry the same events in frames of their own, as Amazon Bedrock's
// InvokeModel does, decode them with [Events].
//
// # Extended thinking
//
// It is asked for in the request's own words. Its budget counts towards the
// prompt's maximum of tokens, which must be above it, and the API takes no
// temperature beside it:
//
//	anthropic.Messages("claude-sonnet-4-5", endpoint.Options{Fields: map[string]any{
//		"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024},
//	}})
//
// What the model thought counts as reasoning, shown verbatim. Models of the fourth
// generation and later send a summary instead, which the wire does not tell; their
// thinking tokens, where the usage record has them, are those of the whole thought.
//
// # Tokens
//
// The output tokens of message_start are a first installment of the answer's, not
// those of its first event, so a first count is never known here. Events are larger
// than tokens: three tokens each are usual, thirty are on record.
package anthropic
