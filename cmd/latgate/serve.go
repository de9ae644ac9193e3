package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/fakes"
)

// fakeProtocols are the fakes that can be served.
var fakeProtocols = []struct {
	name, provider string
	handler        func(fakes.Script) http.Handler
	path           string // that a client's base URL ends with
}{
	{"openai", "openai", fakes.OpenAI, "/v1"},
	{"anthropic", "anthropic", fakes.Anthropic, ""},
	{"bedrock", "bedrock", fakes.Bedrock, ""},
	{"cohere", "cohere", fakes.Cohere, ""},
	{"gemini", "gemini", fakes.Gemini, "/v1beta"},
	{"ollama", "ollama", fakes.Ollama, ""},
	{"sagemaker", "sagemaker", func(s fakes.Script) http.Handler { return fakes.SageMaker(s, fakes.Container{}) }, ""},
	{"tgi", "tgi", fakes.TGI, ""},
}

func protocolNames() []string {
	var names []string
	for _, f := range fakeProtocols {
		names = append(names, f.name)
	}
	return names
}

// fakeFaults are what --fault can name.
var fakeFaults = map[string]fakes.Effect{
	"throttle": fakes.Refuse{Exception: fakes.Throttling},
	"error":    fakes.Refuse{Exception: fakes.InternalServer},
	"hang":     fakes.Hang{},
	"cut":      fakes.Cut{After: 3},
	"stall":    fakes.Stall{At: 3, For: 2 * time.Second},
	"empty":    fakes.Empty{},
	"no-usage": fakes.NoUsage{},
}

type serveFlags struct {
	protocol, listen         string
	ttft, gap                time.Duration
	spread, gapSpread        float64
	tokens, perChunk         int
	reasoning, toolCalls     int
	seed                     uint64
	session, slowdown, tails float64
	faults                   []string
}

func (p *program) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a fake endpoint on this machine",
		Long: `Serve answers as a language-model endpoint does, with times that are known: to try a
gate out, or a client. It listens on the loopback interface until it is interrupted. No
request is checked for a key.

Times to the first token are log-normal: --ttft is their median, and --ttft-spread the
standard deviation of their logarithm, as real endpoints have .2 to .6. Faults are given
with the share of requests that they hit: throttle, error, hang, cut, stall (2 s), empty
and no-usage.`,
		Example: `  latgate serve
  latgate serve --protocol anthropic --listen 127.0.0.1:8081 --ttft 400ms --ttft-spread 0.35 --gap 20ms --tokens 200
  latgate serve --protocol bedrock --slowdown 1.3 --fault throttle=0.05 --fault stall=0.01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.protocol, "protocol", "openai", "the `protocol`: "+strings.Join(protocolNames(), ", "))
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "the loopback `address`; port 0 takes any that is free")
	flags.DurationVar(&f.ttft, "ttft", 300*time.Millisecond, "the median `time` to the first token")
	flags.Float64Var(&f.spread, "ttft-spread", .3, "how far these `spread`; 0 is not at all")
	flags.DurationVar(&f.gap, "gap", 20*time.Millisecond, "the median `time` between events")
	flags.Float64Var(&f.gapSpread, "gap-spread", .25, "how far these `spread`")
	flags.IntVar(&f.tokens, "tokens", 64, "output `tokens` of an answer")
	flags.IntVar(&f.perChunk, "tokens-per-chunk", 1, "`tokens` of an event")
	flags.IntVar(&f.reasoning, "reasoning", 0, "`events` that think before the text")
	flags.IntVar(&f.toolCalls, "tool-calls", 0, "tool `calls` after the text")
	flags.Uint64Var(&f.seed, "seed", 1, "of all that is random")
	flags.Float64Var(&f.session, "session", 0, "the standard deviation of the logarithm of the whole session's `weather`")
	flags.Float64Var(&f.slowdown, "slowdown", 1, "the `factor` that all takes longer by")
	flags.Float64Var(&f.tails, "tail", 1, "the `factor` that the slowest tenth takes longer by")
	flags.StringArrayVar(&f.faults, "fault", nil, "what goes wrong, and how often, as in `NAME=SHARE`; may be given several times")
	choices(cmd, "protocol", protocolNames()...)
	return cmd
}

// script is what the fake does.
func (f serveFlags) script() (fakes.Script, error) {
	s := fakes.Script{
		Seed: f.seed, OutputTokens: f.tokens, TokensPerChunk: f.perChunk, Reasoning: f.reasoning, ToolCalls: f.toolCalls, Session: f.session,
	}
	switch {
	case f.ttft < 0 || f.gap < 0:
		return s, errors.New("--ttft, --gap: want 0 or more")
	case !(f.spread >= 0) || !(f.gapSpread >= 0) || !(f.session >= 0):
		return s, errors.New("--ttft-spread, --gap-spread, --session: want 0 or more")
	case !(f.slowdown > 0) || !(f.tails >= 1) || f.slowdown > 1e6 || f.tails > 1e6:
		return s, errors.New("--slowdown: want more than 0; --tail: want 1 or more")
	case min(f.tokens, f.perChunk) < 1 || min(f.reasoning, f.toolCalls) < 0:
		return s, errors.New("--tokens, --tokens-per-chunk: want 1 or more; --reasoning, --tool-calls: want 0 or more")
	}
	around := func(median time.Duration, spread float64) fakes.Dist {
		if median == 0 {
			return fakes.Constant(0)
		}
		return fakes.Scale(fakes.Lognormal(median, spread), f.slowdown)
	}
	s.TTFT, s.Gap = fakes.StretchTail(around(f.ttft, f.spread), f.tails), around(f.gap, f.gapSpread)
	for _, fault := range f.faults {
		name, text, _ := strings.Cut(fault, "=")
		effect, known := fakeFaults[name]
		often, err := strconv.ParseFloat(text, 64)
		if !known || err != nil || !(often > 0 && often <= 1) {
			return s, fmt.Errorf("--fault: want one of throttle, error, hang, cut, stall, empty, no-usage and its share of the requests, as in throttle=0.05, got %q", fault)
		}
		s.Faults = append(s.Faults, fakes.Fault{On: fakes.Share(often), Effect: effect})
	}
	return s, nil
}

func (p *program) serve(ctx context.Context, f serveFlags) error {
	i := slices.Index(protocolNames(), f.protocol)
	if i < 0 {
		return fmt.Errorf("--protocol: want one of %s, got %q", strings.Join(protocolNames(), ", "), f.protocol)
	}
	script, err := f.script()
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen: want a loopback address, such as 127.0.0.1:8080, got %q: a fake is for this machine alone", f.listen)
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	gentle, _, stop := p.interruptible(ctx, func() {})
	defer stop()
	fake := fakeProtocols[i]
	server := &http.Server{Handler: fake.handler(script), ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(gentle, func() { server.Close() })()
	_, err = fmt.Fprintf(p.stdout, "A fake of %s listens on http://%s%s\n", fake.name, listener.Addr(), fake.path)
	if err != nil {
		return printed(errors.Join(err, listener.Close()))
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return &exitError{exitInternal, err}
	}
	return nil
}
