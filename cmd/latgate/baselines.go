package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
)

func (p *program) baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Look at stored baselines, pin and prune them",
		Long: `Baseline looks at stored runs, and tidies them up: those below a directory, or those of
a remote store, s3://bucket/prefix. Where neither is given, the store is that of
LATGATE_STORE or ` + gate.ConfigName + `, or else whatever is below the working directory. Runs are
added by tests with -latgate.update, and by latgate accept.

A remote store that cannot be reached is exit code 15, one whose runs were changed 16.`,
		Example: `  latgate baseline list
  latgate baseline list --runs --store s3://acme-latency/github.com/acme/app
  latgate baseline show testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline pin testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline prune testdata/latgate
  latgate verify s3://acme-latency/github.com/acme/app`,
	}
	var store string
	cmd.PersistentFlags().StringVar(&store, "store", "", "the `store`: a directory, or s3://bucket/prefix (default: LATGATE_STORE, or that of "+gate.ConfigName+")")
	cmd.AddCommand(p.baselineListCommand(&store), p.baselineShowCommand(&store), p.baselinePinCommand(&store), p.baselinePruneCommand(&store), p.verifyCommand(&store))
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

func (p *program) baselineListCommand(store *string) *cobra.Command {
	var runs bool
	cmd := &cobra.Command{
		Use:   "list [DIRECTORY|ADDRESS]",
		Short: "List the baselines of a store",
		Example: `  latgate baseline list internal/chat/testdata/latgate
  latgate baseline list --runs s3://acme-latency/github.com/acme/app`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := p.namedStore(args, *store, ".")
			if err != nil {
				return err
			}
			archive, err := readBaselines(cmd.Context(), name)
			if err != nil {
				return err
			}
			if runs {
				return p.listRuns(archive)
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
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\t\n", plain(test), plain(s.key.Get("scenario")), s.key.Hash(), plain(orDash(s.key.Get("model"))),
					len(s.runs), newest.Header.Time.Format(time.DateOnly), pinned, len(newest.Entries),
					quantileOf(newest, latencytest.TTFT, latencytest.P50), quantileOf(newest, latencytest.TTFT, latencytest.P90))
			}
			return printed(w.Flush())
		},
	}
	cmd.Flags().BoolVar(&runs, "runs", false, "list each run, and where it is")
	return cmd
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// listRuns prints a line for each run, oldest first. What pin and show take is at its end.
func (p *program) listRuns(archive []storedRuns) error {
	w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "time\tpinned\tn\tP50 ttft\tP90 ttft\treason\trun")
	for _, s := range archive {
		line := func(r *baseline.Run, pinned string) {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", r.Header.Time.Format(time.RFC3339), pinned, len(r.Entries),
				quantileOf(r, latencytest.TTFT, latencytest.P50), quantileOf(r, latencytest.TTFT, latencytest.P90), plain(r.Header.Reason), plain(s.where[r]))
		}
		if s.pinned != nil {
			line(s.pinned, "pinned")
		}
		for _, r := range s.runs {
			line(r, "–")
		}
	}
	return printed(w.Flush())
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

func (p *program) baselineShowCommand(store *string) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE|ADDRESS",
		Short: "Print a stored run",
		Example: `  latgate baseline show testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline show s3://acme-latency/app/runs/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab-9f86d081884c7d65.bench`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			remote, is, err := p.remoteRun(cmd.Context(), args[0], *store)
			run := remote.Run
			if !is && err == nil {
				run, err = readStoredRun(args[0])
			}
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

func (p *program) baselinePinCommand(store *string) *cobra.Command {
	return &cobra.Command{
		Use:   "pin FILE|ADDRESS",
		Short: "Make a stored run the anchor of its baseline",
		Long: `Pin copies a stored run to pinned.bench beside it, or has the pointer of a remote store
name it as the pinned one. Every later run is compared with it as well, with a wider
tolerance, so that small steps do not creep past the others. It moves only when somebody
pins another.

The runs of a remote store are listed by latgate baseline list --runs.`,
		Example: `  latgate baseline pin testdata/latgate/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab.bench
  latgate baseline pin s3://acme-latency/app/runs/TestLatencyChat/all@9f3c1a2b/2026-11-20T031705Z-4f1c2ab-9f86d081884c7d65.bench`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			remote, is, err := p.remoteRun(cmd.Context(), args[0], *store)
			var pinned string
			switch {
			case err != nil:
			case is:
				pinned, err = remote.store.Pin(remote.Run)
				err = storeFailed(err)
			default:
				pinned, err = pinFile(args[0])
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, plain(pinned))
			return printed(err)
		},
	}
}

// pinFile pins the run in a file beside it.
func pinFile(name string) (string, error) {
	run, err := readStoredRun(name)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	store := baseline.Dir(filepath.Dir(filepath.Dir(filepath.Dir(path))))
	if filepath.Dir(path) != store.Location(run.Key) {
		return "", fmt.Errorf("%s: by its key it belongs in %s: it was moved, or renamed", name, store.Location(run.Key))
	}
	pinner, ok := store.(baseline.Pinner)
	if !ok {
		return "", errors.New("this store pins nothing")
	}
	pinned, err := pinner.Pin(run)
	if err != nil {
		return "", &exitError{exitInternal, err}
	}
	return pinned, nil
}

func (p *program) baselinePruneCommand(store *string) *cobra.Command {
	var keep int
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "prune [DIRECTORY|ADDRESS]",
		Short: "Drop the oldest runs of each baseline",
		Long: `Prune deletes the oldest runs of each key below a directory until --keep are left. The
pinned run stays. A gate that compares with too few runs knows nothing of the variation
between them: five are wanted.

Nothing of a remote store is deleted. There the oldest runs are no longer compared with,
and can still be read, by latgate history, too. One that was changed or removed can go
this way.`,
		Example: `  latgate baseline prune --keep 5 --dry-run internal/chat/testdata/latgate
  latgate baseline prune --keep 5 --store s3://acme-latency/github.com/acme/app`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positive(cmd.Flags(), "keep"); err != nil {
				return err
			}
			name, err := p.namedStore(args, *store, ".")
			if err != nil {
				return err
			}
			if isRemote(name) {
				return p.pruneRemote(cmd.Context(), name, keep, dryRun)
			}
			files, err := runFiles(name)
			if err != nil {
				return err
			}
			byDir := make(map[string][]string)
			for _, file := range files {
				if filepath.Base(file) != baseline.PinnedFile {
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
