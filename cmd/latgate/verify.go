package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

func (p *program) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [DIRECTORY...]",
		Short: "Check that stored baselines are as they were stored",
		Long: `Verify reads every stored run below the directories, the working directory where none
is given: strictly, with its checksum, and whether it is where its key belongs. It needs
no measurement, and is quick enough for every commit.

It exits with 16 where a run was edited, cut, moved or renamed, and with 12 where there
is none.`,
		Example: `  latgate verify
  latgate verify internal/chat/testdata/latgate`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			runs, broken := 0, 0
			for _, dir := range args {
				v, err := gate.Verify(dir)
				if err != nil {
					return err
				}
				runs, broken = runs+v.Runs, broken+len(v.Broken)
				for _, b := range v.Broken {
					if _, err := fmt.Fprintln(p.stdout, plain(b.Error())); err != nil {
						return printed(err)
					}
				}
			}
			switch {
			case broken > 0:
				return &exitError{report.ExitTampered, fmt.Errorf("%d of %d stored runs are not as they were stored", broken, broken+runs)}
			case runs == 0:
				return &exitError{report.ExitMissing, fmt.Errorf("there is no stored run below %q", args)}
			}
			_, err := fmt.Fprintf(p.stdout, "%d stored runs are as they were stored\n", runs)
			return printed(err)
		},
	}
}
