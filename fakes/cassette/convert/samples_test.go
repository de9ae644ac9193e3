package convert_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/tgi"
)

// lively is a script in which every draw matters.
var lively = fakes.Script{
	Seed: 7, Session: .03,
	TTFT: fakes.Lognormal(400*ms, .45), Head: fakes.Lognormal(60*ms, .2), Gap: fakes.Lognormal(20*ms, .3),
	OutputTokens: 41, TokensPerChunk: 2, Padding: true,
}

// A client measures one endpoint.
type client func(ctx context.Context, network *fakes.Network, plan latencytest.Plan) (*latencytest.Result, error)

// target measures one of latgate's own targets.
func target(of func(endpoint.Options) *endpoint.Target, o endpoint.Options) client {
	return func(ctx context.Context, network *fakes.Network, plan latencytest.Plan) (*latencytest.Result, error) {
		own := o
		own.Client, own.Key = network.Client(), "key"
		return latencytest.Measure(ctx, of(own), plan)
	}
}

// posting measures somebody's own client, which posts a body.
func posting(url, body string) client {
	return func(ctx context.Context, network *fakes.Network, plan latencytest.Plan) (*latencytest.Result, error) {
		rec := &latencytest.Recorder{Base: network.Transport()}
		return latencytest.MeasureFunc(ctx, rec, plan, posted(rec, url, body))
	}
}

func posted(rec *latencytest.Recorder, url, body string) func(context.Context, providers.Prompt) error {
	return func(ctx context.Context, _ providers.Prompt) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := rec.Client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
}

const (
	bedrockURL   = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/"
	sageMakerURL = "https://runtime.sagemaker.eu-central-1.amazonaws.com/endpoints/my-endpoint"
	messages     = `"messages":[{"role":"user","content":"Say hello to everybody."}]`
	blocks       = `"messages":[{"role":"user","content":[{"text":"Say hello to everybody."}]}]`
)

func sageMaker(s fakes.Script) http.Handler { return fakes.SageMaker(s, fakes.Container{}) }

