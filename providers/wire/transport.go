package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultMaxBody is the largest reply a zero [Transport] keeps, in bytes.
const DefaultMaxBody = 64 << 20

// A Transport is an [http.RoundTripper] that records every exchange made under
// a [Capture]'s context. Other requests pass through untouched, and those of an
// operation that has ended fail with [ErrOperationEnded].
//
// It changes two things about the request, on a clone: Accept-Encoding is set to
// identity unless the caller set one (a compressing hop that does not flush
// delivers the whole stream at its end), and a body that is not simply in memory is
// wrapped so that only its Read is visible. The latter is what makes measuring a fast endpoint
// reliable: smithy-go closes its request body as soon as the response head is
// there, its WriteTo then returns io.EOF as an error, and net/http kills the
// live connection for it.
//
// Only the request headers that tell attempts apart are kept; credentials never
// enter an [Exchange].
//
// The zero Transport is ready to use. A Transport is safe for concurrent use.
type Transport struct {
	// Base makes the requests. Nil means a clone of http.DefaultTransport that
	// keeps as many idle connections a host as there were in use at once, up to
	// 16384: with the default two a burst of requests dials anew and measures
	// handshakes.
	Base http.RoundTripper

	// MaxBody bounds the bytes kept of one reply; beyond it the reply is cut with
	// [ErrBodyTooLarge]. Zero means [DefaultMaxBody].
	MaxBody int64

	// Detach, where not nil, says of which responses the caller gets an empty
	// body while the real one is captured in the background. It is for callers
	// that do not read the reply themselves: an SDK's own decoding would cost
	// time and hold the stream back.
	Detach func(*http.Response) bool

	// Terminal, where not nil, is asked of each response for a function that
	// reports whether the body so far holds its protocol's terminal event; nil
	// means that none is known. The function is called after each read, with all
	// that has been read, until it returns true. From then on the server has 250 ms,
	// and as long again after each further read, to end the body itself, which
	// keeps the connection fit for reuse; otherwise the stream ends there, with
	// [EndTerminal]. It is for callers that would wait for an end that some
	// servers do not send, as detached ones do.
	//
	// The function is called between two reads, so it must be quick: it should
	// keep in mind how far it has looked, as those of SSEEnd and LinesEnd do. It must
	// not keep or change the bytes: their memory serves other streams later.
	Terminal func(*http.Response) func(body []byte) bool

	once sync.Once
	base http.RoundTripper
}

func (t *Transport) roundTripper() http.RoundTripper {
	t.once.Do(func() {
		t.base = t.Base
		if t.base != nil {
			return
		}
		t.base = http.DefaultTransport
		if shared, ok := http.DefaultTransport.(*http.Transport); ok {
			own := shared.Clone()
			own.MaxIdleConns = 0
			own.MaxIdleConnsPerHost = 16384
			t.base = own
		}
	})
	return t.base
}

