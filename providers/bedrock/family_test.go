package bedrock_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

const (
	llama3 = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>" +
		"<|start_header_id|>user<|end_header_id|>\n\nA long text.\n\nAnd now?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
	llama4 = "<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>" +
		"<|header_start|>user<|header_end|>\n\nA long text.\n\nAnd now?<|eot|><|header_start|>assistant<|header_end|>\n\n"
)

func TestEachFamilyIsAskedInItsOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model, body string
		topK        bool
		caching     bool
	}{
		{
			"us.anthropic.claude-haiku-4-5-20251001-v1:0",
			`{"anthropic_version":"bedrock-2023-05-31","max_tokens":12,"temperature":0,"top_p":0.5,"top_k":250,"system":"Be brief.","messages":[{"role":"user","content":[
				{"type":"text","text":"A long text.","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"And now?"}]}]}`,
			true, true,
		},
		{
			"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
			`{"schemaVersion":"messages-v1","inferenceConfig":{"maxTokens":12,"temperature":0,"topP":0.5,"topK":250},"system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[
				{"text":"A long text."},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"And now?"}]}]}`,
			true, true,
		},
		{
			"amazon.titan-text-premier-v1:0",
			`{"inputText":"Be brief.\n\nA long text.\n\nAnd now?","textGenerationConfig":{"maxTokenCount":12,"temperature":0,"topP":0.5}}`,
			false, false,
		},
		{"us.meta.llama3-1-70b-instruct-v1:0", `{"prompt":` + quoted(llama3) + `,"max_gen_len":12,"temperature":0,"top_p":0.5}`, false, false},
		{"us.meta.llama4-maverick-17b-instruct-v1:0", `{"prompt":` + quoted(llama4) + `,"max_gen_len":12,"temperature":0,"top_p":0.5}`, false, false},
		{"cohere.command-text-v14", `{"prompt":"Be brief.\n\nA long text.\n\nAnd now?","stream":true,"max_tokens":12,"temperature":0,"p":0.5,"k":250}`, true, false},
		{"cohere.command-r-v1:0", `{"message":"A long text.\n\nAnd now?","preamble":"Be brief.","max_tokens":12,"temperature":0,"p":0.5,"k":250}`, true, false},
		{"mistral.mixtral-8x7b-instruct-v0:1", `{"prompt":"<s>[INST] Be brief.\n\nA long text.\n\nAnd now? [/INST]","max_tokens":12,"temperature":0,"top_p":0.5,"top_k":250}`, true, false},
		{"us.mistral.pixtral-large-2502-v1:0", `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"A long text.\n\nAnd now?"}],"max_tokens":12,"temperature":0,"top_p":0.5}`, false, false},
		{"openai.gpt-oss-20b-1:0", `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"A long text.\n\nAnd now?"}],"max_tokens":12,"temperature":0,"top_p":0.5}`, false, false},
	} {
		t.Run(c.model, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
				defer network.Close()
				wiretap := &seen{network: network.Transport()}
				options := []bedrock.Option{bedrock.Optimized(), bedrock.Temperature(0), bedrock.TopP(.5)}
				if c.topK {
					options = append(options, bedrock.TopK(250))
				}
				target := bedrock.InvokeModelWithResponseStream(client(wiretap), c.model, options...)
				prompt := providers.Prompt{
					Text: "And now?", System: "Be brief.", MaxTokens: 12, Region: "us-east-2", CachedContext: "A long text.",
				}
				if c.caching {
					prompt.Caching, prompt.CacheTTL = true, "1h"
				}
				got, err := send(t.Context(), target, 0, prompt)
				require.NoError(t, err)
				assert.Equal(t, providers.OK, got[0].Class, got[0].Detail)
				assert.Equal(t, "optimized", got[0].Served)
				sent, err := json.Marshal(wiretap.body)
				require.NoError(t, err)
				assert.JSONEq(t, c.body, string(sent))
				assert.Equal(t, "bedrock-runtime.us-east-2.amazonaws.com", wiretap.host)
				assert.Contains(t, wiretap.auth, "/us-east-2/bedrock/aws4_request")
			})
		})
	}
}

