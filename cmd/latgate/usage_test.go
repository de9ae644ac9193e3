package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What keeps a run from being made is said before anything is sent, in terms of
// flags, and with what to do.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	const all = "openai, openai-responses, azure, anthropic, gemini, vertex, cohere, ollama, tgi, bedrock, bedrock-invoke, sagemaker, custom"
	const openai = "profile --provider openai --model m --prompt Hi "
	const local = "profile --provider ollama --model m --prompt Hi "
	prompts := write(t, "prompts.jsonl", `{"text_prompt": "a", "model_id": "mine"}`)
	bad := write(t, "bad.jsonl", "{\"text_prompt\": 5}\n{\"text_prompt\": \" \"}")
	prices := write(t, "prices.json", `{"m": {"input_cost_per_token": 7, "output_cost_per_token": 0}}`)
	for _, c := range []struct{ line, want string }{
		{"profile", "--provider: say which: " + all},
		{"profile --provider acme", `--provider: there is no "acme": want ` + all},
		{"profile --provider openai", "there is nothing to send: give a --prompt, or a file of --prompts"},
		{"profile --provider openai --prompt Hi", "--model: say which, as in --model gpt-5-mini"},
		{openai, "the environment variable OPENAI_API_KEY is not set: provider openai takes its key from there, or from the one that --key-env names"},
		{openai + "--key-env MINE", "the environment variable MINE is not set: provider openai takes its key from there, or from the one that --key-env names"},
		{openai + "--key-env MINE --base-url http://localhost:1", "the environment variable MINE is not set: provider openai takes its key from there, or from the one that --key-env names"},
		{"profile --provider azure --model m --prompt Hi --base-url http://localhost:1", "the environment variable AZURE_OPENAI_API_KEY is not set: provider azure takes its key from there, or from the one that --key-env names"},
		{"profile --provider azure --model m --prompt Hi", "--base-url: provider azure needs one, as in --base-url https://my-resource.openai.azure.com"},
		{"profile --provider tgi --prompt Hi", "--base-url: provider tgi needs one, as in --base-url http://localhost:8080"},
		{"profile --provider tgi --prompt Hi --model m", "--model: provider tgi takes none, only openai, openai-responses, azure, anthropic, gemini, vertex, cohere, ollama, bedrock, bedrock-invoke, sagemaker, custom"},
		{"profile --provider custom --prompt Hi", "--endpoint: provider custom needs a file that describes it"},
		{"profile --provider custom --prompt Hi --endpoint none.yaml", "open none.yaml: no such file or directory"},
		{"profile --provider vertex --prompt Hi --model m --base-url http://localhost:1", "--project: provider vertex needs one; GOOGLE_CLOUD_PROJECT is not set either"},
		{"profile --provider vertex --prompt Hi --model m --base-url http://localhost:1 --project p", "--region: provider vertex needs a location, as in --region europe-west1"},
		{local + "--thinking-budget 5", "--thinking-budget: provider ollama takes none, only anthropic"},
		{local + "--region us-east-1", "--region: provider ollama takes none, only vertex, bedrock, bedrock-invoke, sagemaker"},
		{"profile --provider bedrock --model m --prompt Hi --latency fast", `--latency: want standard or optimized, got "fast"`},
		{"profile --provider anthropic --model m --prompt Hi --thinking-budget 100", "--thinking-budget: 100 tokens of thought leave none of the 100 that prompt p1 may have: raise --max-tokens"},
		{local + "--base-url localhost:8000", "--base-url: want http:// or https://, a host, and a path at most"},
		{local + "--base-url http://me:secret@localhost", "--base-url: want http:// or https://, a host, and a path at most"},
		{local + "--header X", "--header: want NAME=VALUE"},
		{local + "--header Authorization=abc", "--header: Authorization holds a key, which other users of this machine could see: put it into an environment variable, as in --header 'Authorization=${MY_KEY}'"},
		{local + "--header x-y=${NONE}", "--header: X-Y: the environment variable NONE is not set"},
		{local + "--field x", `--field: want NAME=JSON, got "x"`},
		{local + "--field x=low", `--field: x: want JSON, in which texts have quotes, got "low"`},
		{local + "-n 0", "--requests: want more than 0, got 0"},
		{local + "--duration -1s", "--duration: want more than 0, got -1s"},
		{local + "--timeout 0", "--timeout: want more than 0, got 0s"},
		{local + "--warmup -1", "--warmup: want 0 or more, got -1"},
		{local + "-c 0", "--concurrency, --rate or --ramp: want at least one client, got closed(0)"},
		{local + "--rate 0", "--concurrency, --rate or --ramp: want a positive rate of at most 1e+06 a second, got open(0/s)"},
		{local + "--rate 5 -c 2", "if any flags in the group [concurrency rate ramp sweep] are set none of the others can be; [concurrency rate] were all set"},
		{local + "--prompts x", "if any flags in the group [prompt prompts] are set none of the others can be; [prompt prompts] were all set"},
		{local + "--rate 5 --pause 1s", "--pause: an open load makes its requests when they are due; use Closed, or lower the rate"},
		{local + "--arrivals poisson", "--arrivals: needs --rate, of requests that come when they come"},
		{local + "--rate 5 --arrivals often", `--arrivals: want constant or poisson, got "often"`},
		{local + "--ramp 1,2", `--ramp: want two rates, the latter positive, and a time, as in 1,20,30s, got "1,2"`},
		{local + "--ramp 1,0,3s", `--ramp: want two rates, the latter positive, and a time, as in 1,20,30s, got "1,0,3s"`},
		{local + "--cache hot", `--cache: want asis or bust or warm, got "hot"`},
		{local + "--budget 5", "--budget: needs --prices, to know what a token costs"},
		{local + "--prices none.json", "--prices: open none.json: no such file or directory"},
		{local + "--prices " + prices, "--prices: " + prices + ": m: input_cost_per_token: want dollars per token, 0 to 1, got 7"},
		{local + "--live ttft,speed", `--live: there is no metric "speed": want some of ttft, ttft_visible, ttfb, ttlt, stream_end, ttft_sched, e2e_sched, schedule_lag, otps, otps_e2e, tpot, itl, icl_p50, icl_p90, icl_p99, stall, server_latency, input_tokens, output_tokens, operation_ttft, operation_time, operation_wait, operation_app, model_calls, serial_calls`},
		{local + "--format xml", `--format: want table or json, got "xml"`},
		{local + "--requests many", `invalid argument "many" for "-n, --requests" flag: strconv.ParseInt: parsing "many": invalid syntax`},
		{local + "--sweep 0", "Sweep: 0 clients: --concurrency, --rate or --ramp: want at least one client, got closed(0)"},
		{local + "--output /dev/null/x.jsonl", "the sample file cannot be written: mkdir /dev/null: not a directory"},
		{"profile --provider ollama --model m --prompts none.jsonl", "--prompts: open none.jsonl: no such file or directory"},
		{"profile --provider ollama --model m --prompts " + bad, bad + ":1: text_prompt: want a string, got number\n" + bad + ":2: text_prompt: missing or blank"},
		{"profile --provider ollama --model m --model n --prompts " + prompts, "prompt p1 names a model_id or inference_profile of its own: leave --model and --latency out, or give one"},
		{"profile --provider ollama --model m --prompts -", `standard input: no prompts: want one JSON object a line, such as {"text_prompt": "..."}`},
		{local + "extra", `unknown command "extra" for "latgate profile"`},
		{"profile --api-key sk-abcdefghijkl", "unknown flag: --api-key"},
		{"profiles", "unknown command \"profiles\" for \"latgate\"\n\nDid you mean this?\n profile"},
		{"show", "accepts 1 arg(s), received 0"},
		{"show none.jsonl", "open none.jsonl: no such file or directory"},
	} {
		h := newHarness(nil)
		assert.Equal(t, exitUsage, h.call(t, c.line), c.line)
		assert.Equal(t, "latgate: "+c.want+"\n", h.err.String(), c.line)
		assert.Empty(t, h.out.String(), c.line)
	}
}

