package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

func (p *program) gateCommand() *cobra.Command {
	var flags judgeFlags
	var dir, root, base string
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Judge what latgate run has measured",
		Long: `Gate judges the results of a build as one family, against the baselines of its base
commit, and writes verdict.json and other formats beside them.

It exits with the code of the worst verdict that fails the build:

   0  pass, improved, accepted            13  incomparable
   1  a failure of its own                14  inconclusive (only by fail_on)
   2  usage, configuration, schema        15  the endpoint or the machine, not the change
  10  regression                          16  a baseline or a waiver was tampered with
  11  over an absolute budget             17  a recording lacks a request
  12  a baseline, or a result, is missing

The base is that of --base, of LATGATE_BASE, or the one that the results were measured
against. The environment variable LATGATE_MODE, or --mode, says of what mode the results
have to be.`,
		Example: `  latgate gate
  latgate gate --dir results --base origin/main --formats json,md,junit
  latgate gate --dir results --fail-on regression,budget,missing,tampered --summary "$GITHUB_STEP_SUMMARY" --annotate github`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.gate(cmd.Context(), flags, dir, root, base, cmd.Flag("mode").Value.String())
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&dir, "dir", "", "the `directory` of the results (default: LATGATE_OUT, or .latgate in the module's root)")
	cmd.Flags().StringVarP(&root, "directory", "C", ".", "a `directory` of the module that was measured")
	cmd.Flags().StringVar(&base, "base", "", "the `revision` whose baselines are compared with")
	cmd.Flags().String("mode", "", "the `mode` that the results must have")
	choices(cmd, "mode", "replay", "stored", "ab", "track")
	flags.register(cmd)
	return cmd
}

func (p *program) gate(ctx context.Context, f judgeFlags, dir, from, base, mode string) error {
	if err := f.check(); err != nil {
		return err
	}
	root, err := gate.FindRoot(from)
	if err != nil {
		return err
	}
	if dir, err = gate.OutDir(root, dir, p.lookup); err != nil {
		return err
	}
	if text, _ := p.lookup("LATGATE_MODE"); mode == "" && text != "auto" {
		mode = text
	}
	if mode != "" {
		if err := oneOf("mode", mode, "replay", "stored", "ab", "track"); err != nil {
			return err
		}
	}
	if base == "" {
		base, _ = p.lookup("LATGATE_BASE")
	}
	if base == "" {
		if base, err = gate.BaseOf(dir); err != nil {
			return coded(err)
		}
	}
	return p.judgeBuild(ctx, f, gate.Options{Dir: dir, Root: root, Base: base, Mode: report.Mode(mode)})
}

func (p *program) mergeCommand() *cobra.Command {
	var expect, out string
	cmd := &cobra.Command{
		Use:   "merge --expect SHARDS --out DIRECTORY DIRECTORY...",
		Short: "Put the shards of a build together",
		Long: `Merge finds the results of shards in directories and below them, checks that they are
of one build, that each is there once and in one attempt, and that they hold all tests
that were planned, and puts them together as one process would have left them. Latgate
gate then judges them as one build.

It exits with 13 where the shards do not fit together.`,
		Example: `  latgate merge --expect 3 --out merged shards
  latgate merge --expect stored@eu-west-1=3,stored@us-east-1=3 --out merged artifacts
  latgate merge --expect replay=1,stored=3 --out merged artifacts/replay artifacts/stored-0 artifacts/stored-1 artifacts/stored-2`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			expected, err := gate.ParseExpected(expect)
			if err != nil {
				return fmt.Errorf("--expect: %w", err)
			}
			if err := gate.Merge(out, expected, args...); err != nil {
				return coded(err)
			}
			_, err = fmt.Fprintf(p.stdout, "the shards are merged in %s\n", plain(out))
			return printed(err)
		},
	}
	cmd.Flags().StringVar(&expect, "expect", "", "the `shards` that there have to be: 3, auto=3, or by mode and region, as in replay=1,stored@eu-west-1=3")
	cmd.Flags().StringVar(&out, "out", "", "the `directory` to merge into")
	_, _ = cmd.MarkFlagRequired("expect"), cmd.MarkFlagRequired("out") // the flags exist
	return cmd
}