func quoted(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

func TestPlainPrompts(t *testing.T) {
	t.Parallel()
	for model, body := range map[string]string{
		model:                           `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`,
		"amazon.nova-micro-v1:0":        `{"schemaVersion":"messages-v1","inferenceConfig":{"maxTokens":100},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
		"cohere.command-light-text-v14": `{"prompt":"Hi","max_tokens":100}`,
		"cohere.command-r-v1:0":         `{"message":"Hi","max_tokens":100}`,
		"qwen.qwen3-32b-v1:0":           `{"messages":[{"role":"user","content":"Hi"}],"max_tokens":100}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
			defer network.Close()
			wiretap := &seen{network: network.Transport()}
			got, err := send(t.Context(), bedrock.InvokeModel(client(wiretap), model), 0, providers.Prompt{Text: "Hi"})
			require.NoError(t, err)
			assert.Equal(t, providers.OK, got[0].Class, got[0].Detail)
			sent, err := json.Marshal(wiretap.body)
			require.NoError(t, err)
			assert.JSONEq(t, body, string(sent))
		})
	}
}

func TestModelWithoutAFamilyIsNotGuessed(t *testing.T) {
	t.Parallel()
	const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	for _, c := range []struct {
		name, model, refusal string
		options              []bedrock.Option
		prompt               providers.Prompt
	}{
		{"an ARN", profile, "InvokeModel: the id of arn:aws:bedrock:us-east-1:***:application-inference-profile/abc does not tell the words of its model; say so with the option Family", nil, providers.Prompt{Text: "a"}},
		{"a vendor of later times", "us.acme.large-v1:0", "does not tell", nil, providers.Prompt{Text: "a"}},
		{"a model that is no text", "amazon.titan-embed-text-v2:0", "does not tell", nil, providers.Prompt{Text: "a"}},
		{"no such family", profile, `there is no family "claude"`, []bedrock.Option{bedrock.Family("claude")}, providers.Prompt{Text: "a"}},
		{"no top-k", "amazon.titan-text-lite-v1", "TopK: models of the family titan take no top-k", []bedrock.Option{bedrock.TopK(4)}, providers.Prompt{Text: "a"}},
		{"no cache", "us.meta.llama3-2-3b-instruct-v1:0", "prompt_caching: models of the family llama take no cache mark", nil, providers.Prompt{Text: "a", Caching: true, CachedContext: "b"}},
	} {
		for _, target := range []*bedrock.Target{
			bedrock.InvokeModelWithResponseStream(client(nil), c.model, c.options...),
			bedrock.InvokeModel(client(nil), c.model, c.options...),
		} {
			got, err := send(t.Context(), target, 0, c.prompt)
			require.ErrorContains(t, err, c.refusal, c.name)
			assert.NotContains(t, err.Error(), "123456789012")
			assert.Empty(t, got, "nothing is sent")
		}
	}
}

func TestFamilyOfAnARNIsTold(t *testing.T) {
	t.Parallel()
	const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	for _, family := range []bedrock.ModelFamily{
		bedrock.Anthropic, bedrock.Nova, bedrock.Titan, bedrock.Llama, bedrock.Llama4, bedrock.CommandR, bedrock.Chat,
	} {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{OutputTokens: 3}))
			defer network.Close()
			target := bedrock.InvokeModelWithResponseStream(client(network.Transport()), profile, bedrock.Family(family))
			got, err := send(t.Context(), target, 0, providers.Prompt{Text: "hello"})
			require.NoError(t, err)
			assert.Equal(t, providers.OK, got[0].Class, got[0].Detail)
			assert.Equal(t, "a request that", got[0].Text, family)
			assert.Equal(t, "arn:aws:bedrock:us-east-1:***:application-inference-profile/abc", got[0].Model)
			assert.Equal(t, "provider=bedrock api=invoke-stream model=arn:aws:bedrock:us-east-1:***:application-inference-profile/abc region=us-east-1 profile= family="+string(family),
				target.Describe(providers.Prompt{Text: "secret"}).String())
		})
	}
}

func TestInvokeSaysWhenTheFakeWouldRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{}))
		defer network.Close()
		// Nova's words are none of Anthropic's.
		target := bedrock.InvokeModel(client(network.Transport()), model, bedrock.Family(bedrock.Nova))
		got, err := send(t.Context(), target, 0, providers.Prompt{Text: "hello"})
		require.Error(t, err)
		assert.Equal(t, providers.HTTP4xx, got[0].Class)
		assert.Equal(t, "ValidationException", got[0].Code)
	})
}

var _ http.RoundTripper = (*seen)(nil)