func TestHeaderWithALineEnd(t *testing.T) {
	t.Parallel()
	h := newHarness(map[string]string{"FORGED": "a\r\nX-Forged: 1"})
	assert.Equal(t, exitUsage, h.call(t, "profile --provider ollama --model m --prompt Hi --header x-y=${FORGED}"))
	assert.Equal(t, "latgate: --header: X-Y: there is a line end in its value\n", h.err.String())
}

// A variable that goes before a flag is not followed in silence.
func TestRequestsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	h := newHarness(map[string]string{"LATGATE_REQUESTS": "5"})
	assert.Equal(t, exitUsage, h.call(t, "profile --provider ollama --model m --prompt Hi -n 100"))
	assert.Equal(t, "latgate: LATGATE_REQUESTS=5 would go before --requests: unset it\n", h.err.String())
}

func TestHelp(t *testing.T) {
	t.Parallel()
	h := newHarness(nil)
	assert.Equal(t, exitOK, h.call(t, ""))
	assert.Contains(t, h.out.String(), "Available Commands:")
	assert.Contains(t, h.out.String(), "  profile     Send prompts to an endpoint and print its latencies\n")
	h = newHarness(nil)
	assert.Equal(t, exitOK, h.call(t, "help profile"))
	for _, p := range allProviders {
		assert.Contains(t, h.out.String(), p.name)
		assert.Contains(t, h.out.String(), p.key)
	}
	h = newHarness(nil)
	assert.Equal(t, exitOK, h.call(t, "completion bash"))
	assert.Contains(t, h.out.String(), "__start_latgate")
	h = newHarness(nil)
	assert.Equal(t, exitOK, h.call(t, "__complete profile --provider", "bed"))
	assert.Contains(t, h.out.String(), "bedrock\nbedrock-invoke\n")
}
