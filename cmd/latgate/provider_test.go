package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
)

const customFile = `name: acme
model: acme-large
url: %s/v1/chat
headers: {Accept: text/event-stream}
body:
  model: "{model}"
  stream: true
  stream_options: {include_usage: true}
  max_tokens: "{max_tokens}"
  messages: [{role: user, content: "{prompt}"}]
framing: sse
paths: {text: "choices[*].delta.content", finish: "choices[*].finish_reason"}
done: "[DONE]"
usage: {input: usage.prompt_tokens, output: usage.completion_tokens}
`

// Each provider answers a whole run that is made of flags alone.
func TestProviders(t *testing.T) {
	t.Parallel()
	claude := "us.anthropic.claude-haiku-4-5-20251001-v1:0"
	for _, c := range []struct {
		provider, flags string
		fake            func(fakes.Script) http.Handler
		path            string
		auth, key       string // a header, and what is in it
		unaryPath       string // where it is another one
		described       string
	}{
		{"openai", "--model m --base-url URL/v1", fakes.OpenAI, "/v1/chat/completions", "Authorization", "Bearer openai-0123456789", "", "openai"},
		{"openai-responses", "--model m --base-url URL/v1", fakes.OpenAI, "/v1/responses", "Authorization", "Bearer openai-0123456789", "", "openai"},
		{"azure", "--model m --base-url URL", fakes.OpenAI, "/openai/deployments/m/chat/completions", "Api-Key", "azure-0123456789", "", "openai"},
		{"anthropic", "--model m --base-url URL", fakes.Anthropic, "/v1/messages", "X-Api-Key", "anthropic-0123456789", "", "anthropic"},
		{"gemini", "--model m --base-url URL/v1beta", fakes.Gemini, "/v1beta/models/m:streamGenerateContent", "X-Goog-Api-Key", "gemini-0123456789", "/v1beta/models/m:generateContent", "gemini"},
		{"vertex", "--model m --base-url URL/v1 --region europe-west1", fakes.Gemini, "/v1/projects/my-project/locations/europe-west1/publishers/google/models/m:streamGenerateContent", "Authorization", "Bearer google-0123456789", "/v1/projects/my-project/locations/europe-west1/publishers/google/models/m:generateContent", "gemini"},
		{"cohere", "--model m --base-url URL", fakes.Cohere, "/v2/chat", "Authorization", "Bearer cohere-0123456789", "", "cohere"},
		{"ollama", "--model m --base-url URL", fakes.Ollama, "/api/chat", "", "", "", "ollama"},
		{"tgi", "--base-url URL", fakes.TGI, "/generate_stream", "", "", "/generate", "tgi"},
		{"bedrock", "--base-url URL --region us-east-2 --model " + claude, fakes.Bedrock, "/model/" + claude + "/converse-stream", "Authorization", "Credential=none/", "/model/" + claude + "/converse", "bedrock"},
		{"bedrock-invoke", "--base-url URL --region us-east-2 --model " + claude, fakes.Bedrock, "/model/" + claude + "/invoke-with-response-stream", "Authorization", "Credential=none/", "/model/" + claude + "/invoke", "bedrock"},
		{"sagemaker", "--base-url URL --region us-east-2 --model m", sageMaker, "/endpoints/m/invocations-response-stream", "Authorization", "Credential=none/", "/endpoints/m/invocations", "sagemaker"},
		{"custom", "--model m --endpoint FILE", chatAnywhere, "/v1/chat", "", "", "", "acme"},
	} {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			server := serve(t, c.fake(fakes.Script{OutputTokens: 8}))
			file := write(t, "acme.yaml", fmt.Sprintf(customFile, server.URL))
			flags := strings.NewReplacer("URL", server.URL, "FILE", file).Replace(c.flags)
			h := newHarness(keys)
			require.Equal(t, exitOK, h.call(t, "profile --quiet -n 3 --provider "+c.provider+" "+flags, "--prompt", "Say hello, please."), h.err.String())
			assert.Contains(t, h.out.String(), "all: 3/3 ok, model ")
			assert.Contains(t, h.out.String(), "ttft  3 ")
			assert.Regexp(t, `output_tokens +3 +8 +8`, h.out.String())
			assert.Empty(t, h.err.String())
			require.Len(t, server.all(), 4, "one of warm-up")
			got := server.last(t)
			assert.Equal(t, c.path, got.path)
			if c.auth != "" {
				assert.Contains(t, got.header.Get(c.auth), c.key)
			} else {
				assert.Empty(t, got.header.Get("Authorization"))
			}
			for name, key := range keys {
				if name != "GOOGLE_CLOUD_PROJECT" {
					assert.NotContains(t, h.out.String()+h.err.String(), strings.TrimSpace(key))
				}
			}
			if c.provider == "custom" {
				return // its framing is in the file
			}
			h = newHarness(keys)
			require.Equal(t, exitOK, h.call(t, "profile --quiet --unary --temperature 0.5 --format json -n 2 --prompt Hi --provider "+c.provider+" "+flags), h.err.String())
			assert.Contains(t, h.out.String(), `"provider": "`+c.described+`"`)
			assert.Contains(t, h.out.String(), `"temperature": "0.5"`)
			if c.unaryPath == "" {
				c.unaryPath = c.path
			}
			assert.Equal(t, c.unaryPath, server.last(t).path)
		})
	}
	assert.Len(t, allProviders, 13, "all of them are above")
}

func sageMaker(s fakes.Script) http.Handler { return fakes.SageMaker(s, fakes.Container{}) }

