package latencytest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
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
	// 100, or as many as there are [Arrivals], or without limit where there is a
	// Duration; the flag -latgate.requests goes before either.
	Requests int

	// Repetitions is how often the whole of the measured requests is made, one after
	// the other, after a single warm-up. Samples tell which they belong to. Zero
	// means once.
	Repetitions int

	// Blocks is how many blocks A B B A the requests of [Compare] and [MeasureAB] are
	// divided into, half of a block's to each of its turns. Zero means 10.
	Blocks int

	// Duration, MaxTokens and Budget end the run early: no request is made once
	// the measured part has taken that long, its replies have brought that many
	// output tokens, or, with the warm-up, the next request could bring its cost
	// above that many dollars. Zero means no such limit. A budget needs Prices.
	Duration  time.Duration
	MaxTokens int64
	Budget    float64

	// Enough, where not nil, may end a scenario before its requests are made: it is
	// asked once 50, 100, 200, 400 and so on of them have ended, with the samples so far
	// and how many are planned, 0 being without limit. A text that is not empty is the
	// reason why no more are needed. It must not keep the scenario. See the function
	// of that name in package assertions, which ends what can be no regression any more.
	Enough func(soFar *Scenario, planned int) (reason string)

	// Prices are what tokens cost, see [ReadPrices]. Without them the cost of a
	// sample is not known.
	Prices Prices

	// Warmup is how many requests of each scenario are made, recorded and left
	// out of every number before the first measured one starts. It is raised to
	// one full wave of the load's concurrency, which is also the zero value.
	Warmup int

	// Load is how requests are issued. Zero means Closed(1).
	Load LoadModel

	// Cache is what the run does about the provider's prompt cache. Empty means
	// [AsIsCache]. The achieved hit rate is reported with any of them.
	Cache CachePolicy

	// DialAnew has each request set up a connection of its own, which is then part
	// of its times. Otherwise connections are kept: those of the warm-up serve the
	// measured requests. Which of the two, and HTTP/1.1 or 2, each sample tells.
	DialAnew bool

	// Pause is how long a client of a closed load waits between a reply and its
	// next request.
	Pause time.Duration

	// RateLimit keeps the run below so many requests a second, whatever the load;
	// a second's worth of requests may come at once. A request that has to wait in
	// an open load is late: it counts as [ScheduleLag]. Zero means no limit.
	RateLimit float64

	// Retries is how often a request is repeated that was throttled, failed with a
	// 5xx status or found no connection: after the time that the server asks
	// for, or else an exponential backoff with full jitter, see Backoff. A
	// sample runs from its first attempt, and counts them all. Zero means none:
	// a retry hides what the endpoint did.
	Retries int

	// Backoff is the longest wait before the first retry: the wait is drawn evenly
	// from 0 to it. It doubles with each further retry, up to a minute. Zero means 1 s.
	Backoff time.Duration

	// Storm is the share of the last 20 requests whose failure ends the run with a
	// [StormError]. Zero means 0.9; below 0, nothing does.
	Storm float64

	// Timeout is the limit of one request, or one operation, retries included.
	// Zero means 2 minutes.
	Timeout time.Duration

	// Grace is how long requests under way may go on when the run's context ends or
	// the process is interrupted; no new ones are made then. Zero means 10 seconds;
	// below 0 they are cancelled at once.
	Grace time.Duration

	// Seed decides the order of the prompts. Zero means [Seed]().
	Seed uint64

	// Environment names what the times depend on besides the endpoint; runs of
	// different environments are never compared. Empty means "virtual" in a
	// synctest bubble, where no machine matters, and GOOS/GOARCH otherwise,
	// followed by the label of LATGATE_RUNNER_CLASS where that is set. In real time
	// @ and LATGATE_REGION come after it, where that is set.
	Environment string

	// Progress, where not nil, is told how far the run has come, every ProgressEvery
	// and once more at its end. Zero means every 10 seconds, and for the testing
	// functions that it is logged, which go test -v shows at once.
	Progress      func(Progress)
	ProgressEvery time.Duration

	// Live are the metrics that a Progress has quantiles of. Nil means TTFT and TTLT.
	Live []Metric

	// OnSample, where not nil, is called with each sample when it has ended, one at
	// a time, before it is stored. It may fill in [Sample.Extra].
	OnSample func(*Sample)

	// LowMemory keeps no samples in memory but those of the warm-up: they are in the
	// SampleFile, and quantiles are those of an HDR histogram. A gate reads the
	// samples back from the file, see [Result.Full].
	LowMemory bool

	// SampleFile is where samples are written as they come, one JSON object a
	// line. Empty means nowhere for [Measure], and
	// testdata/latgate/<Test>/latest.samples.jsonl for the testing functions.
	SampleFile string
}

