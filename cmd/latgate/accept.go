package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
)

type acceptFlags struct {
	reason, store, dir, test string
}

func (p *program) acceptCommand() *cobra.Command {
	var f acceptFlags
	cmd := &cobra.Command{
		Use:   "accept --reason TEXT [SAMPLE-FILE...]",
		Short: "Make what was measured a part of the baselines",
		Long: `Accept adds runs that were measured to the baselines that their tests name, without
measuring again: those of a build that latgate run has left (LATGATE_OUT, or .latgate),
or single sample files, whose baseline is --store. The new files are reviewed and
committed as any other change.

In CI it refuses, unless LATGATE_ALLOW_CI_UPDATE=1 is set: what is measured there would
approve itself.`,
		Example: `  latgate accept --reason "the answer needs a second tool call"
  latgate accept --reason "another day" --test TestLatencyChat
  latgate accept --reason "first run" --store testdata/latgate run.samples.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.accept(cmd.Context(), f, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.reason, "reason", "", "`why` this is right; it is kept with the runs")
	flags.StringVar(&f.test, "test", "", "only of tests that this `pattern` matches")
	flags.StringVar(&f.dir, "dir", "", "the `directory` of the build's results")
	flags.StringVar(&f.store, "store", "", "the `store` of sample files: a directory, or s3://bucket/prefix (default: LATGATE_STORE, that of "+gate.ConfigName+", or "+latencytest.Dir+")")
	_ = cmd.MarkFlagRequired("reason") // the flag exists
	return cmd
}

// An accepted result is to become a part of a baseline.
type acceptedResult struct {
	*latencytest.Result
	store   baseline.Store
	metrics []latencytest.Metric
}

func (p *program) accept(ctx context.Context, f acceptFlags, files []string) error {
	settings := func(name string) bool {
		v, _ := p.lookup(name)
		return v != "" && v != "0" && v != "false"
	}
	if settings("CI") && !settings("LATGATE_ALLOW_CI_UPDATE") {
		return errors.New("a baseline is not updated in CI: update it where the change can be reviewed, or set LATGATE_ALLOW_CI_UPDATE=1 as well")
	}
	tests, err := regexp.Compile(f.test)
	if err != nil {
		return fmt.Errorf("--test: %w", err)
	}
	var results []acceptedResult
	if len(files) > 0 {
		results, err = p.ofFiles(ctx, f, files)
	} else {
		results, err = p.ofBuild(ctx, f)
	}
	if err != nil {
		return err
	}
	results = slices.DeleteFunc(results, func(r acceptedResult) bool { return !tests.MatchString(r.Test) })
	if len(results) == 0 {
		return errors.New("there is nothing to accept: no test that matches has left samples")
	}
	for _, r := range results {
		paths, err := baseline.Accept(r.Result, r.store, f.reason, r.metrics...)
		for _, path := range paths {
			if _, err := fmt.Fprintln(p.stdout, plain(path)); err != nil {
				return printed(err)
			}
		}
		if err != nil {
			return storeFailed(fmt.Errorf("%s: %w", r.Test, err))
		}
	}
	return nil
}

// ofFiles are the results in sample files.
func (p *program) ofFiles(ctx context.Context, f acceptFlags, files []string) ([]acceptedResult, error) {
	store, err := p.openStoreOf(ctx, f.store)
	if err != nil {
		return nil, err
	}
	var results []acceptedResult
	for _, file := range files {
		res, err := latencytest.Load(file)
		if err != nil {
			return nil, err
		}
		results = append(results, acceptedResult{Result: res, store: store})
	}
	return results, nil
}

// ofBuild are the results that a build has left, with the metrics that its gates are
// about.
func (p *program) ofBuild(ctx context.Context, f acceptFlags) ([]acceptedResult, error) {
	root, err := gate.FindRoot(".")
	if err != nil {
		return nil, err
	}
	dir, err := gate.OutDir(root, f.dir, p.lookup)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("there are no results to accept: %w", err)
	}
	var results []acceptedResult
	seen := make(map[string]int) // sample files, several checks of which may be there
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, assertions.RecordSuffix) {
			return err
		}
		r, err := assertions.ReadRecord(path)
		if err != nil {
			return err
		}
		var metrics []latencytest.Metric
		for _, g := range r.Gates {
			if m, ok := latencytest.MetricNamed(g.Metric); ok && !slices.Contains(metrics, m) {
				metrics = append(metrics, m)
			}
		}
		if i, twice := seen[r.SampleFile()+"\x00"+r.Store]; twice {
			results[i].metrics = append(results[i].metrics, metrics...)
			return nil
		}
		if r.Store == "" {
			return nil // nothing is compared with stored runs there
		}
		name := r.Store
		if !isRemote(name) {
			local := filepath.FromSlash(r.Package + "/" + r.Store)
			if filepath.IsAbs(filepath.FromSlash(r.Store)) || !filepath.IsLocal(local) {
				return fmt.Errorf("%s: the store %.80q is outside of the module", path, r.Store)
			}
			name = filepath.Join(root, local)
		}
		store, err := p.openStoreOf(ctx, name)
		if err != nil {
			return err
		}
		res, err := latencytest.Load(r.SampleFile())
		if err != nil {
			return err
		}
		seen[r.SampleFile()+"\x00"+r.Store] = len(results)
		results = append(results, acceptedResult{res, store, metrics})
		return nil
	})
	return results, err
}
