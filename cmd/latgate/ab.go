package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/stat"
)

type abFlags struct {
	base, dir, output, out string
	blocks, requests       int
	metrics, quantiles     []string

	alpha, minEffect, ruleOut string
	strict                    bool
	judge                     judgeFlags

	anyMetric bool // none was named: what few replies have a value of is left out
}

func (p *program) abCommand() *cobra.Command {
	var f abFlags
	cmd := &cobra.Command{
		Use:   "ab --base REVISION [-- PACKAGES GO-TEST-FLAGS]",
		Short: "Compare two builds of the latency tests, by turns in one session",
		Long: `Ab builds the tests of a base revision and those of the working tree, runs them by
turns, in blocks base head head base, and tells where the head got worse. What the
endpoint's load or the network does meanwhile meets both alike, so that no stored runs
are needed: 300 requests of each side find a slow-down of 20 % of a P90 in about nine
cases of ten. The tests only measure: what their gates say is not asked.

What stands behind -- is as for go test: packages, . where none is named, and the flags
that build and choose tests. Without -run it is -run Latency. The base is checked out in
a temporary directory: files that are not committed are not there.

The verdict is told as latgate gate tells its own, and written to verdict.json and other
formats (--out, --formats), for latgate report and latgate comment. Trailers
Latency-Accept of the commits behind the base accept regressions.

It exits with 0 where nothing got worse, with 10 after a regression, with 12 where a
side lacks a scenario or nothing was measured, with 13 where the sides measured
different things or the base cannot be built, with 14 where it cannot be told, with 15
where the endpoint or the tests failed, with 16 where a trailer does not hold, and with
130 when it was interrupted. With --fail-on, LATGATE_FAIL_ON or fail_on in latgate.yaml
it exits with 0 after verdicts that these leave out.`,
		Example: `  latgate ab --base origin/main
  latgate ab --base HEAD^1 --blocks 6 --requests 480 -- ./internal/chat -run LatencyChat
  latgate ab --base v1.4.0 --metric ttft --quantile p90 --output ab -- ./... -run Latency -tags live
  latgate ab --base origin/main --out reports --formats json,md,junit -- ./... -run Latency`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.anyMetric = !cmd.Flags().Changed("metric")
			if err := positive(cmd.Flags(), "blocks", "requests"); err != nil {
				return err
			}
			return p.ab(cmd.Context(), f, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.base, "base", "", "the `revision` to compare the working tree with")
	flags.IntVar(&f.blocks, "blocks", 4, "how many `blocks` base head head base; two at least")
	flags.IntVarP(&f.requests, "requests", "n", 300, "how many `requests` of each scenario are measured on each side")
	flags.StringSliceVar(&f.metrics, "metric", []string{"ttft", "otps"}, "the `metrics` to compare")
	flags.StringSliceVar(&f.quantiles, "quantile", []string{"p50", "p90"}, "the `quantiles` to compare, towards the bad end")
	flags.StringVar(&f.minEffect, "min-effect", "10%", "the smallest `slow-down` that is a regression")
	flags.StringVar(&f.ruleOut, "rule-out", "20%", "the `slow-down` that a pass excludes")
	flags.StringVar(&f.alpha, "alpha", "5%", "the `chance` of any false regression")
	flags.BoolVar(&f.strict, "strict", false, "ask that a regression exceeds --min-effect with 95 % confidence")
	flags.StringVarP(&f.output, "output", "o", "", "keep the sample files in this `directory`")
	flags.StringVarP(&f.dir, "directory", "C", ".", "run in this `directory`")
	flags.StringVar(&f.out, "out", "", "the `directory` of verdict.json and the other formats (default: ab in LATGATE_OUT, or .latgate/ab in the module's root)")
	f.judge.register(cmd)
	choices(cmd, "metric", metricNames()...)
	_ = cmd.MarkFlagRequired("base") // the flag exists
	return cmd
}

// options reads how it is judged.
func (f abFlags) options() (o stat.Options, questions []baseline.Question, err error) {
	var errs [6]error
	o.Strict = f.strict
	o.Alpha, errs[0] = share("alpha", f.alpha)
	o.MinEffect, errs[1] = share("min-effect", f.minEffect)
	o.RuleOut, errs[2] = share("rule-out", f.ruleOut)
	if f.blocks < 2 {
		errs[3] = fmt.Errorf("--blocks: want 2 or more: fewer say nothing of how much they vary, got %d", f.blocks)
	}
	metrics, err := metricsNamed("metric", f.metrics)
	errs[4] = err
	quantiles, err := quantilesNamed("quantile", f.quantiles)
	errs[5] = err
	for _, m := range metrics {
		for _, q := range quantiles {
			questions = append(questions, baseline.Question{Metric: m, Quantile: q})
		}
	}
	return o, questions, errors.Join(errs[:]...)
}

// ab measures two builds by turns, judges, and tells the verdict.
func (p *program) ab(ctx context.Context, f abFlags, args []string) (err error) {
	options, questions, err := f.options()
	if err != nil {
		return err
	}
	if err := f.judge.check(); err != nil {
		return err
	}
	tests, err := parseGoTest(args)
	if err != nil {
		return err
	}
	log, told := &sharedWriter{w: p.stderr}, make(chan struct{})
	gentle, hard, stop := p.interruptible(ctx, func() {
		fmt.Fprintln(log, "latgate: interrupted: requests under way have 10 s to end; once more ends them at once")
		close(told)
	})
	defer stop()
	defer func() {
		if context.Cause(gentle) == errInterrupted {
			<-told
		}
		if err != nil && gentle.Err() != nil {
			err = &exitError{exitInterrupted, errInterrupted}
		}
	}()
	work, err := os.MkdirTemp("", "latgate-ab-")
	if err != nil {
		return &exitError{exitInternal, err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	c := commands{ctx: gentle, hard: hard, log: log}
	repository, err := c.openRepository(f.dir)
	if err != nil {
		return err
	}
	verdict, err := p.verdictTo(f, repository, work)
	if err != nil {
		return err
	}
	base, err := repository.checkOut(f.base, filepath.Join(work, "base"))
	if base != nil {
		defer func() { err = errors.Join(err, base.remove()) }()
	}
	if err != nil {
		return err
	}
	session := abSession{
		commands: c, tests: tests, blocks: f.blocks, requests: perTurn(f.requests, f.blocks),
		dir: filepath.Join(work, "samples"), seed: p.seed(),
	}
	if f.output != "" {
		if session.dir, err = filepath.Abs(f.output); err != nil {
			return err
		}
		if left, _ := filepath.Glob(filepath.Join(session.dir, "*")); len(left) > 0 { // the pattern is good
			return fmt.Errorf("--output: %s is not empty: samples of two sessions must not mix", f.output)
		}
	}
	verdict.turns.Base, verdict.turns.Reason = base.hash, session.reason(repository, base)
	measured, err := session.compare(repository, base, work, func() error {
		_, err := fmt.Fprintln(p.stdout, plain(verdict.turns.Reason))
		return printed(err)
	})
	if gentle.Err() != nil {
		return errors.Join(err, context.Cause(gentle))
	}
	return verdict.tell(gentle, measured, err, assertions.Revisions{Options: options, Questions: questions, Optional: f.anyMetric})
}

// reason says what is compared, and how.
func (s abSession) reason(head *repository, base *checkout) string {
	return fmt.Sprintf("head %s against base %s, interleaved in %d blocks base head head base, %d requests a turn",
		head.commit, base.commit, s.blocks, s.requests)
}

// compare builds the tests of both sides, and measures them.
func (s abSession) compare(head *repository, base *checkout, work string, built func() error) ([]measuredTest, error) {
	packages, err := head.testPackages(base, s.tests)
	if err != nil {
		return nil, err
	}
	if err := build(packages, head.head(), base, s.tests, work); err != nil {
		return nil, err
	}
	if err := built(); err != nil {
		return nil, err
	}
	return s.measure(packages)
}

// A sharedWriter may be written to by several goroutines.
type sharedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sharedWriter) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(data)
}

// perTurn shares the requests of a side out among its two turns a block.
func perTurn(requests, blocks int) int { return (requests + 2*blocks - 1) / (2 * blocks) }
