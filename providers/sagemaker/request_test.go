package sagemaker_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker"
)

// seen keeps the last request's path, header and body.
type seen struct {
	network http.RoundTripper
	path    string
	host    string
	header  http.Header
	body    map[string]any
}

func (s *seen) RoundTrip(req *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.path, s.header, s.host, s.body = req.URL.EscapedPath(), req.Header, req.URL.Host, nil
	if err := json.Unmarshal(data, &s.body); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(strings.NewReader(string(data)))
	return s.network.RoundTrip(req)
}

func TestWhatIsAskedForIsSent(t *testing.T) {
	t.Parallel()
	full := providers.Prompt{Text: "And now?", System: "Be brief.", CachedContext: "A long text.", Caching: true, MaxTokens: 12, Region: "us-east-2", Model: "other"}
	sampling := []sagemaker.Option{sagemaker.Temperature(0), sagemaker.TopP(.5), sagemaker.TopK(40)}
	for _, c := range []struct {
		name    string
		options []sagemaker.Option
		prompt  providers.Prompt
		stream  string // request bodies
		whole   string
	}{
		{
			"chat", nil,
			providers.Prompt{Text: "Hi"},
			`{"messages":[{"role":"user","content":"Hi"}],"max_tokens":100,"stream":true,"stream_options":{"include_usage":true}}`,
			`{"messages":[{"role":"user","content":"Hi"}],"max_tokens":100}`,
		},
		{
			"chat with everything", append(sampling, sagemaker.Fields(map[string]any{"model": "lmi", "stream_options": nil})), full,
			`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"A long text.\n\nAnd now?"}],"max_tokens":12,"stream":true,"temperature":0,"top_p":0.5,"top_k":40,"model":"lmi"}`,
			`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"A long text.\n\nAnd now?"}],"max_tokens":12,"temperature":0,"top_p":0.5,"top_k":40,"model":"lmi"}`,
		},
		{
			"TGI",
			[]sagemaker.Option{sagemaker.TGI(), sagemaker.Temperature(.5), sagemaker.TopP(1)},
			providers.Prompt{Text: "Hi"},
			`{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true,"do_sample":true,"temperature":0.5},"stream":true}`,
			`{"inputs":"Hi","parameters":{"max_new_tokens":100,"details":true,"do_sample":true,"temperature":0.5}}`,
		},
		{
			"TGI with everything", append(sampling, sagemaker.TGI()), full,
			`{"inputs":"Be brief.\n\nA long text.\n\nAnd now?","parameters":{"max_new_tokens":12,"details":true,"do_sample":false,"top_p":0.5,"top_k":40},"stream":true}`,
			`{"inputs":"Be brief.\n\nA long text.\n\nAnd now?","parameters":{"max_new_tokens":12,"details":true,"do_sample":false,"top_p":0.5,"top_k":40}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.SageMaker(fakes.Script{}, fakes.Container{}))
				defer network.Close()
				wiretap := &seen{network: network.Transport()}
				options := append(c.options, sagemaker.InferenceComponent("component-1"), sagemaker.Variant("blue"))
				for _, target := range []*sagemaker.Target{
					sagemaker.InvokeEndpointWithResponseStream(client(wiretap), "my endpoint", options...),
					sagemaker.InvokeEndpoint(client(wiretap), "my endpoint", options...),
				} {
					got, err := send(t.Context(), target, 0, c.prompt)
					require.NoError(t, err)
					assert.Equal(t, providers.OK, got[0].Class, got[0].Detail)
					body, path := c.whole, "/endpoints/my%20endpoint/invocations"
					if got[0].API == "invoke-endpoint-stream" {
						body, path = c.stream, path+"-response-stream"
					}
					host := "runtime.sagemaker.us-east-1.amazonaws.com"
					if c.prompt.Region != "" {
						host, path = "runtime.sagemaker.us-east-2.amazonaws.com", strings.Replace(path, "my%20endpoint", "other", 1)
					}
					sent, err := json.Marshal(wiretap.body)
					require.NoError(t, err)
					assert.JSONEq(t, body, string(sent))
					assert.Equal(t, path, wiretap.path)
					assert.Equal(t, host, wiretap.host)
					assert.Equal(t, "component-1", wiretap.header.Get("X-Amzn-SageMaker-Inference-Component"))
					assert.Equal(t, "blue", wiretap.header.Get("X-Amzn-SageMaker-Target-Variant"))
					assert.Equal(t, "application/json", wiretap.header.Get("Content-Type"))
					assert.Contains(t, wiretap.header.Get("Authorization"), "/sagemaker/aws4_request")
				}
			})
		})
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	plain := sagemaker.InvokeEndpointWithResponseStream(client(nil), "my-llama")
	assert.Equal(t, "provider=sagemaker api=invoke-endpoint-stream model=my-llama region=us-east-1",
		plain.Describe(providers.Prompt{Text: "secret"}).String())
	full := sagemaker.InvokeEndpoint(client(nil, func(o *sagemakerruntime.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:8080") }), "my-llama",
		sagemaker.TGI(), sagemaker.Temperature(0), sagemaker.TopP(.5), sagemaker.TopK(40), sagemaker.InferenceComponent("c"),
		sagemaker.Variant("blue"), sagemaker.SDKRetries(), sagemaker.Fields(map[string]any{"secret": "s3cret"}))
	text := full.Describe(providers.Prompt{Text: "secret", Model: "other", Region: "us-west-2"}).String()
	assert.Regexp(t, `^provider=sagemaker api=invoke-endpoint model=other region=us-west-2 body=tgi temperature=0 top-p=0.5 top-k=40 `+
		`fields=sha256:[0-9a-f]{12} component=c variant=blue retries=sdk endpoint=127.0.0.1$`, text)
}

func TestFieldsThatAreNoJSON(t *testing.T) {
	t.Parallel()
	target := sagemaker.InvokeEndpoint(client(nil), "e", sagemaker.Fields(map[string]any{"f": func() {}}))
	got, err := send(t.Context(), target, 0, providers.Prompt{Text: "hello"})
	require.ErrorContains(t, err, "sagemaker: Fields: json")
	assert.Empty(t, got)
	assert.Equal(t, "not-json", target.Describe(providers.Prompt{}).Get("fields"))
}
