package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/latencytest"
)

type importFlags struct {
	out, name string
	ttft, gap time.Duration
	redact    bool

	profile string // the first flag of times that was given, "" for none
}

func (p *program) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE --out FILE.cassette.jsonl",
		Short: "Turn a recording of another tool, or a sample file, into a cassette",
		Long: `Import reads HAR 1.2, as browsers and proxies write it, and the YAML or JSON of VCR.py,
Ruby's VCR and go-vcr, and writes a cassette: without keys, tokens and account ids, and
with --redact without any text.

Such files rarely know when each event of a stream came. Times that they lack are made
up from --ttft and --gap, or spread evenly; the cassette says so, and a gate on times
refuses it: it would judge what was made up.

It reads latgate's own sample files as well, which hold the times of each request and
neither prompts nor replies. Times, tokens and events are the measured ones then, and
what was said is made up: an endpoint that was measured once can be replayed, for load
that arrives as it did or as a realistic endpoint of others. A gate on times refuses that,
too. Requests match by their path, whatever they ask. Those that failed, those of several
calls and the warm-up are left out.`,
		Example: `  latgate import tests/cassettes/chat.yaml --out chat.cassette.jsonl
  latgate import session.har --out session.cassette.jsonl --redact
  latgate import chat.yaml --out chat.cassette.jsonl --ttft 400ms --gap 20ms
  latgate import testdata/latgate/TestLatencyChat/latest.samples.jsonl --out chat.cassette.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, flag := range []string{"ttft", "gap"} {
				if cmd.Flags().Changed(flag) && f.profile == "" {
					f.profile = flag
				}
			}
			return p.importFile(f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.out, "out", "", "the `file` to write; compressed where its name ends in .gz")
	flags.StringVar(&f.name, "name", "", "what the recording is `called`; the name of the file without --name")
	flags.DurationVar(&f.ttft, "ttft", 400*time.Millisecond, "the `time` to the first event where none is known")
	flags.DurationVar(&f.gap, "gap", 20*time.Millisecond, "the `time` between events where none is known")
	flags.BoolVar(&f.redact, "redact", false, "replace all text by filler of the same shape")
	return cmd
}

func (p *program) importFile(f importFlags, file string) error {
	if f.out == "" {
		return errors.New("--out: say where to write, as in --out answer.cassette.jsonl")
	}
	rec := cassette.Recording{Name: cassetteName(f.name, f.out), Redact: f.redact}
	samples, err := isSampleFile(file)
	if err != nil {
		return err
	}
	var recording *cassette.Cassette
	if samples {
		recording, err = p.importSamples(f, file, rec)
	} else {
		recording, err = convert.File(file, convert.Profile{TTFT: f.ttft, Gap: f.gap}, rec)
	}
	if err != nil {
		return err
	}
	if err := cassette.Write(f.out, recording); err != nil {
		return &exitError{exitInternal, err}
	}
	text := fmt.Sprintf("%d interactions from %s in %s\n", recording.Len(), recording.Header.Source, f.out)
	if left := recording.Header.Provenance[convert.LeftOut]; left != "" {
		text += "left out: " + left + "\n"
	}
	if reason, made := recording.Synthesised(); made {
		text += "times: " + reason + "\n"
	}
	_, err = fmt.Fprint(p.stdout, plain(text))
	return printed(err)
}

// isSampleFile reports whether a file begins as latgate's samples do.
func isSampleFile(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	start := make([]byte, 64)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return bytes.HasPrefix(start[:n], []byte(`{"run":`)), nil
}

// importSamples reads a sample file, that of a run which was killed as far as it goes.
func (p *program) importSamples(f importFlags, file string, rec cassette.Recording) (*cassette.Cassette, error) {
	if f.profile != "" {
		return nil, fmt.Errorf("--%s: %s is a sample file, which holds the times of its requests: leave the flag out", f.profile, file)
	}
	res, err := latencytest.Load(file)
	switch {
	case err != nil && (res == nil || !errors.Is(err, latencytest.ErrInterrupted)):
		return nil, err
	case err != nil:
		fmt.Fprintln(p.stderr, "latgate: "+plain(err.Error()))
	}
	recording, err := convert.Samples(res, fakes.Script{}, rec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return recording, nil
}

// cassetteName is what a recording is called: by its file where no name was given.
func cassetteName(name, file string) string {
	if name != "" {
		return name
	}
	name = filepath.Base(file)
	for _, suffix := range []string{".gz", ".jsonl", ".cassette"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}