// chatAnywhere serves chat completions on any path.
func chatAnywhere(s fakes.Script) http.Handler {
	h := fakes.OpenAI(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/v1/chat/completions"
		h.ServeHTTP(w, r)
	})
}

// What the environment has of AWS is what is used.
func TestAWSCredentials(t *testing.T) { // not parallel: the SDK reads the environment
	server := serve(t, fakes.Bedrock(fakes.Script{OutputTokens: 4}))
	line := "profile --quiet -n 1 --prompt Hi --provider bedrock --region us-east-2 --model us.amazon.nova-lite-v1:0"

	h := newHarness(nil)
	assert.Equal(t, exitUsage, h.call(t, line))
	assert.Regexp(t, "^latgate: there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or AWS_BEARER_TOKEN_BEDROCK: ", h.err.String())
	h = newHarness(nil)
	assert.Equal(t, exitUsage, h.call(t, "profile --prompt Hi --provider bedrock --model m"))
	assert.Equal(t, "latgate: --region: there is none; AWS_REGION is not set either\n", h.err.String())

	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "very-secret-0123")
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, line+" --top-k 5 --top-p 0.9 --latency optimized --base-url "+server.URL), h.err.String())
	assert.Contains(t, server.last(t).header.Get("Authorization"), "Credential=AKIAEXAMPLE/")
	assert.Equal(t, map[string]any{"latency": "optimized"}, server.last(t).body["performanceConfig"])
	assert.Equal(t, map[string]any{"inferenceConfig": map[string]any{"topK": 5.}}, server.last(t).body["additionalModelRequestFields"])

	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key-0123")
	h = newHarness(map[string]string{"AWS_BEARER_TOKEN_BEDROCK": "bedrock-key-0123"})
	assert.Equal(t, exitEndpoint, h.call(t, line+" --base-url "+server.URL))
	assert.Contains(t, h.err.String(), "requires HTTPS", "the SDK does not send such a key in the clear")
	assert.NotContains(t, h.out.String()+h.err.String(), "0123")
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	bedrock := serve(t, fakes.Bedrock(fakes.Script{OutputTokens: 4}))
	arn := "arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/abc"
	h := newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "profile --quiet -n 1 --prompt Hi --provider bedrock-invoke --region us-east-2 --family nova --model "+arn+" --base-url "+bedrock.URL), h.err.String())
	assert.Contains(t, bedrock.last(t).body, "inferenceConfig")
	assert.NotContains(t, h.out.String(), "123456789012")

	container := serve(t, fakes.SageMaker(fakes.Script{OutputTokens: 4}, fakes.Container{Lines: true}))
	h = newHarness(nil)
	require.Equal(t, exitOK, h.call(t, "profile --quiet -n 1 --prompt Hi --provider sagemaker --region us-east-2 --family tgi --top-k 3 --top-p 0.5 --field x=1 --model m --base-url "+container.URL), h.err.String())
	assert.Equal(t, "Hi", container.last(t).body["inputs"])
	assert.Equal(t, 1., container.last(t).body["x"])

	for _, c := range []struct{ flags, want string }{
		{"bedrock-invoke --family gpt", `--family: bedrock-invoke has no "gpt": want one of [anthropic nova titan llama llama4 command command-r mistral chat]`},
		{"sagemaker --family nova", `--family: sagemaker has no "nova": want chat or tgi`},
	} {
		h = newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, "profile --prompt Hi --region us-east-2 --model m --base-url http://localhost:1 --provider "+c.flags))
		assert.Equal(t, "latgate: "+c.want+"\n", h.err.String())
	}
}

// What is not the provider's own reaches the request body and head.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	server := serve(t, fakes.Anthropic(fakes.Script{OutputTokens: 8, Reasoning: 2}))
	h := newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "profile --quiet -n 1 --provider anthropic --model m --base-url "+server.URL+" --thinking-budget 1024 --max-tokens 1500 --field metadata={\"user_id\":\"u\"} --field max_tokens=1600",
		"--prompt", "Hi", "--system", "Be brief.", "--header", "X-Team=Team ${TEAM_TOKEN}"), h.err.String())
	got := server.last(t)
	assert.Equal(t, map[string]any{"type": "enabled", "budget_tokens": 1024.}, got.body["thinking"])
	assert.Equal(t, map[string]any{"user_id": "u"}, got.body["metadata"])
	assert.Equal(t, 1600., got.body["max_tokens"])
	assert.Contains(t, fmt.Sprint(got.body["system"]), "Be brief.")
	assert.Equal(t, "Team team-0123456789", got.header.Get("X-Team"))

	server = serve(t, fakes.OpenAI(fakes.Script{}))
	h = newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "profile --quiet -n 1 --provider openai --model m --base-url "+server.URL+" --key-env GROQ_API_KEY --prompt Hi --top-p 0.9 --stream=false"), h.err.String())
	assert.Equal(t, "Bearer groq-0123456789", server.last(t).header.Get("Authorization"))
	assert.Equal(t, .9, server.last(t).body["top_p"])
	assert.NotEqual(t, true, server.last(t).body["stream"])

	// Another name of the flag, of LLM-Latency-Lens, whose command lines are these.
	h = newHarness(keys)
	require.Equal(t, exitOK, h.call(t, "profile --quiet --provider openai --model gpt-4 --iterations 2 --stream --concurrency 2 --base-url "+server.URL, "--prompt", "Explain quantum computing in simple terms"), h.err.String())
	assert.Contains(t, h.out.String(), "all: 2/2 ok, model gpt-4")
	assert.Equal(t, true, server.last(t).body["stream"])
}
