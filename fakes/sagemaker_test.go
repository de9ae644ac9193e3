package fakes_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/latgate/latgate/fakes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	chatBody = `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say hello to everybody."}],"stream":true,"stream_options":{"include_usage":true}}`
	tgiBody  = `{"inputs":"Say hello to everybody in the room.","parameters":{"details":true}}`
)

// partsOf returns the payloads of a stream, of which each is a part.
func partsOf(t *testing.T, body []byte) []string {
	t.Helper()
	var parts []string
	for r := bytes.NewReader(body); r.Len() > 0; {
		m, err := eventstream.NewDecoder().Decode(r, nil)
		require.NoError(t, err)
		var headers []string
		for _, h := range m.Headers {
			headers = append(headers, h.Name+"="+h.Value.String())
		}
		assert.Equal(t, []string{":event-type=PayloadPart", ":content-type=application/octet-stream", ":message-type=event"}, headers)
		parts = append(parts, string(m.Payload))
	}
	return parts
}

func TestContainers(t *testing.T) {
	t.Parallel()
	const chunk = `{"choices":[{"delta":{%},"finish_reason":null,"index":0}],"id":"chatcmpl-fake","model":"fake","object":"chat.completion.chunk"}`
	delta := func(fields string) string { return strings.Replace(chunk, "%", fields, 1) }
	chat := []string{
		delta(`"content":"","role":"assistant"`), delta(`"content":"a"`), delta(`"content":" request"`),
		strings.Replace(delta(""), "null", `"stop"`, 1),
		`{"choices":[],"id":"chatcmpl-fake","model":"fake","object":"chat.completion.chunk","usage":{"completion_tokens":2,"prompt_tokens":8,"total_tokens":10}}`,
	}
	tgi := []string{
		`{"details":null,"generated_text":null,"token":{"id":1,"logprob":-0.5,"special":false,"text":"a"}}`,
		`{"details":null,"generated_text":null,"token":{"id":1,"logprob":-0.5,"special":false,"text":" request"}}`,
		`{"details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":8,"seed":null},"generated_text":"a request","token":{"id":1,"logprob":-0.5,"special":true,"text":"\u003c/s\u003e"}}`,
	}
	wrapped := func(before, after string, contents ...string) (events []string) {
		for _, c := range contents {
			events = append(events, before+c+after)
		}
		return events
	}
	for _, c := range []struct {
		name, body  string
		container   fakes.Container
		contentType string
		events      []string
	}{
		{"chat", chatBody, fakes.Container{}, "text/event-stream", append(wrapped("data: ", "\n\n", chat...), "data: [DONE]\n\n")},
		{"chat in lines", chatBody, fakes.Container{Lines: true}, "application/jsonlines", wrapped("", "\n", chat...)},
		{"TGI", tgiBody, fakes.Container{}, "text/event-stream", wrapped("data:", "\n\n", tgi...)},
		{"TGI in lines", tgiBody, fakes.Container{Lines: true}, "application/jsonlines", wrapped("", "\n", tgi...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const path = "/endpoints/my-llama/invocations-response-stream"
				h := fakes.SageMaker(fakes.Script{OutputTokens: 2}, c.container)
				resp, body, err := post(t, h, path, c.body)
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, c.contentType, resp.Header.Get("X-Amzn-SageMaker-Content-Type"))
				assert.Equal(t, "AllTraffic", resp.Header.Get("x-Amzn-Invoked-Production-Variant"))
				assert.NotEmpty(t, resp.Header.Get("x-amzn-RequestId"))
				parts := partsOf(t, body)
				assert.Equal(t, strings.Join(c.events, ""), strings.Join(parts, ""))
				assert.Len(t, parts, len(c.events)+1)
				for _, part := range parts {
					assert.NotContains(t, c.events, part, "no part is an event")
				}

				_, again, err := post(t, fakes.SageMaker(fakes.Script{OutputTokens: 2}, c.container), path, c.body)
				require.NoError(t, err)
				assert.Equal(t, body, again, "a seed has one stream")
				_, other, err := post(t, fakes.SageMaker(fakes.Script{OutputTokens: 2, Seed: 1}, c.container), path, c.body)
				require.NoError(t, err)
				assert.NotEqual(t, parts, partsOf(t, other), "and another one other parts")

				c.container.Aligned = true
				_, body, err = post(t, fakes.SageMaker(fakes.Script{OutputTokens: 2}, c.container), path, c.body)
				require.NoError(t, err)
				assert.Equal(t, c.events, partsOf(t, body))
			})
		})
	}
}