// withDefaults returns the plan with every zero value replaced by what it means.
func (p Plan) withDefaults(s Settings) Plan {
	if p.Requests == 0 && p.Duration == 0 {
		p.Requests = cmp.Or(p.Load.count, 100)
	}
	if s.Requests > 0 {
		p.Requests = s.Requests
	}
	if p.Repetitions == 0 {
		p.Repetitions = 1
	}
	if p.Load == (LoadModel{}) {
		p.Load = Closed(1)
	}
	if p.Warmup >= 0 {
		p.Warmup = max(p.Warmup, p.Load.wave())
		if p.Cache == WarmCache {
			p.Warmup = max(p.Warmup, len(p.Prompts))
		}
	}
	if p.Cache == "" {
		p.Cache = AsIsCache
	}
	if p.Timeout == 0 {
		p.Timeout = 2 * time.Minute
	}
	if p.Grace == 0 {
		p.Grace = 10 * time.Second
	}
	if p.ProgressEvery == 0 {
		p.ProgressEvery = 10 * time.Second
	}
	if p.Live == nil {
		p.Live = []Metric{TTFT, TTLT}
	}
	if p.Storm == 0 {
		p.Storm = .9
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
	if region := "@" + s.Region; s.Region != "" && !Virtual() && !strings.HasSuffix(p.Environment, region) { // a plan may have run before
		p.Environment += region
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
	if p.Repetitions < 1 || p.Repetitions > 1 && p.Requests == 0 {
		bad("Repetitions", "want a positive number, and a number of Requests to repeat, got %d", p.Repetitions)
	}
	if p.Blocks < 0 {
		bad("Blocks", "want a positive number, got %d", p.Blocks)
	}
	if p.Warmup < 0 {
		bad("Warmup", "want 0 or more, got %d", p.Warmup)
	}
	if err := p.Load.check(); err != nil {
		bad("Load", "%v", err)
	} else if p.Load.arrivals == given && p.Load.times == nil {
		bad("Load", "of %v only the name is known; give the times with latencytest.Arrivals", p.Load)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"Timeout", p.Timeout}, {"Duration", p.Duration}, {"Pause", p.Pause}, {"Backoff", p.Backoff}, {"ProgressEvery", p.ProgressEvery}} {
		if d.value < 0 {
			bad(d.field, "want a positive duration, got %v", d.value)
		}
	}
	for _, n := range []struct {
		field string
		value float64
	}{{"MaxTokens", float64(p.MaxTokens)}, {"Budget", p.Budget}, {"RateLimit", p.RateLimit}, {"Retries", float64(p.Retries)}} {
		if !(n.value >= 0) || math.IsInf(n.value, 0) {
			bad(n.field, "want a positive number, got %v", n.value)
		}
	}
	if p.Cache != AsIsCache && p.Cache != BustCache && p.Cache != WarmCache {
		bad("Cache", "want AsIsCache, BustCache or WarmCache, got %q", p.Cache)
	}
	if p.Storm > 1 {
		bad("Storm", "want a share of the requests, at most 1, got %v", p.Storm)
	}
	if p.Budget > 0 && len(p.Prices) == 0 {
		bad("Budget", "there are no Prices to keep it by; read a price file with latencytest.ReadPrices")
	}
	if p.Enough != nil && p.LowMemory {
		bad("Enough", "a run in low memory has no samples to ask about")
	}
	if p.Pause > 0 && p.Load.open() {
		bad("Pause", "an open load makes its requests when they are due; use Closed, or lower the rate")
	}
	return errors.Join(errs...)
}
