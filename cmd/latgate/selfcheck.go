package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/latencytest"
)

func (p *program) selfCheckCommand() *cobra.Command {
	var plan latencytest.SelfCheckPlan
	cmd := &cobra.Command{
		Use:   "selfcheck",
		Short: "Measure how true the times are that this machine measures",
		Long: `Selfcheck serves streams whose times are known to itself, measures them as it does
those of any endpoint, and prints by how much the measured times are off, beside
those of a bare read loop. It takes about twice the duration.

Where this machine cannot keep up with the load, it exits with 15.`,
		Example: `  latgate selfcheck
  latgate selfcheck --streams 1000 --events-per-second 20 --duration 10s`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().IntVar(&plan.Streams, "streams", 100, "the `number` of streams at once")
	cmd.Flags().Float64Var(&plan.Rate, "events-per-second", 50, "the `rate` of events of each stream")
	cmd.Flags().DurationVar(&plan.Duration, "duration", 5*time.Second, "the `time` to measure for")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := positive(cmd.Flags(), "streams", "events-per-second", "duration"); err != nil {
			return err
		}
		ctx, _, stop := p.interruptible(cmd.Context(), func() {})
		defer stop()
		report, err := latencytest.SelfCheck(ctx, plan)
		switch {
		case err != nil && ctx.Err() != nil:
			return &exitError{exitInterrupted, err}
		case err != nil:
			return &exitError{exitInternal, err}
		}
		return p.printSelfCheck(report)
	}
	return cmd
}

func (p *program) printSelfCheck(report *latencytest.SelfCheckReport) error {
	if _, err := fmt.Fprintln(p.stdout, plain(report.String())); err != nil {
		return printed(err)
	}
	if report.Bottleneck() != "" { // which is the report's last line
		return &exitError{exitEndpoint, errors.New("this machine does not keep up with this load")}
	}
	return nil
}
