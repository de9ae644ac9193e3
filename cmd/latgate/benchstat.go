package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/bench"
)

type benchstatFlags struct {
	dir, root, base, out string
	before, after        []string
	format               string
}

func (p *program) benchstatCommand() *cobra.Command {
	var f benchstatFlags
	cmd := &cobra.Command{
		Use:   "benchstat",
		Short: "Print benchstat's table of a build against its baselines",
		Long: `Benchstat prints the table that the command of that name prints: of what latgate run
has measured against the stored runs of the base commit, or of one build against the
other where they took turns. Outputs of go test -bench, from before and after a change,
join it with --before and --after.

It judges nothing: its test is about medians, and the gate's own test decides.`,
		Example: `  latgate benchstat
  latgate benchstat --base origin/main --before main.txt --after head.txt
  latgate benchstat --format md >> "$GITHUB_STEP_SUMMARY"
  latgate benchstat --out compared && benchstat compared/base.bench compared/head.bench`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.benchstat(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.dir, "dir", "", "the `directory` of the results (default: LATGATE_OUT, or .latgate in the module's root)")
	flags.StringVarP(&f.root, "directory", "C", ".", "a `directory` of the module that was measured")
	flags.StringVar(&f.base, "base", "", "the `revision` whose baselines are compared with (default: the one that the results were measured against)")
	flags.StringArrayVar(&f.before, "before", nil, "a `file` in the Go benchmark format to add to the stored runs")
	flags.StringArrayVar(&f.after, "after", nil, "a `file` in the Go benchmark format to add to the results")
	flags.StringVar(&f.format, "format", "text", "text or md")
	flags.StringVar(&f.out, "out", "", "a `directory` to write both sides to: base.bench and head.bench")
	choices(cmd, "format", "text", "md")
	return cmd
}

func (p *program) benchstat(ctx context.Context, f benchstatFlags) error {
	if err := oneOf("format", f.format, "text", "md"); err != nil {
		return err
	}
	base, head, err := p.sides(ctx, f)
	if err != nil {
		return err
	}
	var sources [2][]bench.Source
	for i, side := range []struct {
		name string
		runs []*baseline.Run
		more []string
	}{{"base.bench", base, f.before}, {"head.bench", head, f.after}} {
		var content bytes.Buffer
		if err := bench.Format(&content, side.runs...); err != nil {
			return &exitError{exitInternal, err}
		}
		if f.out != "" {
			if err := os.MkdirAll(f.out, 0o755); err != nil {
				return &exitError{exitInternal, err}
			}
			if err := report.WriteFile(filepath.Join(f.out, side.name), content.Bytes()); err != nil {
				return &exitError{exitInternal, err}
			}
		}
		sources[i] = append(sources[i], bench.File(side.name, &content))
		for _, name := range side.more {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			sources[i] = append(sources[i], bench.File(name, bytes.NewReader(data)))
		}
	}
	tables, err := bench.Compare(sources[0], sources[1])
	if err != nil {
		return fmt.Errorf("it is no output of go test -bench: %w", err)
	}
	write := bench.Tables.WriteText
	if f.format == "md" {
		write = bench.Tables.WriteMarkdown
	}
	return printed(write(tables, p.stdout))
}

// sides are the runs of the build.
func (p *program) sides(ctx context.Context, f benchstatFlags) (base, head []*baseline.Run, err error) {
	root, err := gate.FindRoot(f.root)
	if err != nil {
		return nil, nil, err
	}
	dir, err := gate.OutDir(root, f.dir, p.lookup)
	if err != nil {
		return nil, nil, err
	}
	if f.base == "" {
		if f.base, err = gate.BaseOf(dir); err != nil {
			return nil, nil, coded(err)
		}
	}
	base, head, err = gate.Sides(ctx, gate.Options{Dir: dir, Root: root, Base: f.base, Open: openStore, Unreachable: storeUnreachable})
	return base, head, coded(err)
}
