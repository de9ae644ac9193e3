package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
)

type importFlags struct {
	out, name string
	ttft, gap time.Duration
	redact    bool
}

func (p *program) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE --out FILE.cassette.jsonl",
		Short: "Turn a recording of another tool into a cassette",
		Long: `Import reads HAR 1.2, as browsers and proxies write it, and the YAML or JSON of VCR.py,
Ruby's VCR and go-vcr, and writes a cassette: without keys, tokens and account ids, and
with --redact without any text.

Such files rarely know when each event of a stream came. Times that they lack are made
up from --ttft and --gap, or spread evenly; the cassette says so, and a gate on times
refuses it: it would judge what was made up.`,
		Example: `  latgate import tests/cassettes/chat.yaml --out chat.cassette.jsonl
  latgate import session.har --out session.cassette.jsonl --redact
  latgate import chat.yaml --out chat.cassette.jsonl --ttft 400ms --gap 20ms`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.importRecording(f, args[0])
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

func (p *program) importRecording(f importFlags, file string) error {
	if f.out == "" {
		return errors.New("--out: say where to write, as in --out answer.cassette.jsonl")
	}
	recording, err := convert.File(file, convert.Profile{TTFT: f.ttft, Gap: f.gap},
		cassette.Recording{Name: cassetteName(f.name, f.out), Redact: f.redact})
	if err != nil {
		return err
	}
	if err := cassette.Write(f.out, recording); err != nil {
		return &exitError{exitInternal, err}
	}
	text := fmt.Sprintf("%d interactions from %s in %s\n", recording.Len(), recording.Header.Source, f.out)
	if reason, made := recording.Synthesised(); made {
		text += "times: " + reason + "\n"
	}
	_, err = fmt.Fprint(p.stdout, plain(text))
	return printed(err)
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
