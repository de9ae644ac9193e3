package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

type recordFlags struct {
	listen, upstream, name string
	redact                 bool
}

func (p *program) recordCommand() *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use:   "record --upstream URL FILE",
		Short: "Record what clients in any language ask of an endpoint, and what it answers",
		Long: `Record is a reverse proxy that passes requests on to an endpoint, with the keys that
they carry, and streams back as they come. What was asked, what came back and when is
written to a cassette at the end, an interrupt (Ctrl-C): whole or not at all. Until then
it is a .partial file beside its place. The base URL is the only line of the standard
output.

Keys, tokens, signatures and account ids are never written. --redact replaces all text
as well, which is wanted where users' own text is on the wire.

What signs its requests for a host, as AWS's SDKs do, cannot be recorded like this: record
it with -latgate.record in a Go test, or use a bearer token.

It exits with 0, with 1 where an exchange could not be recorded, and with 2 where nothing
was recorded.`,
		Example: `  # for an application that is told where its endpoint is, by
  # OPENAI_BASE_URL=http://127.0.0.1:8080/v1
  latgate record --upstream https://api.openai.com answer.cassette.jsonl

  # without what users and the model wrote
  latgate record --upstream https://api.anthropic.com --redact answer.cassette.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.record(cmd.Context(), f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "the `address` to listen at; port 0 is any that is free")
	flags.StringVar(&f.upstream, "upstream", "", "the `URL` of the endpoint, as in https://api.openai.com")
	flags.StringVar(&f.name, "name", "", "what the recording is `called`; the name of the file without --name")
	flags.BoolVar(&f.redact, "redact", false, "replace all text by filler of the same shape")
	return cmd
}

func (p *program) record(ctx context.Context, f recordFlags, file string) error {
	upstream, err := url.Parse(f.upstream)
	if err != nil || (upstream.Scheme != "https" && upstream.Scheme != "http") || upstream.Host == "" ||
		upstream.User != nil || upstream.RawQuery != "" || upstream.Fragment != "" {
		return errors.New("--upstream: want http:// or https://, a host, and a path at most, as in https://api.openai.com")
	}
	recorder, err := cassette.Create(file, cassette.Recording{Name: cassetteName(f.name, file), Redact: f.redact})
	if err != nil {
		return err
	}
	told := &journal{out: p.stderr}
	proxy := newRecordingProxy(upstream, recorder, told)
	defer proxy.network.CloseIdleConnections()
	if err := p.listen(ctx, f.listen, proxy, told); err != nil {
		return errors.Join(err, recorder.Close()) // which discards a file without exchanges
	}
	recorded, failed := proxy.result()
	if err := recorder.Close(); err != nil {
		return err
	}
	told.say("%d exchanges recorded in %s", recorded, file)
	if failed > 0 {
		return &exitError{exitInternal, fmt.Errorf("%d exchanges could not be recorded, see above", failed)}
	}
	return nil
}

// A recordingProxy passes requests on and adds each exchange to a recording when it has
// ended.
type recordingProxy struct {
	recorder *cassette.Recorder
	network  *http.Transport
	proxy    *httputil.ReverseProxy
	told     *journal

	mu               sync.Mutex
	number           int // of the next request
	recorded, failed int
}

func newRecordingProxy(upstream *url.URL, recorder *cassette.Recorder, told *journal) *recordingProxy {
	network := http.DefaultTransport.(*http.Transport).Clone()
	network.DisableCompression = true // only what the client asks for
	network.MaxIdleConnsPerHost = 100
	p := &recordingProxy{recorder: recorder, network: network, told: told}
	p.proxy = &httputil.ReverseProxy{
		Transport:     &wire.Transport{Base: recorder.Transport(network)},
		FlushInterval: -1, // after each read
		ErrorLog:      log.New(told, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream) // and with it the Host header
			accept(r.Out.Header)
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("X-Latgate-Recorded")
			return nil
		},
	}
	return p
}

// accept leaves a request only the encodings that a recording can be undone of.
func accept(h http.Header) {
	if len(h["Accept-Encoding"]) == 0 {
		return
	}
	var left []string
	for encoding := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(encoding), ";")
		if slices.Contains([]string{"gzip", "x-gzip", "deflate", "identity"}, strings.ToLower(name)) {
			left = append(left, strings.TrimSpace(encoding))
		}
	}
	if len(left) == 0 {
		left = []string{"identity"}
	}
	h.Set("Accept-Encoding", strings.Join(left, ", "))
}

// ServeHTTP implements [http.Handler].
func (p *recordingProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	capture := wire.NewCapture(p.number)
	p.number++
	p.mu.Unlock()
	defer func() { // also when the copying of a stream that breaks off panics
		for _, x := range capture.Exchanges() {
			p.add(x)
		}
	}()
	p.proxy.ServeHTTP(w, r.WithContext(capture.Context(r.Context())))
}

func (p *recordingProxy) add(x *wire.Exchange) {
	err := p.recorder.Add(x)
	p.mu.Lock()
	if err == nil {
		p.recorded++
	} else {
		p.failed++
	}
	p.mu.Unlock()
	if err != nil {
		p.told.say("%v", err)
		return
	}
	took, _ := x.End.Get()
	p.told.say("%s %s: %d, %d reads, %v, %s", x.Method, x.Path, x.Status, len(x.Marks), took.Round(time.Millisecond), x.Ending)
}

func (p *recordingProxy) result() (recorded, failed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.recorded, p.failed
}
