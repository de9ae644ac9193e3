package bedrock_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/providertest"
)

// framed is a message of an event stream; headers are names and values.
func framed(payload string, headers ...string) string {
	m := eventstream.Message{Payload: []byte(payload)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, eventstream.Header{Name: headers[i], Value: eventstream.StringValue(headers[i+1])})
	}
	var b bytes.Buffer
	_ = eventstream.NewEncoder().Encode(&b, m) // a buffer takes everything
	return b.String()
}

func eventStream(pieces ...string) providertest.Reply {
	return providertest.Reply{ContentType: "application/vnd.amazon.eventstream", Pieces: pieces}
}

func eventFrame(name, payload string) string {
	return framed(payload, ":event-type", name, ":content-type", "application/json", ":message-type", "event")
}

func exceptionFrame(name string) string {
	return framed(`{"message":"no"}`, ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}

func chunkFrame(json string) string {
	return eventFrame("chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(json))+`","p":"abc"}`)
}

// at returns how a target is made whose endpoint is a suite's.
func at(make func(*bedrockruntime.Client, string, ...bedrock.Option) *bedrock.Target, model string) func(string, *http.Client) providers.Target {
	return func(url string, httpClient *http.Client) providers.Target {
		return make(client(nil, func(o *bedrockruntime.Options) {
			o.HTTPClient, o.BaseEndpoint = httpClient, aws.String(url)
		}), model)
	}
}

// refusals are those of both APIs.
var refusals = []providertest.ErrorReply{
	{
		Name:  "throttled",
		Reply: providertest.Reply{Status: 429, ContentType: "application/json", Header: http.Header{"X-Amzn-Errortype": {"ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"}}, Pieces: []string{`{"message":"Too many tokens"}`}},
		Class: providers.Throttled, Code: "ThrottlingException",
	},
	{
		Name:  "a cold model",
		Reply: providertest.Reply{Status: 429, ContentType: "application/json", Header: http.Header{"X-Amzn-Errortype": {"ModelNotReadyException"}}, Pieces: []string{`{"message":"loading"}`}},
		Class: providers.HTTP4xx, Code: "ModelNotReadyException",
	},
}

func TestConformanceOfConverse(t *testing.T) {
	t.Parallel()
	start := eventFrame("messageStart", `{"role":"assistant"}`)
	providertest.Run(t, providertest.Case{
		New: at(bedrock.ConverseStream, model),
		Stream: eventStream(start,
			eventFrame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":""}}`),
			eventFrame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}`),
			eventFrame("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"Hello, "}}`),
			eventFrame("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"世界"}}`),
			eventFrame("messageStop", `{"stopReason":"end_turn"}`),
			eventFrame("metadata", `{"usage":{"inputTokens":9,"outputTokens":5},"metrics":{"latencyMs":70}}`)),
		Want: providertest.Want{
			Text: "Hello, 世界", Reasoning: 3, First: 2, Last: 4, Stop: "end_turn", Model: model,
			Usage: providers.Usage{Input: providers.CountOf(9), Output: providers.CountOf(5)},
		},
		Empty: eventStream(start, eventFrame("messageStop", `{"stopReason":"end_turn"}`), eventFrame("metadata", `{}`)),
		Errors: append([]providertest.ErrorReply{
			{Name: "throttled in the stream", Reply: eventStream(start, exceptionFrame("throttlingException")), Class: providers.Throttled, Code: "throttlingException"},
			{Name: "in the stream", Reply: eventStream(start, exceptionFrame("modelStreamErrorException")), Class: providers.StreamError, Code: "modelStreamErrorException"},
		}, refusals...),
		NewUnary:  at(bedrock.Converse, model),
		Unary:     providertest.JSON(`{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":5}}`),
		UnaryWant: providertest.Want{Text: "Hello", Stop: "end_turn", Usage: providers.Usage{Input: providers.CountOf(9), Output: providers.CountOf(5)}},
	})
}

func TestConformanceOfInvokeModel(t *testing.T) {
	t.Parallel()
	const metrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":5,"invocationLatency":70,"firstByteLatency":30}`
	want := providers.Usage{Input: providers.CountOf(9), Output: providers.CountOf(5)}
	for _, c := range []struct {
		name, model string
		stream      providertest.Reply
		want        providertest.Want
		empty       providertest.Reply
		unary       string
	}{
		{
			"anthropic", model,
			eventStream(
				chunkFrame(`{"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}`),
				chunkFrame(`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}`),
				chunkFrame(`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello, "}}`),
				chunkFrame(`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"世界"}}`),
				chunkFrame(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}`),
				chunkFrame(`{"type":"message_stop",`+metrics+`}`)),
			providertest.Want{Text: "Hello, 世界", Reasoning: 3, First: 1, Last: 3, Stop: "end_turn", Usage: want, Model: model},
			eventStream(chunkFrame(`{"type":"message_start","message":{}}`), chunkFrame(`{"type":"message_stop",`+metrics+`}`)),
			`{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":5}}`,
		},
		{
			"llama", "us.meta.llama3-3-70b-instruct-v1:0",
			eventStream(
				chunkFrame(`{"generation":"","prompt_token_count":9,"generation_token_count":1,"stop_reason":null}`),
				chunkFrame(`{"generation":"Hello","prompt_token_count":null,"generation_token_count":3,"stop_reason":null}`),
				chunkFrame(`{"generation":"","prompt_token_count":null,"generation_token_count":5,"stop_reason":"end_turn",`+metrics+`}`)),
			providertest.Want{Text: "Hello", First: 1, Last: 1, Stop: "end_turn", Usage: want},
			eventStream(chunkFrame(`{"generation":"","generation_token_count":0,"stop_reason":"stop",` + metrics + `}`)),
			`{"generation":"Hello","prompt_token_count":9,"generation_token_count":5,"stop_reason":"end_turn"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, providertest.Case{
				New: at(bedrock.InvokeModelWithResponseStream, c.model), Stream: c.stream, Want: c.want, Empty: c.empty,
				Errors: append([]providertest.ErrorReply{
					{Name: "throttled in the stream", Reply: eventStream(c.stream.Pieces[0], exceptionFrame("throttlingException")), Class: providers.Throttled, Code: "throttlingException"},
					{Name: "in the stream", Reply: eventStream(c.stream.Pieces[0], exceptionFrame("modelTimeoutException")), Class: providers.StreamError, Code: "modelTimeoutException"},
					{Name: "of the model", Reply: eventStream(c.stream.Pieces[0], chunkFrame(`{"error":{"code":"oom","message":"no"}}`)), Class: providers.StreamError, Code: "oom"},
				}, refusals...),
				NewUnary: at(bedrock.InvokeModel, c.model), Unary: providertest.JSON(c.unary),
				UnaryWant: providertest.Want{Text: "Hello", Stop: "end_turn", Usage: want},
			})
		})
	}
}
