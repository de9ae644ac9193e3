package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

func (p *program) baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Look at stored baselines, pin and prune them",
		Long: `Baseline looks at the runs that are stored below a directory, the working directory
where none is given, and tidies them up. Runs are added by tests with -latgate.update,
and by latgate accept.`,
		Example: `  latgate baseline list
  latgate baseline show testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline pin testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline prune testdata/latgate`,
	}
	cmd.AddCommand(p.baselineListCommand(), p.baselineShowCommand(), p.baselinePinCommand(), p.baselinePruneCommand())
	return cmd
}

// quantileOf prints a quantile of the runs' newest, or a dash.
func quantileOf(r *baseline.Run, m latencytest.Metric, q latencytest.Quantile) string {
	values := r.Values(m)
	if len(values) == 0 {
		return "–"
	}
	return m.Format(latencytest.Type7(values, q.Rank(m)))
}

func (p *program) baselineListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list [DIRECTORY]",
		Short:   "List the baselines below a directory",
		Example: `  latgate baseline list internal/chat/testdata/latgate`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			archive, err := readArchive(append(args, ".")[0], nil)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "test\tscenario\tkey\tmodel\truns\tnewest\tpinned\tn\tP50 ttft\tP90 ttft\t")
			for _, s := range archive {
				test := s.key.Get("test")
				if plan := s.key.Get("plan"); plan != "" {
					test += " " + plan
				}
				newest, pinned := newestOf(s), "–"
				if s.pinned != nil {
					pinned = s.pinned.Header.Time.Format(time.DateOnly)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\t\n", plain(test), plain(s.key.Get("scenario")), s.key.Hash(), plain(cmp.Or(s.key.Get("model"), "–")),
					len(s.runs), newest.Header.Time.Format(time.DateOnly), pinned, len(newest.Entries),
					quantileOf(newest, latencytest.TTFT, latencytest.P50), quantileOf(newest, latencytest.TTFT, latencytest.P90))
			}
			return printed(w.Flush())
		},
	}
}

// newestOf is the newest of a key's runs, or the pinned one where there is no other.
func newestOf(s storedRuns) *baseline.Run {
	newest := s.pinned
	for _, r := range s.runs {
		if newest == nil || newest == s.pinned || r.Header.Time.After(newest.Header.Time) {
			newest = r
		}
	}
	return newest
}

func readStoredRun(path string) (*baseline.Run, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return baseline.Parse(data, path)
}

func (p *program) baselineShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Print a stored run",
		Example: `  latgate baseline show testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			run, err := readStoredRun(args[0])
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
			line := func(name, value string) {
				if value != "" {
					fmt.Fprintf(w, "%s\t%s\n", plain(name), plain(value))
				}
			}
			h := run.Header
			line("reason", h.Reason)
			line("time", h.Time.Format(time.RFC3339))
			commit := h.Provenance.Commit
			if h.Provenance.Dirty {
				commit += " with changes"
			}
			line("commit", commit)
			line("machine", fmt.Sprintf("%s/%s, %d CPUs, %s", h.Provenance.OS, h.Provenance.Arch, h.Provenance.CPUs, h.Provenance.Go))
			line("requests", fmt.Sprintf("%d, of which %d failed", len(run.Entries), run.Failed()))
			line("key", run.Key.Hash())
			for _, f := range run.Key.Facts() {
				line("  "+f.Name, f.Value)
			}
			for _, m := range latencytest.Metrics {
				if len(run.Values(m)) > 0 {
					line(m.String(), fmt.Sprintf("P50 %s, P90 %s, n %d", quantileOf(run, m, latencytest.P50), quantileOf(run, m, latencytest.P90), len(run.Values(m))))
				}
			}
			return printed(w.Flush())
		},
	}
}

func (p *program) baselinePinCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pin FILE",
		Short: "Make a stored run the anchor of its baseline",
		Long: `Pin copies a stored run to pinned.bench beside it. Every later run is compared with it
as well, with a wider tolerance, so that small steps do not creep past the others. It
moves only when somebody pins another.`,
		Example: `  latgate baseline pin testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			run, err := readStoredRun(args[0])
			if err != nil {
				return err
			}
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			store := baseline.Dir(filepath.Dir(filepath.Dir(filepath.Dir(path))))
			if filepath.Dir(path) != store.Location(run.Key) {
				return fmt.Errorf("%s: by its key it belongs in %s: it was moved, or renamed", args[0], store.Location(run.Key))
			}
			pinner, ok := store.(baseline.Pinner)
			if !ok {
				return errors.New("this store pins nothing")
			}
			pinned, err := pinner.Pin(run)
			if err != nil {
				return &exitError{exitInternal, err}
			}
			_, err = fmt.Fprintln(p.stdout, plain(pinned))
			return printed(err)
		},
	}
}

func (p *program) baselinePruneCommand() *cobra.Command {
	var keep int
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "prune [DIRECTORY]",
		Short: "Delete the oldest runs of each baseline",
		Long: `Prune deletes the oldest runs of each key below a directory until --keep are left. The
pinned run stays. A gate that compares with too few runs knows nothing of the variation
between them: five are wanted.`,
		Example: `  latgate baseline prune --keep 5 --dry-run internal/chat/testdata/latgate`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positive(cmd.Flags(), "keep"); err != nil {
				return err
			}
			files, err := runFiles(append(args, ".")[0])
			if err != nil {
				return err
			}
			byDir := make(map[string][]string)
			for _, file := range files {
				if filepath.Base(file) != pinnedFile {
					if _, err := readStoredRun(file); err != nil {
						return err
					}
					byDir[filepath.Dir(file)] = append(byDir[filepath.Dir(file)], file)
				}
			}
			deleted := 0
			for _, file := range files { // in order
				of := byDir[filepath.Dir(file)]
				i := slices.Index(of, file)
				if i < 0 || i >= len(of)-keep {
					continue
				}
				if !dryRun {
					if err := os.Remove(file); err != nil {
						return &exitError{exitInternal, err}
					}
				}
				deleted++
				if _, err := fmt.Fprintln(p.stdout, plain(file)); err != nil {
					return printed(err)
				}
			}
			word := "deleted"
			if dryRun {
				word = "would be deleted"
			}
			_, err = fmt.Fprintf(p.stdout, "%d %s\n", deleted, word)
			return printed(err)
		},
	}
	cmd.Flags().IntVar(&keep, "keep", baseline.Keep, "how many `runs` of each key are kept")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "delete nothing, only say what would be")
	return cmd
}
