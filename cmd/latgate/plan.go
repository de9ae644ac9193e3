package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// plan returns what to run, as far as the flags say it.
func (f *profileFlags) plan(p *program) (latencytest.Plan, error) {
	var none latencytest.Plan
	for _, err := range []error{
		f.notPositive(),
		f.output.check(),
		oneOf("arrivals", f.arrivals, "constant", "poisson"),
		oneOf("cache", f.cache, "asis", "bust", "warm"),
	} {
		if err != nil {
			return none, err
		}
	}
	plan := latencytest.Plan{
		Requests: f.requests, Repetitions: f.repetitions, Warmup: f.warmup, Retries: f.retries,
		Duration: f.duration, Pause: f.pause, Timeout: f.timeout,
		MaxTokens: f.maxTokensTotal, Budget: f.budget, RateLimit: f.rateLimit,
		Cache: latencytest.CachePolicy(f.cache), DialAnew: f.dialAnew, LowMemory: f.lowMemory,
		Seed:       f.seed,
		SampleFile: strings.ReplaceAll(f.sampleFile, "{timestamp}", latencytest.Now().UTC().Format("20060102T150405Z")),
	}
	if f.duration > 0 && !f.given("requests") {
		plan.Requests = 0
	}
	if v, set := p.lookup("LATGATE_REQUESTS"); set && f.given("requests") {
		return none, fmt.Errorf("LATGATE_REQUESTS=%s would go before --requests: unset it", v)
	}
	var err error
	if plan.Load, err = f.load(); err != nil {
		return none, err
	}
	if plan.Live, err = f.liveMetrics(); err != nil {
		return none, err
	}
	switch {
	case f.prices != "":
		if plan.Prices, err = latencytest.ReadPrices(f.prices); err != nil {
			return none, fmt.Errorf("--prices: %w", err)
		}
	case f.budget > 0:
		return none, errors.New("--budget: needs --prices, to know what a token costs")
	}
	plan.Prompts, err = f.promptSet(p.stdin)
	return plan, err
}

func (f *profileFlags) load() (latencytest.LoadModel, error) {
	switch {
	case f.given("arrivals") && !f.given("rate"):
		return latencytest.LoadModel{}, errors.New("--arrivals: needs --rate, of requests that come when they come")
	case f.ramp != "":
		parts := strings.Split(f.ramp, ",")
		if len(parts) == 3 {
			load, err := latencytest.ParseLoad(fmt.Sprintf("ramp(%s/s,%s/s,%s)", parts[0], parts[1], parts[2]))
			if err == nil {
				return load, nil
			}
		}
		return latencytest.LoadModel{}, fmt.Errorf("--ramp: want two rates, the latter positive, and a time, as in 1,20,30s, got %q", f.ramp)
	case f.given("rate") && f.arrivals == "poisson":
		return latencytest.Poisson(f.rate), nil
	case f.given("rate"):
		return latencytest.Open(f.rate), nil
	}
	return latencytest.Closed(f.concurrency), nil
}

// promptSet returns the prompts, each with its system prompt and limit of tokens.
func (f *profileFlags) promptSet(stdin io.Reader) ([]providers.Prompt, error) {
	prompts, err := f.readPrompts(stdin)
	if err != nil {
		return nil, err
	}
	for i := range prompts {
		if prompts[i].System == "" {
			prompts[i].System = f.system
		}
		if prompts[i].MaxTokens == 0 {
			prompts[i].MaxTokens = f.maxTokens
		}
		if limit := prompts[i].Limit(); f.thinkingBudget >= limit {
			return nil, fmt.Errorf("--thinking-budget: %d tokens of thought leave none of the %d that prompt %s may have: raise --max-tokens", f.thinkingBudget, limit, prompts[i].ID)
		}
	}
	return prompts, nil
}

func (f *profileFlags) readPrompts(stdin io.Reader) ([]providers.Prompt, error) {
	switch f.promptFile {
	case "":
		var prompts []providers.Prompt
		for i, text := range f.prompts {
			prompts = append(prompts, providers.Prompt{ID: fmt.Sprintf("p%d", i+1), Text: text})
		}
		if len(prompts) == 0 {
			return nil, errors.New("there is nothing to send: give a --prompt, or a file of --prompts")
		}
		return prompts, nil
	case "-":
		return providers.ReadPrompts(stdin, "standard input")
	}
	file, err := os.Open(f.promptFile)
	if err != nil {
		return nil, fmt.Errorf("--prompts: %w", err)
	}
	defer file.Close()
	return providers.ReadPrompts(file, f.promptFile)
}

// variants are what takes turns in a run.
type variant struct{ model, latency string }

// variants returns each model with each performance configuration; at least one.
func (f *profileFlags) variants() []variant {
	orNone := func(values []string) []string {
		if len(values) == 0 {
			return []string{""}
		}
		return values
	}
	var all []variant
	for _, model := range orNone(f.models) {
		for _, latency := range orNone(f.latency) {
			all = append(all, variant{model, latency})
		}
	}
	return all
}

// vary returns the prompts with each of the variants.
func vary(prompts []providers.Prompt, variants []variant) ([]providers.Prompt, error) {
	var all []providers.Prompt
	for _, v := range variants {
		for _, p := range prompts {
			if p.Model != "" && v.model != "" || p.Profile != "" && v.latency != "" {
				return nil, fmt.Errorf("prompt %s names a model_id or inference_profile of its own: leave --model and --latency out, or give one", p.ID)
			}
			if v.model != "" {
				p.Model = v.model
				p.ID += "@" + v.model
			}
			if v.latency != "" {
				p.Profile = v.latency
				p.ID += "@" + v.latency
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// inFlags says an error of a plan in terms of flags.
var inFlags = strings.NewReplacer(
	"Plan.Prompts", "--prompt", "Plan.Requests", "--requests", "Plan.Repetitions", "--repetitions", "Plan.Warmup", "--warmup",
	"Plan.Load", "--concurrency, --rate or --ramp", "Plan.Timeout", "--timeout", "Plan.Duration", "--duration",
	"Plan.Pause", "--pause", "Plan.MaxTokens", "--max-tokens-total", "Plan.Budget", "--budget", "Plan.RateLimit", "--rate-limit",
	"Plan.Retries", "--retries", "Plan.Cache", "--cache",
)