// endpoints are all that have a fake, asked in all ways.
var endpoints = map[string]struct {
	fake   func(fakes.Script) http.Handler
	client client
}{
	"openai chat":      {fakes.OpenAI, target(func(o endpoint.Options) *endpoint.Target { return openai.Chat("gpt-5-mini", o) }, endpoint.Options{})},
	"openai responses": {fakes.OpenAI, target(func(o endpoint.Options) *endpoint.Target { return openai.Responses("gpt-5-mini", o) }, endpoint.Options{})},
	"openai whole":     {fakes.OpenAI, target(func(o endpoint.Options) *endpoint.Target { return openai.Chat("gpt-5-mini", o) }, endpoint.Options{Unary: true})},
	"openai no usage": {fakes.OpenAI, target(func(o endpoint.Options) *endpoint.Target { return openai.Chat("gpt-5-mini", o) },
		endpoint.Options{Fields: map[string]any{"stream_options": nil}})},
	"responses whole": {fakes.OpenAI, target(func(o endpoint.Options) *endpoint.Target { return openai.Responses("gpt-5-mini", o) }, endpoint.Options{Unary: true})},
	"anthropic":       {fakes.Anthropic, target(func(o endpoint.Options) *endpoint.Target { return anthropic.Messages("claude-haiku-4-5", o) }, endpoint.Options{})},
	"anthropic whole": {fakes.Anthropic, target(func(o endpoint.Options) *endpoint.Target { return anthropic.Messages("claude-haiku-4-5", o) }, endpoint.Options{Unary: true})},
	"gemini":          {fakes.Gemini, target(func(o endpoint.Options) *endpoint.Target { return gemini.GenerateContent("gemini-2.5-flash", o) }, endpoint.Options{})},
	"gemini whole":    {fakes.Gemini, target(func(o endpoint.Options) *endpoint.Target { return gemini.GenerateContent("gemini-2.5-flash", o) }, endpoint.Options{Unary: true})},
	"cohere":          {fakes.Cohere, target(func(o endpoint.Options) *endpoint.Target { return cohere.Chat("command-a-03-2025", o) }, endpoint.Options{})},
	"cohere whole":    {fakes.Cohere, target(func(o endpoint.Options) *endpoint.Target { return cohere.Chat("command-a-03-2025", o) }, endpoint.Options{Unary: true})},
	"ollama chat":     {fakes.Ollama, target(func(o endpoint.Options) *endpoint.Target { return ollama.Chat("llama3.2", o) }, endpoint.Options{})},
	"ollama generate": {fakes.Ollama, target(func(o endpoint.Options) *endpoint.Target { return ollama.Generate("llama3.2", o) }, endpoint.Options{})},
	"ollama whole":    {fakes.Ollama, target(func(o endpoint.Options) *endpoint.Target { return ollama.Chat("llama3.2", o) }, endpoint.Options{Unary: true})},
	"tgi":             {fakes.TGI, target(tgi.Generate, endpoint.Options{BaseURL: "http://tgi.test"})},
	"tgi whole":       {fakes.TGI, target(tgi.Generate, endpoint.Options{BaseURL: "http://tgi.test", Unary: true})},

	"converse-stream": {fakes.Bedrock, posting(bedrockURL+"us.amazon.nova-lite-v1%3A0/converse-stream", `{`+blocks+`}`)},
	"converse":        {fakes.Bedrock, posting(bedrockURL+"us.amazon.nova-lite-v1%3A0/converse", `{`+blocks+`}`)},
	"profile's ARN": {fakes.Bedrock, posting(bedrockURL+"arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3d4e5f6/converse-stream",
		`{`+blocks+`}`)},
	"invoke anthropic": {fakes.Bedrock, posting(bedrockURL+"anthropic.claude-3-haiku-20240307-v1:0/invoke-with-response-stream",
		`{"anthropic_version":"bedrock-2023-05-31","max_tokens":900,`+messages+`}`)},
	"invoke nova":      {fakes.Bedrock, posting(bedrockURL+"amazon.nova-lite-v1:0/invoke-with-response-stream", `{`+blocks+`}`)},
	"invoke titan":     {fakes.Bedrock, posting(bedrockURL+"amazon.titan-text-lite-v1/invoke-with-response-stream", `{"inputText":"Say hello to everybody."}`)},
	"invoke llama":     {fakes.Bedrock, posting(bedrockURL+"meta.llama3-8b-instruct-v1:0/invoke-with-response-stream", `{"prompt":"Say hello to everybody."}`)},
	"invoke command":   {fakes.Bedrock, posting(bedrockURL+"cohere.command-text-v14/invoke-with-response-stream", `{"prompt":"Say hello to everybody."}`)},
	"invoke command-r": {fakes.Bedrock, posting(bedrockURL+"cohere.command-r-v1:0/invoke-with-response-stream", `{"message":"Say hello to everybody."}`)},
	"invoke mistral":   {fakes.Bedrock, posting(bedrockURL+"mistral.mistral-large-2407-v1:0/invoke-with-response-stream", `{`+messages+`}`)},
	"invoke chat":      {fakes.Bedrock, posting(bedrockURL+"openai.gpt-oss-20b-1:0/invoke-with-response-stream", `{`+messages+`}`)},
	"invoke whole":     {fakes.Bedrock, posting(bedrockURL+"openai.gpt-oss-20b-1:0/invoke", `{`+messages+`}`)},
	"sagemaker":        {sageMaker, posting(sageMakerURL+"/invocations-response-stream", `{"stream":true,"stream_options":{"include_usage":true},`+messages+`}`)},
	"sagemaker whole":  {sageMaker, posting(sageMakerURL+"/invocations", `{`+messages+`}`)},
	"own whole":        {fakes.OpenAI, posting(chatURL, `{"model":"gpt-5-mini",`+messages+`}`)},
}

// planned is a plan of so many requests, which come at random, with samples in a file.
func planned(t *testing.T, requests int) latencytest.Plan {
	t.Helper()
	return latencytest.Plan{
		Prompts:  []providers.Prompt{{Text: "Say hello to everybody in the room, and to the cat.", MaxTokens: 900}},
		Requests: requests, Load: latencytest.Poisson(4), Seed: 5, Storm: -1,
		SampleFile: filepath.Join(t.TempDir(), "latest.samples.jsonl"),
	}
}

// measured measures an endpoint in virtual time, and returns what its sample file holds.
func measured(t *testing.T, fake http.Handler, c client, plan latencytest.Plan) *latencytest.Result {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fake)
		defer network.Close()
		_, err := c(t.Context(), network, plan)
		require.NoError(t, err)
	})
	res, err := latencytest.Load(plan.SampleFile)
	require.NoError(t, err)
	return res
}

