package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
)

// profileFlags are the flags of the command profile.
type profileFlags struct {
	provider, baseURL, region, project, apiVersion, family, endpoint, keyEnv string
	models, latency, headers, prompts, fields                                []string

	promptFile, system string
	maxTokens          int

	requests, repetitions, concurrency, retries, warmup int
	rate, rateLimit, budget                             float64
	duration, pause, timeout                            time.Duration
	maxTokensTotal                                      int64
	arrivals, ramp, prices, cache                       string
	seed                                                uint64
	dialAnew, lowMemory                                 bool
	sweep                                               []int

	temperature, topP    float64
	topK, thinkingBudget int
	unary, stream        bool

	live        []string
	quiet       bool
	output      outputFlags
	sampleFile  string
	given       func(flag string) bool
	notPositive func() error
}

// defaultAPIVersion is that of Azure.
const defaultAPIVersion = "2024-10-21"

// outputFlags are the flags of the commands that print a result.
type outputFlags struct {
	format      string
	percentiles bool
	heatMap     string // a metric's name
}

func (o *outputFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.format, "format", "table", "the `format` to print: table or json")
	cmd.Flags().BoolVar(&o.percentiles, "percentiles", false, "print a table of min, mean, std, P50 to P99.9 and max as well")
	cmd.Flags().StringVar(&o.heatMap, "heat-map", "", "print the P90 of a `metric`, such as ttft, by input and output tokens as well")
	choices(cmd, "format", "table", "json")
}

func (o *outputFlags) check() error {
	if _, known := latencytest.MetricNamed(o.heatMap); o.heatMap != "" && !known {
		return fmt.Errorf("--heat-map: there is no metric %q, want one such as ttft or ttlt", o.heatMap)
	}
	return oneOf("format", o.format, "table", "json")
}

func (f *profileFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false

	flags.StringVar(&f.provider, "provider", "", "whose `API`: "+strings.Join(providerNames(), ", "))
	flags.StringArrayVar(&f.models, "model", nil, "the `model`; given several times, the models take turns in one run")
	flags.StringVar(&f.baseURL, "base-url", "", "the `URL` where the API's paths begin, instead of the provider's own endpoint; the key, where there is one, is sent there")
	flags.StringVar(&f.keyEnv, "key-env", "", "the environment `variable` with the key, instead of the provider's own")
	flags.StringVar(&f.region, "region", "", "the `region` of AWS (default AWS_REGION), or the location of Vertex AI")
	flags.StringVar(&f.project, "project", "", "the `project` of Vertex AI (default GOOGLE_CLOUD_PROJECT)")
	flags.StringVar(&f.apiVersion, "api-version", defaultAPIVersion, "the `version` of Azure's API")
	flags.StringArrayVar(&f.latency, "latency", nil, "Bedrock's performance `configuration`, standard or optimized; given twice, the two take turns in one run")
	flags.StringVar(&f.family, "family", "", "the `words` in which the model wants to be asked, where its id does not tell (bedrock-invoke: anthropic, nova, llama, ...; sagemaker: chat, tgi)")
	flags.StringVar(&f.endpoint, "endpoint", "", "the `file` that describes the endpoint of provider custom")
	flags.StringArrayVar(&f.headers, "header", nil, "`NAME=VALUE`, a header of each request; ${NAME} in the value is that environment variable")

	flags.StringArrayVar(&f.prompts, "prompt", nil, "the `prompt`; given several times, each comes up equally often")
	flags.StringVar(&f.promptFile, "prompts", "", "a `file` of prompts, one JSON object a line; - is the standard input")
	flags.StringVar(&f.system, "system", "", "the system `prompt`, of prompts that have none")
	flags.IntVar(&f.maxTokens, "max-tokens", providers.DefaultMaxTokens, "the limit of output `tokens`, of prompts that have none")
	flags.Float64Var(&f.temperature, "temperature", 0, "the sampling `temperature` (default: none is sent)")
	flags.Float64Var(&f.topP, "top-p", 0, "the nucleus sampling `limit` (default: none is sent)")
	flags.IntVar(&f.topK, "top-k", 0, "the top-k sampling `limit` (default: none is sent)")
	flags.IntVar(&f.thinkingBudget, "thinking-budget", 0, "have Claude think, with so many `tokens` of --max-tokens")
	flags.StringArrayVar(&f.fields, "field", nil, "`NAME=JSON`, a member of the request body; null leaves one out")
	flags.BoolVar(&f.unary, "unary", false, "ask for replies in one piece: there is no time to the first token then")
	flags.BoolVar(&f.stream, "stream", true, "the opposite of --unary")
	_ = flags.MarkHidden("stream") // it exists

	flags.IntVarP(&f.requests, "requests", "n", 100, "the `number` of requests to measure, for each model; with --duration there is no limit unless it is given")
	flags.IntVar(&f.repetitions, "repetitions", 1, "the `number` of times to make all of these requests, one time after the other")
	flags.IntVarP(&f.concurrency, "concurrency", "c", 1, "`clients`; each sends its next request when its last one has ended")
	flags.Float64Var(&f.rate, "rate", 0, "a `rate` of requests a second that come when they come, instead of clients that wait")
	flags.StringVar(&f.arrivals, "arrivals", "constant", "the `way` in which these come: constant, or poisson")
	flags.StringVar(&f.ramp, "ramp", "", "`FROM,TO,TIME`: requests a second that rise from one rate to another, as in 1,20,30s")
	flags.IntSliceVar(&f.sweep, "sweep", nil, "`numbers` of clients, as in 1,2,4,8: a run with each, and where the endpoint is saturated")
	flags.DurationVar(&f.duration, "duration", 0, "send no request after that `time`")
	flags.Int64Var(&f.maxTokensTotal, "max-tokens-total", 0, "send no request after so many output `tokens`")
	flags.Float64Var(&f.budget, "budget", 0, "send no request that could bring the cost above so many `dollars`; needs --prices")
	flags.StringVar(&f.prices, "prices", "", "a `file` of prices per token by model, as LiteLLM's")
	flags.DurationVar(&f.pause, "pause", 0, "the `time` that a client waits before its next request")
	flags.Float64Var(&f.rateLimit, "rate-limit", 0, "send at most that `rate` of requests a second, whatever the load")
	flags.IntVar(&f.retries, "retries", 0, "the `number` of times to repeat a request that was throttled or failed in the server")
	flags.IntVar(&f.warmup, "warmup", 0, "`requests` before the first measured one, for each model; at least one a client")
	flags.StringVar(&f.cache, "cache", "asis", "the `policy` for the provider's prompt cache: asis, bust (make each prompt unique), or warm")
	flags.BoolVar(&f.dialAnew, "dial-anew", false, "set up a connection for each request")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Minute, "the `limit` of one request, its retries included")
	flags.Uint64Var(&f.seed, "seed", 0, "the `seed` of the order of requests (default LATGATE_SEED, or 1)")
	flags.BoolVar(&f.lowMemory, "low-memory", false, "keep no samples in memory; quantiles are exact to 3 digits then")

	flags.StringVar(&f.sampleFile, "output", "", "the `file` to write samples to, one JSON object a line; {timestamp} in its name is the time")
	f.output.register(cmd)
	flags.StringSliceVar(&f.live, "live", []string{"ttft", "ttlt"}, "the `metrics` of the live view")
	flags.BoolVar(&f.quiet, "quiet", false, "no live view")

	// LLM-Latency-Lens calls it so.
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "iterations" {
			name = "requests"
		}
		return pflag.NormalizedName(name)
	})
	cmd.MarkFlagsMutuallyExclusive("concurrency", "rate", "ramp", "sweep")
	cmd.MarkFlagsMutuallyExclusive("prompt", "prompts")
	cmd.MarkFlagsMutuallyExclusive("unary", "stream")
	choices(cmd, "provider", providerNames()...)
	choices(cmd, "arrivals", "constant", "poisson")
	choices(cmd, "cache", "asis", "bust", "warm")
	choices(cmd, "latency", "standard", "optimized")
	choices(cmd, "live", metricNames()...)
	f.given = flags.Changed
	f.notPositive = func() error {
		return positive(flags, "max-tokens", "thinking-budget", "requests", "repetitions", "duration", "max-tokens-total", "budget", "rate-limit", "timeout", "top-k")
	}
}

