package latencytest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/latgate/latgate/providers"
)

// A Plan says what to run. Its zero values mean what the fields say.
type Plan struct {
	// Name tells the plans of one test apart, in file names and messages. A test
	// with one plan needs none.
	Name string

	// Prompts are sent in a shuffled order in which each comes up equally often.
	// There must be at least one; those without an ID are named p1, p2 and so on,
	// after their places. Prompts that differ in model, region or profile form
	// scenarios of their own.
	Prompts []providers.Prompt

	// Requests is how many requests of each scenario are measured. Zero means
	// 100; the flag -latgate.requests goes before either.
	Requests int

	// Warmup is how many requests of each scenario are made, recorded and left
	// out of every number before the first measured one starts. It is raised to
	// one full wave of the load's concurrency, which is also the zero value.
	Warmup int

	// Load is how requests are issued. Zero means Closed(1).
	Load LoadModel

	// Timeout is the limit of one request, or one operation. Zero means 2 minutes.
	Timeout time.Duration

	// Seed decides the order of the prompts. Zero means [Seed]().
	Seed uint64

	// Environment names what the times depend on besides the endpoint; runs of
	// different environments are never compared. Empty means "virtual" in a
	// synctest bubble, where no machine matters, and GOOS/GOARCH otherwise,
	// followed by the label of LATGATE_RUNNER_CLASS where that is set.
	Environment string

	// SampleFile is where samples are written as they come, one JSON object a
	// line. Empty means nowhere for [Measure], and
	// testdata/latgate/<Test>/latest.samples.jsonl for the testing functions.
	SampleFile string
}

// A LoadModel is how requests are issued: the values are made by [Closed].
type LoadModel struct {
	closed  bool
	clients int
}

// Closed keeps n clients busy: each sends its next request when its last one
// has ended.
func Closed(n int) LoadModel { return LoadModel{closed: true, clients: n} }

// String returns "closed(4)".
func (l LoadModel) String() string { return fmt.Sprintf("closed(%d)", l.clients) }

// withDefaults returns the plan with every zero value replaced by what it means.
func (p Plan) withDefaults(s Settings) Plan {
	if p.Requests == 0 {
		p.Requests = 100
	}
	if s.Requests > 0 {
		p.Requests = s.Requests
	}
	if p.Load == (LoadModel{}) {
		p.Load = Closed(1)
	}
	if p.Warmup >= 0 {
		p.Warmup = max(p.Warmup, p.Load.clients)
	}
	if p.Timeout == 0 {
		p.Timeout = 2 * time.Minute
	}
	p.Prompts = slices.Clone(p.Prompts)
	for i := range p.Prompts {
		if p.Prompts[i].ID == "" {
			p.Prompts[i].ID = fmt.Sprintf("p%d", i+1)
		}
	}
	if p.Seed == 0 {
		p.Seed = s.Seed
	}
	if p.Environment == "" {
		p.Environment = environment(s.RunnerClass)
	}
	return p
}

// validate returns what keeps the plan from being run, all of it at once.
func (p Plan) validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", "Plan."+field, fmt.Sprintf(format, args...)))
	}
	if len(p.Prompts) == 0 {
		bad("Prompts", "there are none; give at least one, or read a set with latencytest.Prompts")
	}
	ids := make(map[string]bool)
	for i, prompt := range p.Prompts {
		if err := prompt.Validate(); err != nil {
			bad("Prompts", "prompt %d: %v", i, err)
		}
		if ids[prompt.ID] {
			bad("Prompts", "prompt %d: the id %q is used twice", i, prompt.ID)
		}
		ids[prompt.ID] = true
	}
	if p.Requests < 0 {
		bad("Requests", "want a positive number, got %d", p.Requests)
	}
	if p.Warmup < 0 {
		bad("Warmup", "want 0 or more, got %d", p.Warmup)
	}
	if p.Load.clients < 1 {
		bad("Load", "want at least one client, got %v", p.Load)
	}
	if p.Timeout < 0 {
		bad("Timeout", "want a positive duration, got %v", p.Timeout)
	}
	return errors.Join(errs...)
}