// again measures a cassette as it was recorded, and returns the samples in the order of
// the recording: the warm-up of a replay takes the first of them, which come again.
func again(t *testing.T, recording *cassette.Cassette, c client) []latencytest.Sample {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.cassette.jsonl")
	require.NoError(t, cassette.Write(path, recording))
	recording, err := cassette.Read(path)
	require.NoError(t, err)
	plan := planned(t, recording.Len())
	plan.Warmup, plan.Load = 0, latencytest.Arrivals(recording.Arrivals())
	player, err := recording.Handler(cassette.ReplayOptions{Repeat: true})
	require.NoError(t, err)
	res := measured(t, player, c, plan)
	require.NoError(t, player.Err())
	samples, warmup := res.Scenarios[0].Samples, res.Plan.Warmup%recording.Len()
	for n, at := range recording.Arrivals() {
		assert.Equal(t, at, samples[n].Time.Sub(samples[0].Time))
	}
	return slices.Concat(samples[len(samples)-warmup:], samples[:len(samples)-warmup])
}

// ok returns the samples that a cassette is made of.
func ok(res *latencytest.Result) (samples []latencytest.Sample) {
	for _, s := range res.Samples {
		if s.OK() {
			samples = append(samples, s)
		}
	}
	return samples
}

// same checks that a replay measured what was measured.
func same(t *testing.T, want, got []latencytest.Sample) {
	t.Helper()
	require.Len(t, got, len(want))
	for n := range want {
		a, b := want[n], got[n]
		at := fmt.Sprintf("sample %d", a.Number)
		assert.Equal(t, providers.OK, b.Class, "%s: %s", at, b.Error)
		assert.Equal(t, a.Header, b.Header, at)
		assert.Equal(t, a.FirstEvent, b.FirstEvent, at)
		assert.Equal(t, a.First, b.First, at)
		assert.Equal(t, a.FirstVisible, b.FirstVisible, at)
		assert.Equal(t, a.Last, b.Last, at)
		assert.Equal(t, a.End, b.End, at)
		assert.Equal(t, a.FirstChannel, b.FirstChannel, at)
		assert.Equal(t, a.ContentEvents, b.ContentEvents, at)
		assert.Equal(t, a.Usage.Output, b.Usage.Output, at)
		assert.Equal(t, a.Usage.Input, b.Usage.Input, at)
		assert.Equal(t, []string{a.Provider, a.API, a.Model}, []string{b.Provider, b.API, b.Model}, at)
	}
}

// Of each endpoint that has a fake, a replay of its samples measures what was measured,
// to the nanosecond.
func TestSamplesOfEveryProtocol(t *testing.T) {
	t.Parallel()
	reasoning := lively
	reasoning.Reasoning = 7
	uneven := lively
	uneven.TokensPerChunk, uneven.OutputTokens, uneven.EmptyDelta = 7, 100, true
	short := lively
	short.OutputTokens, short.TokensPerChunk = 1, 1
	for name, e := range endpoints {
		for script, s := range map[string]fakes.Script{"text": lively, "reasoning": reasoning, "uneven": uneven, "short": short} {
			t.Run(name+", "+script, func(t *testing.T) {
				t.Parallel()
				res := measured(t, e.fake(s), e.client, planned(t, 6))
				require.Len(t, ok(res), 6)
				c, err := convert.Samples(res, fakes.Script{Seed: 3, EmptyDelta: s.EmptyDelta}, cassette.Recording{})
				require.NoError(t, err)
				require.Equal(t, 6, c.Len())
				assert.Equal(t, "latgate samples", c.Header.Source)
				assert.Equal(t, "4 of the warm-up", c.Header.Provenance[convert.LeftOut])
				reason, made := c.Synthesised()
				assert.True(t, made)
				assert.Contains(t, reason, "6 of 6 interactions were not recorded: synthesised (head, first and last content measured, ")
				for n, s := range ok(res) {
					assert.Equal(t, s.Time.Sub(ok(res)[0].Time), c.Arrivals()[n])
					assert.Equal(t, s.Number, c.At(n).Sample)
				}
				same(t, ok(res), again(t, c, e.client))
			})
		}
	}
}
