package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

func (p *program) profileCommand() *cobra.Command {
	f := new(profileFlags)
	var config string
	cmd := &cobra.Command{
		Use:   "profile --provider NAME --model NAME --prompt TEXT | profile --config FILE",
		Short: "Send prompts to an endpoint and print its latencies",
		Args:  cobra.NoArgs,
		Long: `Profile sends prompts to an endpoint, many times over, and prints how long replies
took and how requests failed. While it runs, the standard error shows how far it
has come. An interrupt (Ctrl-C) ends it with what was measured so far: the first one
lets requests under way end, a second one does not.

Keys are read from environment variables, and before anything is sent:

` + keyTable() + `
ollama, tgi and custom need none. Nor do the others, but azure, where --base-url names
an endpoint instead of the provider's own. --key-env names another variable.

With --config, a benchmark file says what is measured: each of its scenarios with each
model of each provider, one run after the other. --output then writes the results to
a file that ends in .json or .csv, or samples to .jsonl, --base-url is PROVIDER=URL,
and flags that say what the file says are refused. It exits with 15 where a run
could not be measured; the others are there all the same.`,
		Example: `  # OpenAI, 100 requests one after the other
  latgate profile --provider openai --model gpt-5-mini --prompt "Explain quantum computing in simple terms."

  # any server that speaks as OpenAI does: vLLM, LiteLLM, Groq, ...
  latgate profile --provider openai --base-url http://localhost:8000/v1 --model qwen3 --prompt "Hello" -n 50 -c 10
  latgate profile --provider openai --base-url https://api.groq.com/openai/v1 --key-env GROQ_API_KEY --model llama-3.3-70b-versatile --prompt "Hello"

  # Claude that thinks first
  latgate profile --provider anthropic --model claude-haiku-4-5 --thinking-budget 1024 --max-tokens 2000 --prompt "What is 17 * 23?"

  # Bedrock, standard and optimized by turns; the samples are kept
  latgate profile --provider bedrock --region us-east-2 --model us.anthropic.claude-3-5-haiku-20241022-v1:0 --latency standard --latency optimized --prompts support.jsonl --output run.samples.jsonl

  # 20 requests a second at random, as from many users, for ten minutes, for at most five dollars
  latgate profile --provider gemini --model gemini-2.5-flash --prompts support.jsonl --rate 20 --arrivals poisson --duration 10m --budget 5 --prices prices.json

  # a model of OpenAI's against another, on Azure
  latgate profile --provider azure --base-url https://my-resource.openai.azure.com --model gpt-4o --model gpt-4o-mini --prompt "Hello" --temperature 0

  # how many clients a server of one's own can take
  latgate profile --provider ollama --model llama3.2 --prompt "Hello" --sweep 1,2,4,8

  # a member of the request body that has no flag; a header with a secret
  latgate profile --provider openai --model o4-mini --prompt "Hello" --field reasoning_effort='"low"' --header 'X-Team=${TEAM_TOKEN}'

  # several providers, models and scenarios; the file against a fake of one of them
  latgate profile --config benchmark.yaml
  latgate profile --config benchmark.yaml --base-url openai=http://127.0.0.1:8080/v1

  # numbers for another program
  latgate profile --provider cohere --model command-a-03-2025 --prompt "Hello" --format json --quiet`,
	}
	cmd.Flags().StringVar(&config, "config", "", "the benchmark `file` that says what is measured, instead of flags")
	f.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if config != "" {
			return p.profileFile(cmd, f, config)
		}
		prepared, err := p.prepare(cmd.Context(), f)
		if err != nil {
			return err
		}
		return p.profile(cmd.Context(), prepared)
	}
	return cmd
}

// profileFile makes the runs of a benchmark file.
func (p *program) profileFile(cmd *cobra.Command, f *profileFlags, config string) error {
	live, err := f.liveMetrics()
	for _, err := range []error{contradiction(cmd.Flags(), config), f.output.check(), err} {
		if err != nil {
			return err
		}
	}
	return p.benchmark(cmd.Context(), benchmarkRun{
		config: config, baseURLs: f.baseURL, export: f.sampleFile, live: live, quiet: f.quiet, output: f.output,
	})
}

func keyTable() string {
	var b strings.Builder
	for _, p := range allProviders {
		key := p.key
		switch {
		case strings.HasPrefix(p.name, "bedrock"):
			key = "AWS_ACCESS_KEY_ID ... (AWS's default chain), or " + bedrockKey
		case p.name == "sagemaker":
			key = "AWS_ACCESS_KEY_ID ... (AWS's default chain)"
		case p.name == "vertex":
			key += "  (from: gcloud auth print-access-token)"
		}
		if key != "" {
			fmt.Fprintf(&b, "  %-17s %s\n", p.name, key)
		}
	}
	return b.String()
}