func TestContainersInOnePiece(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		chatBody: `{"choices":[{"finish_reason":"stop","index":0,"message":{"content":"a request","role":"assistant"}}],"id":"chatcmpl-fake","object":"chat.completion","usage":{"completion_tokens":2,"prompt_tokens":8,"total_tokens":10}}`,
		tgiBody:  `{"details":{"finish_reason":"eos_token","generated_tokens":2,"input_length":8,"seed":null},"generated_text":"a request"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, got, err := post(t, fakes.SageMaker(fakes.Script{OutputTokens: 2}, fakes.Container{}), "/endpoints/e/invocations", body)
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		})
	}
}

func TestSageMakerRefuses(t *testing.T) {
	t.Parallel()
	refusing := func(e fakes.Exception) fakes.Script {
		return fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Refuse{Exception: e, RetryAfter: 250 * ms}}}}
	}
	for _, c := range []struct {
		path, body string
		script     fakes.Script
		status     int
		name       string
		original   int
	}{
		{"/endpoints/e/invocations", `{}`, fakes.Script{}, 424, "ModelError", 422},
		{"/endpoints/e/invocations", `{"messages":[{"role":"user","content":"Hi"}],"max_tokens":0}`, fakes.Script{}, 424, "ModelError", 422},
		{"/endpoints/e/invocations", `{"inputs":""}`, fakes.Script{}, 424, "ModelError", 422},
		{"/endpoints/e/invocations-response-stream", `{"inputs":"Hi","parameters":{"temperature":0}}`, fakes.Script{}, 424, "ModelError", 422},
		{"/endpoints/e/invocations-response-stream", `{"inputs":5}`, fakes.Script{}, 424, "ModelError", 422},
		{"/endpoints/e/async-invocations", chatBody, fakes.Script{}, 404, "UnknownOperationException", 0},
		{"/endpoints/e/invocations", chatBody, refusing(""), 400, "ThrottlingException", 0},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.ResourceNotFound), 400, "ValidationError", 0},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.Validation), 400, "ValidationError", 0},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.ModelTimeout), 424, "ModelError", 500},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.ModelNotReady), 429, "ModelNotReadyException", 0},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.InternalServer), 500, "InternalFailure", 0},
		{"/endpoints/e/invocations", chatBody, refusing(fakes.ServiceUnavailable), 503, "ServiceUnavailable", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			resp, body, err := post(t, fakes.SageMaker(c.script, fakes.Container{}), c.path, c.body)
			require.NoError(t, err)
			assert.Equal(t, c.status, resp.StatusCode, "%s %s", c.path, c.body)
			assert.Equal(t, c.name+":", resp.Header.Get("x-amzn-ErrorType"))
			var fields struct {
				Message            string
				OriginalStatusCode int
			}
			require.NoError(t, json.Unmarshal(body, &fields))
			assert.NotEmpty(t, fields.Message)
			assert.Equal(t, c.original, fields.OriginalStatusCode)
			if c.script.Faults != nil {
				assert.Equal(t, "250", resp.Header.Get("x-amz-retry-after"))
			}
		})
	}
}

// What the SDK makes of the fake: the parts, and exceptions of their own types.
func TestSageMakerThroughTheSDK(t *testing.T) {
	t.Parallel()
	for effect, want := range map[fakes.Effect]error{
		nil: nil,
		fakes.Throw{Exception: fakes.ModelTimeout, After: 3}:   &smtypes.ModelStreamError{},
		fakes.Throw{Exception: fakes.InternalServer, After: 3}: &smtypes.InternalStreamFailure{},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := fakes.Script{OutputTokens: 5, Gap: fakes.Constant(10 * ms)}
			if effect != nil {
				s.Faults = []fakes.Fault{{Effect: effect}}
			}
			n := fakes.NewNetwork(fakes.SageMaker(s, fakes.Container{}))
			defer n.Close()
			client := sagemakerruntime.New(sagemakerruntime.Options{
				Region: "us-east-1", HTTPClient: n.Client(), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
			})
			out, err := client.InvokeEndpointWithResponseStream(t.Context(), &sagemakerruntime.InvokeEndpointWithResponseStreamInput{
				EndpointName: aws.String("e"), Body: []byte(tgiBody),
			})
			require.NoError(t, err)
			assert.Equal(t, "text/event-stream", aws.ToString(out.ContentType))
			var stream strings.Builder
			for event := range out.GetStream().Events() {
				part, is := event.(*smtypes.ResponseStreamMemberPayloadPart)
				require.True(t, is)
				stream.Write(part.Value.Bytes)
			}
			if want == nil {
				require.NoError(t, out.GetStream().Err())
				assert.Contains(t, stream.String(), `"generated_text":"a request that waits is"`)
				return
			}
			assert.IsType(t, want, out.GetStream().Err())
			assert.Equal(t, 3, strings.Count(stream.String(), "\n\n"), "and a piece of the fourth")
			assert.False(t, strings.HasSuffix(stream.String(), "\n\n"))
		})
	}
}