func choices(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

// positive returns an error for the first of the flags that was given as 0 or less,
// which would mean its default.
func positive(flags *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		value := flags.Lookup(name).Value.String()
		number, err := strconv.ParseFloat(value, 64)
		if d, notDuration := time.ParseDuration(value); err != nil && notDuration == nil {
			number = float64(d)
		}
		if flags.Changed(name) && !(number > 0) {
			return fmt.Errorf("--%s: want more than 0, got %s", name, value)
		}
	}
	return nil
}

func oneOf(flag, value string, values ...string) error {
	for _, v := range values {
		if v == value {
			return nil
		}
	}
	return fmt.Errorf("--%s: want %s, got %q", flag, strings.Join(values, " or "), value)
}

// endpointOptions returns what all providers take, without the key.
func (f *profileFlags) endpointOptions(env *environment) (endpoint.Options, error) {
	header, err := env.header(f.headers)
	if err != nil {
		return endpoint.Options{}, err
	}
	o := endpoint.Options{BaseURL: f.baseURL, Header: header, Unary: f.unary || !f.stream, Fields: make(map[string]any)}
	if f.given("temperature") {
		o.Temperature = &f.temperature
	}
	if f.given("top-p") {
		o.TopP = &f.topP
	}
	if f.given("top-k") {
		o.TopK = &f.topK
	}
	if f.thinkingBudget > 0 {
		o.Fields["thinking"] = map[string]any{"type": "enabled", "budget_tokens": f.thinkingBudget}
	}
	for _, field := range f.fields {
		name, text, found := strings.Cut(field, "=")
		var value any
		if !found || name == "" {
			return o, fmt.Errorf("--field: want NAME=JSON, got %q", field)
		}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return o, fmt.Errorf("--field: %s: want JSON, in which texts have quotes, got %q", name, text)
		}
		o.Fields[name] = value
	}
	return o, nil
}

func metricNames() []string {
	var names []string
	for _, m := range latencytest.Metrics {
		names = append(names, m.Name())
	}
	return names
}

func (f *profileFlags) liveMetrics() ([]latencytest.Metric, error) {
	metrics := []latencytest.Metric{} // none are none, not the default
	for _, name := range f.live {
		found := false
		for _, m := range latencytest.Metrics {
			if m.Name() == name {
				metrics, found = append(metrics, m), true
			}
		}
		if !found {
			return nil, fmt.Errorf("--live: there is no metric %q: want some of %s", name, strings.Join(metricNames(), ", "))
		}
	}
	return metrics, nil
}