// CloseIdleConnections closes the idle connections of the base transport.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.roundTripper().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	capture := CaptureOf(ctx)
	if capture == nil {
		return t.roundTripper().RoundTrip(req)
	}
	x, err := capture.begin()
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	clock := &phaseClock{call: x.Call}
	out, sent := instrumented(req, clock)
	out.Close = out.Close || capture.DialAnew // no connection is kept, so none is found
	describe(x, req)

	base := t.roundTripper()
	if capture.Below != nil {
		base = capture.Below(base)
	}
	resp, err := base.RoundTrip(out)
	headAt := At(time.Since(x.Call))
	if err != nil {
		x.Phases = clock.read(Instant{})
		x.RequestBytes = sent.Load()
		x.End, x.Ending, x.Err = headAt, EndNoReply, err
		if why := done(ctx); why != nil {
			x.Ending = EndContext
			if !errors.Is(err, why) {
				x.Err = fmt.Errorf("%w: %w", why, err)
			}
		}
		capture.end()
		return nil, err
	}
	x.Proto, x.Status, x.Uncompressed = resp.Proto, resp.StatusCode, resp.Uncompressed
	x.Header = resp.Header.Clone()
	x.Header.Del("Set-Cookie")

	maximum := t.MaxBody
	if maximum <= 0 {
		maximum = DefaultMaxBody
	}
	p := newPump(resp.Body, x.Call, maximum)
	if t.Terminal != nil {
		p.terminal = t.Terminal(resp)
	}
	go func() {
		defer capture.end()
		p.run(ctx)
		x.Body, x.Marks = p.keep()
		x.End, x.Ending = p.end, p.ending
		switch p.ending {
		case EndEOF, EndClosed, EndTerminal:
		default:
			x.Err = p.err
		}
		x.Phases = clock.read(headAt)
		x.RequestBytes = sent.Load()
	}()

	resp.Body = &pumpedBody{pump: p}
	if t.Detach != nil && t.Detach(resp) {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// instrumented clones req for the network: traced, its body counted and reduced
// to Read, uncompressed replies asked for.
func instrumented(req *http.Request, clock *phaseClock) (*http.Request, *atomic.Int64) {
	sent := new(atomic.Int64)
	out := req.Clone(httptrace.WithClientTrace(req.Context(), clock.trace()))
	if out.Header == nil {
		out.Header = make(http.Header)
	}
	if out.Header.Get("Accept-Encoding") == "" {
		out.Header.Set("Accept-Encoding", "identity")
	}
	switch body := inMemory(req); {
	case body != nil:
		out.Body = body
		sent.Store(req.ContentLength)
	case req.Body != nil && req.Body != http.NoBody:
		out.Body = &countedBody{body: req.Body, sent: sent}
		if again := req.GetBody; again != nil {
			out.GetBody = func() (io.ReadCloser, error) {
				body, err := again()
				if err != nil {
					return nil, err
				}
				sent.Store(0)
				return &countedBody{body: body, sent: sent}, nil
			}
		}
	}
	return out, sent
}

// inMemory returns the body of a request whose body lies in memory as net/http
// knows it, nil for any other. Such a body is sent together with the head, and sent
// again on another connection where the one from the pool turns out to be dead; a
// body that was wrapped is sent after the head, and would be lost.
func inMemory(req *http.Request) io.ReadCloser {
	if req.Body == nil || req.GetBody == nil || req.ContentLength <= 0 {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	if kind := reflect.TypeOf(body); kind != plainBody && kind != writingBody {
		body.Close()
		return nil
	}
	req.Body.Close() // nothing reads it any more
	return body
}

// The types of body that http.NewRequest makes of a reader in memory.
var (
	plainBody   = reflect.TypeOf(io.NopCloser(struct{ io.Reader }{}))
	writingBody = reflect.TypeOf(io.NopCloser(new(bytes.Reader)))
)

type countedBody struct {
	body io.ReadCloser
	sent *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.sent.Add(int64(n))
	return n, err
}

func (b *countedBody) Close() error { return b.body.Close() }

// keptHeaders tell the attempts of one SDK call apart and name the client. An
// allow-list, because nobody can list every name a credential travels under.
var keptHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Type", "User-Agent",
	"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Stainless-Retry-Count",
}

func describe(x *Exchange, req *http.Request) {
	x.Method, x.Host, x.Path = req.Method, req.URL.Host, req.URL.EscapedPath()
	if req.Host != "" {
		x.Host = req.Host
	}
	x.RequestHeader = make(http.Header)
	for _, name := range keptHeaders {
		if values := req.Header.Values(name); len(values) > 0 {
			x.RequestHeader[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
		}
	}
}

// Wait blocks until no exchange under ctx is open any more, for callers that
// gave up reading (see [Transport.Detach]). The operation may go on with further
// requests. Without a capture Wait returns at once.
func Wait(ctx context.Context) {
	if c := CaptureOf(ctx); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waitLocked()
	}
}
