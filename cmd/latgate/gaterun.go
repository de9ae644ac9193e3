package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// runFlags are the flags of the command that runs a build's tests.
type runFlags struct {
	dir         string
	mode, base  string
	out, shard  string
	region      string
	maxUSD      float64
	maxRequests int
	measureOnly bool
	judge       judgeFlags
}

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- PACKAGES GO-TEST-FLAGS",
		Short: "Run latency tests and judge them as one build",
		Long: `Run calls go test -json -count=1 -p 1 with what stands behind --, gathers what the
tests measure, and judges all of it as one build, as latgate gate does. Lines of
latgate's own are shown as they come, other output of tests that fail.

The exit code is that of the verdict, not go test's: tests that were skipped, that did
not match, or that did not run are no pass.

A shard (--shard, LATGATE_SHARD=0/3, LATGATE_SHARDS with JOB_COMPLETION_INDEX, or
CI_NODE_INDEX and CI_NODE_TOTAL) runs its part of the tests and only measures: latgate
merge puts the parts together, and latgate gate judges.`,
		Example: `  latgate run -- ./... -run Latency
  latgate run --base origin/main -- ./internal/chat -run LatencyChat
  latgate run --shard 0/3 --out results -- ./... -run Latency -timeout 30m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positive(cmd.Flags(), "max-usd", "max-requests"); err != nil {
				return err
			}
			return p.runTests(cmd.Context(), f, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.dir, "directory", "C", ".", "run in this `directory`")
	f.register(cmd)
	flags.StringVar(&f.out, "out", "", "the `directory` of the results (default: LATGATE_OUT, or .latgate in the module's root)")
	flags.StringVar(&f.shard, "shard", "", "the `shard` that this is, and of how many: 0/3")
	flags.StringVar(&f.region, "region", "", "the `region` that is measured from, where there are several (default: LATGATE_REGION)")
	flags.Float64Var(&f.maxUSD, "max-usd", 0, "end measuring before all shards together have spent so many `dollars`")
	flags.IntVar(&f.maxRequests, "max-requests", 0, "end measuring when all shards together have made so many `requests`")
	flags.BoolVar(&f.measureOnly, "measure-only", false, "judge nothing; a shard never does")
	f.judge.register(cmd)
	return cmd
}

// register adds the flags that say what is measured, and against what.
func (f *runFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.mode, "mode", "", "what is measured: replay, stored, track or auto (default: LATGATE_MODE, or auto)")
	cmd.Flags().StringVar(&f.base, "base", "", "the `revision` whose baselines are compared with (default: LATGATE_BASE, or what the CI system says)")
	choices(cmd, "mode", "replay", "stored", "track", "auto")
}

// A situated build is a module and what is about to be done in it.
type situated struct {
	root   string
	config gate.Config
	gate.Situation
}

// situate finds out what a build is about, and says so.
func (p *program) situate(ctx context.Context, dir, mode, base string) (situated, error) {
	var b situated
	var err error
	if b.root, err = gate.FindRoot(dir); err != nil {
		return b, err
	}
	if b.config, err = gate.ReadConfig(b.root); err != nil {
		return b, err
	}
	b.Situation, err = gate.Situate(ctx, gate.Question{Root: b.root, Mode: mode, Base: base, Config: b.config, Lookup: p.lookup})
	return b, coded(err)
}

// coded gives an error of package gate its exit code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	if code := gate.ExitCode(err, exitUsage); code != exitUsage {
		return &exitError{code, err}
	}
	return err
}

func (p *program) runTests(ctx context.Context, f runFlags, args []string) error {
	if err := f.judge.check(); err != nil {
		return err
	}
	shard, err := p.shard(f.shard)
	if err != nil {
		return err
	}
	b, err := p.situate(ctx, f.dir, f.mode, f.base)
	if err != nil {
		return err
	}
	if b.Mode == report.AB {
		if text, _ := p.lookup("LATGATE_MODE"); f.mode == "ab" || f.mode == "" && text == "ab" {
			return errors.New("mode ab: two builds are compared by latgate ab; this measures one, in mode stored, replay or track")
		}
		b.Mode, b.ModeReason = report.Stored, b.ModeReason+"; one build is measured, against the stored runs"
	}
	run := gate.Run{Root: b.root, Dir: f.dir, Arguments: args, Situation: b.Situation, Shard: shard, Tool: toolVersion(), Log: p.stdout}
	if run.Out, err = gate.OutDir(b.root, f.out, p.lookup); err != nil {
		return err
	}
	if run.Region, err = p.region(f.region); err != nil {
		return err
	}
	if run.MaxUSD, run.MaxRequests, err = p.budgets(f, b.config); err != nil {
		return err
	}
	if err := p.sayWhat(b.Situation); err != nil {
		return printed(err)
	}
	gentle, hard, stop := p.interruptible(ctx, func() {
		fmt.Fprintln(p.stderr, "latgate: interrupted, the tests save what they have; once more ends them at once")
	})
	defer stop()
	run.Kill = hard
	manifest, err := run.Do(gentle)
	if errors.Is(err, errInterrupted) {
		return &exitError{exitInterrupted, err}
	}
	if err != nil {
		return coded(err)
	}
	if f.measureOnly || shard.Of > 1 {
		_, err := fmt.Fprintf(p.stdout, "measured only, in shard %v: %d of %d tests; the results are in %s\n", shard, len(manifest.Tests), len(manifest.Planned), run.Out)
		return printed(err)
	}
	return p.judgeBuild(ctx, f.judge, gate.Options{Dir: run.Out, Root: b.root, Base: b.Base})
}

func (p *program) shard(flag string) (gate.Shard, error) {
	if flag == "" {
		return gate.ShardOf(p.lookup)
	}
	s, err := gate.ParseShard(flag)
	if err != nil {
		return s, fmt.Errorf("--shard: %w", err)
	}
	return s, nil
}

// region is that of a flag or of the environment.
func (p *program) region(flag string) (string, error) {
	name, from := flag, "--region"
	if name == "" {
		name, _ = p.lookup("LATGATE_REGION")
		from = "LATGATE_REGION"
	}
	if name != "" && !latencytest.IsRegion(name) {
		return "", fmt.Errorf("%s: want letters, digits, dots and dashes, as in eu-west-1, got %.80q", from, name)
	}
	return name, nil
}

// budgets are those of flags, of the environment, or of the configuration.
func (p *program) budgets(f runFlags, c gate.Config) (usd float64, requests int, err error) {
	usd, requests = c.MaxUSD, c.MaxRequests
	if text, set := p.lookup("LATGATE_MAX_USD"); set && text != "" {
		if usd, err = strconv.ParseFloat(text, 64); err != nil || !(usd > 0) {
			return 0, 0, fmt.Errorf("LATGATE_MAX_USD=%.40q: want a positive number of dollars", text)
		}
	}
	if text, set := p.lookup("LATGATE_MAX_REQUESTS"); set && text != "" {
		if requests, err = strconv.Atoi(text); err != nil || requests < 1 {
			return 0, 0, fmt.Errorf("LATGATE_MAX_REQUESTS=%.40q: want a positive number", text)
		}
	}
	if f.maxUSD > 0 {
		usd = f.maxUSD
	}
	if f.maxRequests > 0 {
		requests = f.maxRequests
	}
	return usd, requests, nil
}

func (p *program) sayWhat(s gate.Situation) error {
	base := s.Base
	if base == "" {
		base = "none"
	}
	_, err := fmt.Fprintln(p.stdout, plain(fmt.Sprintf("mode %s: %s\nbase %.12s: %s", s.Mode, s.ModeReason, base, s.BaseReason)))
	return err
}

// toolVersion is what tells builds of the command apart: its version, and the commit of
// one that has none.
func toolVersion() string {
	info, _ := debug.ReadBuildInfo() // nil where there is none
	name, _, _ := strings.Cut(versionText(info), ", ")
	return strings.TrimPrefix(strings.ReplaceAll(name, " (", " "), "latgate ")
}

// judgeFlags are the flags of the commands that judge.
type judgeFlags struct {
	failOn []string
	report reportFlags
}

func (f *judgeFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.failOn, "fail-on", nil, "the `verdicts` that fail the build (default: LATGATE_FAIL_ON, or "+gate.ConfigName+")")
	f.report.register(cmd, "json")
}

func (f *judgeFlags) check() error { return f.report.check() }

// failOnVerdicts are those of the flag or of the environment, nil where neither says.
func (p *program) failOnVerdicts(f judgeFlags) ([]baseline.Verdict, error) {
	names, from := f.failOn, "--fail-on"
	if text, _ := p.lookup("LATGATE_FAIL_ON"); names == nil && text != "" {
		names, from = strings.Split(text, ","), "LATGATE_FAIL_ON"
	}
	var verdicts []baseline.Verdict
	for _, name := range names {
		v, err := gate.ParseVerdict(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// judgeBuild judges a build, writes the verdict beside its results, and returns what to
// exit with.
func (p *program) judgeBuild(ctx context.Context, f judgeFlags, o gate.Options) error {
	var err error
	if o.FailOn, err = p.failOnVerdicts(f); err != nil {
		return err
	}
	o.Tool, o.Open, o.Unreachable = toolVersion(), openStore, storeUnreachable
	verdict, err := gate.Judge(ctx, o)
	if err != nil {
		return coded(err)
	}
	return p.conclude(f.report, o.Dir, verdict, nil)
}

// conclude tells a verdict, writes its formats to a directory, and returns what to exit
// with: the cause, where there is one, or a headline.
func (p *program) conclude(f reportFlags, directory string, verdict *report.Build, cause error) error {
	if err := p.report(f, directory, verdict); err != nil {
		return printed(err)
	}
	if verdict.ExitCode == exitOK {
		return nil
	}
	if cause == nil {
		cause = errors.New(verdict.Headline())
	}
	return &exitError{verdict.ExitCode, cause}
}