// A prepared profile is ready to be sent.
type prepared struct {
	flags  *profileFlags
	env    *environment
	target providers.Target
	plan   latencytest.Plan

	// again returns another target like it, with connections of its own.
	again func(context.Context) (providers.Target, error)
}

// prepare reads all that the flags name. Its errors are those of a wrong use.
func (p *program) prepare(ctx context.Context, f *profileFlags) (*prepared, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	provider, err := providerOf(f.provider)
	if err != nil {
		return nil, err
	}
	if err := provider.understands(f.given); err != nil {
		return nil, err
	}
	plan, err := f.plan(p)
	if err != nil {
		return nil, err
	}
	for _, latency := range f.latency {
		if err := oneOf("latency", latency, "standard", "optimized"); err != nil {
			return nil, err
		}
	}
	unnamed := func(p providers.Prompt) bool { return p.Model == "" }
	if provider.model != "" && len(f.models) == 0 && slices.ContainsFunc(plan.Prompts, unnamed) {
		return nil, fmt.Errorf("--model: say which, as in --model %s", provider.model)
	}
	env := &environment{lookup: p.lookup}
	choice, err := provider.choice(f, env)
	if err != nil {
		return nil, err
	}
	variants := f.variants()
	switch {
	case len(variants) > 1 || provider.name == "custom": // whose file has a model
		plan.Prompts, err = vary(plan.Prompts, variants)
	default:
		choice.model, choice.latency = variants[0].model, variants[0].latency
	}
	if err != nil {
		return nil, err
	}
	again := func(ctx context.Context) (providers.Target, error) {
		c := *choice // which a provider may change
		return provider.target(ctx, &c)
	}
	target, err := again(ctx)
	if err != nil {
		return nil, err
	}
	return &prepared{f, env, target, plan, again}, nil
}

func (p *program) profile(ctx context.Context, job *prepared) error {
	view := &view{out: p.stderr, size: p.terminal, quiet: job.flags.quiet}
	gentle, hard, stop := p.interruptible(ctx, func() {
		view.say("interrupted: requests under way have 10 s to end; once more ends them at once")
	})
	defer stop()
	plan := job.plan
	plan.Progress, plan.ProgressEvery = view.show, view.every()
	plan.OnSample = job.env.redact
	partial := benchmark.PartialFiles(plan.SampleFile)

	target := abortable{job.target, hard}
	var results []*latencytest.Result
	var sweep *latencytest.SweepResult
	var err error
	if len(job.flags.sweep) > 0 {
		sweep, err = latencytest.Sweep(gentle, target, plan, job.flags.sweep...)
		if sweep != nil {
			results = sweep.Steps
		}
	} else {
		var res *latencytest.Result
		if res, err = latencytest.Measure(gentle, target, plan); res != nil {
			results = append(results, res)
		}
	}
	outcome := outcomeOf(results, err, gentle.Err() != nil)
	files := benchmark.SampleFiles(results, partial)
	if len(results) > 0 {
		if err := p.print(job.flags.output, results, sweep, files, outcome); err != nil {
			return errors.Join(outcome, printed(err))
		}
	}
	return outcome
}

// outcomeOf returns what to exit with after a run that returned that, nil where it
// went well.
func outcomeOf(results []*latencytest.Result, err error, interrupted bool) error {
	var res *latencytest.Result
	attempts, ok := 0, 0
	if len(results) > 0 {
		res = results[len(results)-1]
	}
	if res != nil {
		for _, s := range res.Scenarios {
			attempts += s.Attempts()
			ok += s.Attempts() - s.Failed()
		}
	}
	_, storm := errors.AsType[*latencytest.StormError](err)
	_, warmup := errors.AsType[*latencytest.WarmupError](err)
	if err != nil {
		err = errors.New(inFlags.Replace(err.Error()))
	}
	switch {
	case err != nil && res == nil:
		return err
	case err != nil && interrupted:
		return &exitError{exitInterrupted, err}
	case storm || warmup:
		return &exitError{exitEndpoint, err}
	case err != nil:
		return &exitError{exitInternal, err}
	case attempts == 0:
		return fmt.Errorf("nothing was measured: %s", res.Ended)
	case ok == 0:
		return &exitError{exitEndpoint, fmt.Errorf("none of %d requests ended well, the last one as %s", attempts, benchmark.LastEnd(res))}
	}
	return nil
}
