package benchmark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/internal/strictyaml"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// An Endpoint is what a target is made of.
type Endpoint struct {
	Provider
	Model   string // "" where the file names none: each prompt has its own, or there is none to choose
	Unary   bool
	Prompts []providers.Prompt // that will be sent
}

// A Combination names a run.
type Combination struct {
	Provider string `json:"provider"` // its label
	Model    string `json:"model"`
	Scenario string `json:"scenario"`
}

// Endpoint is what a combination calls its provider and model: "openai gpt-5-mini".
func (c Combination) Endpoint() string {
	return providers.Inert(strings.TrimSpace(c.Provider + " " + c.Model))
}

// String returns "openai gpt-5-mini, short".
func (c Combination) String() string { return c.Endpoint() + ", " + providers.Inert(c.Scenario) }

// A Run is one scenario of one model, ready to be measured.
type Run struct {
	Combination
	Number int // in the order of the file, from 1
	Target providers.Target
	Plan   latencytest.Plan
}

// A Benchmark is a file that is ready to be measured.
type Benchmark struct {
	File    *File
	Time    time.Time // of the execution, which {timestamp} stands for
	Runs    []*Run    // in the order of the file
	Exports []Export  // in them, {timestamp} is the time

	// Notes say what the runs will do otherwise than a reader of the file might think.
	Notes []string
}

// Prepare expands a file into runs, reads what it names, and makes the targets. It sends
// nothing. Open makes the target of an endpoint; each run has one of its own.
// Errors are of the file, or of open, and name the line.
//
// Exports are written in addition to those of the file.
func (f *File) Prepare(ctx context.Context, open func(context.Context, Endpoint) (providers.Target, error), exports ...Export) (*Benchmark, error) {
	b := &Benchmark{File: f, Time: latencytest.Now().UTC()}
	var errs []error
	for _, e := range slices.Concat(f.Exports, exports) {
		e.Path = strings.ReplaceAll(e.Path, timestampPlaceholder, b.Time.Format("20060102T150405Z"))
		b.Exports = append(b.Exports, e)
	}
	if samples := slices.DeleteFunc(slices.Clone(b.Exports), func(e Export) bool { return e.Format != "jsonl" }); len(samples) > 1 {
		errs = append(errs, fmt.Errorf("%s: samples are exported once, not to %s and %s", f.Path, samples[0].Path, samples[1].Path))
	}
	prices, err := f.prices()
	errs = append(errs, err)
	for _, s := range f.Scenarios {
		b.Notes = append(b.Notes, f.capped(s)...)
	}
	for _, p := range f.Providers {
		for _, model := range p.choices() {
			for _, s := range f.Scenarios {
				plan, err := f.plan(p, model, s)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				plan.Prices = prices
				target, err := open(ctx, Endpoint{p, model, s.Unary, plan.Prompts})
				if err != nil {
					errs = append(errs, fmt.Errorf("%s:%d: %s: %w", f.Path, p.line, providers.Inert(p.Label), err))
					break // the other scenarios would say the same
				}
				b.Runs = append(b.Runs, &Run{Combination{p.Label, model, s.Name}, len(b.Runs) + 1, target, plan})
			}
		}
	}
	if err := joined(errs); err != nil {
		return nil, err
	}
	b.sampleFiles()
	return b, nil
}

// joined joins errors, each text once: a prompt file that is not there is read for every
// model.
func joined(errs []error) error {
	seen := make(map[string]bool)
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	})...)
}

// choices are the models of a provider, or none.
func (p Provider) choices() []string {
	if len(p.Models) == 0 {
		return []string{""}
	}
	return p.Models
}

func (f *File) prices() (latencytest.Prices, error) {
	if f.Execution.Prices == "" {
		return nil, nil
	}
	prices, err := latencytest.ReadPrices(f.Execution.Prices)
	if err != nil {
		return nil, fmt.Errorf("%s: execution.prices: %w", f.Path, err)
	}
	return prices, nil
}

// capped says where the file's max_concurrency changes a scenario, or cannot.
func (f *File) capped(s Scenario) []string {
	most := f.Execution.MaxConcurrency
	switch {
	case most == 0:
		return nil
	case s.Load != latencytest.Closed(s.clients):
		return []string{fmt.Sprintf("%s: max_concurrency does not bound a rate: requests are made when they are due, however many are under way", s.Name)}
	case s.clients > most:
		return []string{fmt.Sprintf("%s: concurrency is %d, not %d: max_concurrency caps it", s.Name, most, s.clients)}
	}
	return nil
}

// plan returns what a run does, without its prices.
func (f *File) plan(p Provider, model string, s Scenario) (latencytest.Plan, error) {
	e := f.Execution
	plan := latencytest.Plan{
		Name: s.Name, Requests: s.requests(), Repetitions: s.Repetitions, Duration: s.Duration, Load: s.Load, Pause: s.Pause, Cache: s.Cache,
		Warmup: e.Warmup, Retries: e.Retries, Backoff: e.Backoff, Timeout: e.Timeout, DialAnew: e.DialAnew, Seed: e.Seed, RateLimit: p.RateLimit,
	}
	if e.MaxConcurrency > 0 && s.clients > e.MaxConcurrency {
		plan.Load = latencytest.Closed(e.MaxConcurrency)
	}
	fail := func(format string, args ...any) (latencytest.Plan, error) {
		return plan, fmt.Errorf("%s:%d: %s: %w", f.Path, s.line, strictyaml.Short(s.Name), fmt.Errorf(format, args...))
	}
	plan.Prompts = []providers.Prompt{{ID: "p1", Text: s.Prompt}}
	if s.Prompts != "" {
		var err error
		if plan.Prompts, err = readPrompts(s.Prompts); err != nil {
			return fail("prompts: %w", err)
		}
	}
	for i := range plan.Prompts {
		prompt := &plan.Prompts[i]
		if prompt.System == "" {
			prompt.System = s.System
		}
		for _, limit := range []int{s.MaxTokens, p.MaxTokens, providers.DefaultMaxTokens} {
			if prompt.MaxTokens == 0 {
				prompt.MaxTokens = limit
			}
		}
		switch {
		case prompt.Model != "" && model != "":
			return fail("prompt %s names a model_id of its own: leave it out, or the models of %s", prompt.ID, p.Label)
		case p.ThinkingBudget >= prompt.MaxTokens:
			return fail("thinking_budget: %d tokens of thought leave none of the %d that prompt %s may have: raise max_tokens", p.ThinkingBudget, prompt.MaxTokens, prompt.ID)
		}
	}
	return plan, nil
}

func readPrompts(path string) ([]providers.Prompt, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return providers.ReadPrompts(file, path)
}

// sampleFiles gives each run its file, where samples are exported. Of more than one run
// the name says which it is of: results/run.2-openai-gpt-5-short.samples.jsonl.
func (b *Benchmark) sampleFiles() {
	i := slices.IndexFunc(b.Exports, func(e Export) bool { return e.Format == "jsonl" })
	if i < 0 {
		return
	}
	dir, name := filepath.Split(b.Exports[i].Path)
	for _, r := range b.Runs {
		r.Plan.SampleFile = dir + name
		if len(b.Runs) == 1 {
			continue
		}
		stem := strings.TrimSuffix(strings.TrimSuffix(name, ".jsonl"), ".samples")
		of := latencytest.FileName(fmt.Sprintf("%d-%s-%s-%s", r.Number, r.Provider, r.Model, r.Scenario))
		r.Plan.SampleFile = dir + stem + "." + of + strings.TrimPrefix(name, stem)
	}
}
