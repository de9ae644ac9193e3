package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/latencytest"
)

func (p *program) showCommand() *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print the results of a stored sample file",
		Long: `Show prints what a run measured from the samples that it stored: those of
latgate profile --output, or of a test (testdata/latgate/TEST/latest.samples.jsonl).
Files of runs that were killed, which end in .partial, are read as far as they go.`,
		Example: `  latgate show run.samples.jsonl
  latgate show testdata/latgate/TestLatencyChat/latest.samples.jsonl --percentiles
  latgate show run.samples.jsonl --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := output.check(); err != nil {
				return err
			}
			res, err := latencytest.Load(args[0])
			if err != nil && (res == nil || !errors.Is(err, latencytest.ErrInterrupted)) {
				return err
			}
			if err != nil {
				fmt.Fprintln(p.stderr, "latgate: "+plain(err.Error()))
			}
			return printed(p.print(output, []*latencytest.Result{res}, nil, args, err))
		},
	}
	output.register(cmd)
	return cmd
}
