package sagemaker_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/providertest"
	"github.com/latgate/latgate/providers/sagemaker"
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

func part(content string) string {
	return framed(content, ":event-type", "PayloadPart", ":content-type", "application/octet-stream", ":message-type", "event")
}

func exceptionFrame(name string) string {
	return framed(`{"Message":"no"}`, ":exception-type", name, ":content-type", "application/json", ":message-type", "exception")
}

func parts(contents ...string) providertest.Reply {
	r := providertest.Reply{ContentType: "application/vnd.amazon.eventstream"}
	for _, c := range contents {
		r.Pieces = append(r.Pieces, part(c))
	}
	return r
}

func with(r providertest.Reply, frame string) providertest.Reply {
	r.Pieces = append(r.Pieces[:len(r.Pieces):len(r.Pieces)], frame)
	return r
}

func TestConformance(t *testing.T) {
	t.Parallel()
	at := func(make func(*sagemakerruntime.Client, string, ...sagemaker.Option) *sagemaker.Target, options ...sagemaker.Option) func(string, *http.Client) providers.Target {
		return func(url string, httpClient *http.Client) providers.Target {
			return make(client(nil, func(o *sagemakerruntime.Options) {
				o.HTTPClient, o.BaseEndpoint = httpClient, aws.String(url)
			}), "my-llama", options...)
		}
	}
	for _, c := range []struct {
		name    string
		options []sagemaker.Option
		stream  providertest.Reply
		want    providertest.Want
		empty   providertest.Reply
		unary   string
		usage   providers.Usage
	}{
		{
			"chat", nil,
			parts(
				`data: {"object":"chat.completion.chunk","choices":[{"delta":{"role":"assistant","content":""}}]}`+"\n\nda",
				`ta: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"Hello, "}}]}`+"\n\ndata: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"delta\":{\"content\":\"\xe4\xb8",
				"\x96\xe7\x95\x8c\"}}]}\n\n",
				`data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5}}`+"\n\n",
				"data: [DONE]\n\n"),
			providertest.Want{Text: "Hello, 世界", First: 1, Last: 2, Terminal: 3, Stop: "stop", Model: "my-llama", Usage: usageOf(9, 5)},
			parts("data: [DONE]\n\n"),
			`{"object":"chat.completion","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5}}`,
			usageOf(9, 5),
		},
		{
			"TGI",
			[]sagemaker.Option{sagemaker.TGI()},
			parts(
				`data:{"token":{"id":1,"text":"Hel`, `lo","special":false},"generated_text":null,"details":null}`+"\n\n",
				`data:{"token":{"id":2,"text":"</s>","special":true},"generated_text":"Hello","details":{"finish_reason":"stop","generated_tokens":5,"input_length":9}}`+"\n\n"),
			providertest.Want{Text: "Hello", First: 1, Last: 1, Stop: "stop", Usage: usageOf(9, 5)},
			parts(`data:{"token":{"id":2,"text":"</s>","special":true},"generated_text":"","details":null}` + "\n\n"),
			`[{"generated_text":"Hello","details":{"finish_reason":"stop","generated_tokens":5}}]`,
			providers.Usage{Output: providers.CountOf(5)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			begun := providertest.Reply{ContentType: c.stream.ContentType, Pieces: c.stream.Pieces[:2]}
			providertest.Run(t, providertest.Case{
				New: at(sagemaker.InvokeEndpointWithResponseStream, c.options...), Stream: c.stream, Want: c.want, Empty: c.empty,
				Errors: []providertest.ErrorReply{
					{Name: "in the stream", Reply: with(begun, exceptionFrame("ModelStreamError")), Class: providers.StreamError, Code: "ModelStreamError"},
					{Name: "SageMaker in the stream", Reply: with(begun, exceptionFrame("InternalStreamFailure")), Class: providers.StreamError, Code: "InternalStreamFailure"},
					{
						Name:  "the container throttles",
						Reply: providertest.Reply{Status: 424, ContentType: "application/json", Header: http.Header{"X-Amzn-Errortype": {"ModelError"}}, Pieces: []string{`{"Message":"no","OriginalStatusCode":429}`}},
						Class: providers.Throttled, Code: "ModelError",
					},
				},
				NewUnary: at(sagemaker.InvokeEndpoint, c.options...), Unary: providertest.JSON(c.unary),
				UnaryWant: providertest.Want{Text: "Hello", Stop: "stop", Usage: c.usage},
			})
		})
	}
}
