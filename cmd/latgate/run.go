package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/latgate/latgate/providers"
)

// What the command exits with.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2  // of flags, files or the environment
	exitEndpoint    = 15 // it was down, or refused everything
	exitInterrupted = 130
)

// An exitError is an error that does not mean a wrong use of the command.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// A program is the command and the world it runs in.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	// lookup is os.LookupEnv.
	lookup func(string) (string, bool)

	// terminal returns the size of the terminal that stderr is, or false.
	terminal func() (width, height int, is bool)

	// interrupts returns signals to end, until stop is called.
	interrupts func() (signals <-chan os.Signal, stop func())
}

// run carries out a command line, without the name of the command, and returns what
// to exit with.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{
		stdin: stdin, stdout: stdout, stderr: stderr,
		lookup:     os.LookupEnv,
		terminal:   func() (int, int, bool) { return terminalSize(stderr) },
		interrupts: signals,
	}
	return p.run(ctx, args)
}

func terminalSize(w io.Writer) (width, height int, is bool) {
	file, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(file.Fd()))
	return width, height, err == nil
}

func signals() (<-chan os.Signal, func()) {
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	return received, func() { signal.Stop(received) }
}

func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(p.stderr, "latgate: "+strings.TrimSpace(plain(err.Error())))
	if e, is := errors.AsType[*exitError](err); is {
		return e.code
	}
	return exitUsage
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "latgate",
		Short: "Measure the latency of language-model endpoints",
		Long: `latgate measures the latency of language-model endpoints: the time to the first
token, the gaps between tokens, tokens per second, and how requests fail.

It exits with 0, with 1 after a failure of its own, with 2 where it was called or
set up in a wrong way, and with 130 when it was interrupted. What is judged ends by
cause: 10 regression, 11 absolute budget, 12 baseline missing, 13 incomparable,
14 inconclusive, 15 the endpoint failed (or this machine, in selfcheck), 16 tampered,
17 a replay was asked for what was not recorded.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(p.profileCommand(), p.runCommand(), p.gateCommand(), p.benchstatCommand(), p.mergeCommand(), p.verifyCommand(new(string)), p.acceptCommand(), p.baselineCommand(), p.compareCommand(), p.serveCommand(), p.abCommand(), p.historyCommand(), p.calibrateCommand(), p.reportCommand(), p.commentCommand(), p.selfCheckCommand(), p.showCommand(), p.versionCommand())
	root.AddCommand(p.recordCommand(), p.replayCommand(), p.importCommand())
	return root
}

// plain makes each line of a text harmless to a terminal: it may quote what an
// endpoint, a file or a user said.
func plain(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = providers.Inert(line)
	}
	return strings.Join(lines, "\n")
}

// printed turns a failure to write the command's own output into one to exit with.
func printed(err error) error {
	if err != nil {
		return &exitError{exitInternal, err}
	}
	return nil
}
