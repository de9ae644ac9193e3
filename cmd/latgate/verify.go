package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// verifyCommand is a command of its own, and one of latgate baseline, whose flag names a
// store.
func (p *program) verifyCommand(store *string) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [DIRECTORY|ADDRESS...]",
		Short: "Check that stored baselines are as they were stored",
		Long: `Verify reads every stored run below the directories, the working directory where none
is given: strictly, with its checksum, and whether it is where its key belongs. Of a
remote store it reads each run that was ever stored there, with its digest, and all that
says which runs are a baseline. It needs no measurement, and is quick enough for every
commit.

It exits with 16 where something was edited, cut, moved, renamed or removed, with 15
where a server does not answer, and with 12 where there is no run.`,
		Example: `  latgate verify
  latgate verify internal/chat/testdata/latgate
  latgate verify s3://acme-latency/github.com/acme/app`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				name, err := p.namedStore(args, *store, ".")
				if err != nil {
					return err
				}
				args = []string{name}
			case *store != "":
				return fmt.Errorf("--store and %q: name the stores in one way", args)
			}
			return p.verifyStores(cmd.Context(), args)
		},
	}
}

// verifyStores verifies directories and remote stores.
func (p *program) verifyStores(ctx context.Context, names []string) error {
	runs, broken := 0, 0
	for _, name := range names {
		whole, errs, err := verifyStore(ctx, name)
		if err != nil {
			return storeFailed(err)
		}
		runs, broken = runs+whole, broken+len(errs)
		for _, b := range errs {
			if _, err := fmt.Fprintln(p.stdout, plain(b.Error())); err != nil {
				return printed(err)
			}
		}
	}
	switch {
	case broken > 0:
		return &exitError{report.ExitTampered, fmt.Errorf("%d of what is stored is not as it was stored; %d runs are", broken, runs)}
	case runs == 0:
		return &exitError{report.ExitMissing, fmt.Errorf("there is no stored run in %q", names)}
	}
	_, err := fmt.Fprintf(p.stdout, "%d stored runs are as they were stored\n", runs)
	return printed(err)
}

func verifyStore(ctx context.Context, name string) (whole int, broken []error, err error) {
	if !isRemote(name) {
		v, err := gate.Verify(name)
		return v.Runs, v.Broken, err
	}
	store, err := openRemote(ctx, name)
	if err != nil {
		return 0, nil, err
	}
	v, err := store.Verify()
	return v.Runs, v.Broken, err
}
