// Package bedrock sends prompts to Amazon Bedrock through aws-sdk-go-v2 and
// decodes the replies from the captured bytes.
//
//	cfg, err := config.LoadDefaultConfig(ctx) // credentials, region or API key, as ever
//	client := bedrockruntime.NewFromConfig(cfg)
//	target := bedrock.ConverseStream(client, "us.anthropic.claude-haiku-4-5-20251001-v1:0",
//		bedrock.Optimized(), bedrock.Temperature(0))
//	res := latencytest.Run(t, target, plan)
//
// [ConverseStream] and [Converse] take every model in the same words.
// [InvokeModelWithResponseStream] and [InvokeModel] take each in its own, and report
// what the former do not: Bedrock's own time to the first byte. [Mantle] is
// Bedrock's OpenAI-compatible endpoint, which needs no SDK.
//
// The SDK is there for credentials, endpoints, signing and, when asked for,
// retries. Its stream decoding is kept out of the way: it would cost time, hold
// the stream back, report a stream that was cut in the middle as complete, and
// race with itself when one client runs several streams.
package bedrock
