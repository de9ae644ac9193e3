package cassette

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/latgate/latgate/providers/wire"
)

// requestHeader ties a reply to the request it is for, on the way to [Recorder.Add].
const requestHeader = "X-Latgate-Recorded"

// Transport returns a transport that makes its requests with base, and keeps the
// bodies and queries of those that a [wire.Capture] records. It goes below the
// capturing transport, as its Base:
//
//	client := &http.Client{Transport: &wire.Transport{Base: recorder.Transport(http.DefaultTransport)}}
//
// Nil means a clone of http.DefaultTransport that keeps its connections, as a
// [wire.Transport] without a Base has. Each reply carries one header more,
// X-Latgate-Recorded. Requests go out as they are.
func (r *Recorder) Transport(base http.RoundTripper) http.RoundTripper {
	if shared, ok := http.DefaultTransport.(*http.Transport); base == nil && ok {
		own := shared.Clone()
		own.MaxIdleConns = 0
		own.MaxIdleConnsPerHost = 16384
		base = own
	} else if base == nil {
		base = http.DefaultTransport
	}
	return &recordingTransport{recorder: r, base: base}
}

type recordingTransport struct {
	recorder *Recorder
	base     http.RoundTripper
}

// CloseIdleConnections closes the idle connections of the base transport.
func (t *recordingTransport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (t *recordingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if wire.CaptureOf(req.Context()) == nil {
		return t.base.RoundTrip(req)
	}
	sample, _ := wire.SampleNumber(req.Context())
	sent := &sentRequest{sample: sample, query: req.URL.RawQuery, header: make(http.Header)}
	for name, values := range req.Header {
		if slices.Contains(requestHeaders, name) || slices.Contains(t.recorder.redactor.matching.headers(), name) {
			sent.header[name] = slices.Clone(values)
		}
	}
	req = sent.watch(req)
	t.recorder.requests.add(sent)
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, &recordedError{error: err, order: sent.order}
	}
	if resp.Header == nil {
		resp.Header = make(http.Header)
	}
	resp.Header.Set(requestHeader, strconv.FormatInt(sent.order, 10))
	return resp, nil
}

// A recordedError is the failure of a request that was kept.
type recordedError struct {
	error
	order int64
}

func (e *recordedError) Unwrap() error { return e.error }

// Timeout and Temporary are asked by net/http of the error itself.
func (e *recordedError) Timeout() bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.error)
	return ok && t.Timeout()
}

// Temporary is as outdated as it is asked for.
func (e *recordedError) Temporary() bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](e.error)
	return ok && t.Temporary()
}

// A requestLog holds the requests whose exchanges have not been added yet.
type requestLog struct {
	mu   sync.Mutex
	next int64
	sent map[int64]*sentRequest
}

func (l *requestLog) add(s *sentRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil {
		l.sent = make(map[int64]*sentRequest)
	}
	s.order = l.next
	l.next++
	l.sent[s.order] = s
}

// take returns the request of an exchange, nil where it is not known.
func (l *requestLog) take(x *wire.Exchange) *sentRequest {
	order, err := strconv.ParseInt(x.Header.Get(requestHeader), 10, 64)
	if failed := (*recordedError)(nil); err != nil && errors.As(x.Err, &failed) {
		order, err = failed.order, nil
	}
	if err != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sent[order]
	delete(l.sent, order)
	return s
}

// complete adds to an interaction what is known of its request, and returns its place
// among all.
func (l *requestLog) complete(i *Interaction, x *wire.Exchange) (order int64) {
	s := l.take(x)
	if s == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.next++
		return l.next - 1
	}
	i.Sample = s.sample
	i.Request.Query, i.Request.Body = s.query, s.sent()
	header := i.Request.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	for name, values := range s.header {
		header[name] = values
	}
	i.Request.Header = header
	return s.order
}

// A sentRequest is what the transport below the capture sees of a request.
type sentRequest struct {
	order  int64
	sample int
	query  string
	header http.Header

	mu   sync.Mutex
	body []byte
}

// sent returns the body, as far as it was sent.
func (s *sentRequest) sent() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte{}, s.body...)
}

// watch returns the request with a body that is kept as it is read. Bodies that lie in
// memory are read beforehand, and stay what they are: net/http treats them better.
func (s *sentRequest) watch(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if kind := reflect.TypeOf(req.Body); req.GetBody != nil && (kind == plainBody || kind == writingBody) {
		if body, err := req.GetBody(); err == nil {
			s.body, _ = io.ReadAll(body)
			body.Close()
			return req
		}
	}
	out := *req
	out.Body = &watchedBody{ReadCloser: req.Body, request: s}
	if again := req.GetBody; again != nil {
		out.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			s.mu.Lock()
			s.body = nil
			s.mu.Unlock()
			return &watchedBody{ReadCloser: body, request: s}, nil
		}
	}
	return &out
}

// The types of body that http.NewRequest makes of a reader in memory.
var (
	plainBody   = reflect.TypeOf(io.NopCloser(struct{ io.Reader }{}))
	writingBody = reflect.TypeOf(io.NopCloser(new(bytes.Reader)))
)

type watchedBody struct {
	io.ReadCloser
	request *sentRequest
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.request.mu.Lock()
	b.request.body = append(b.request.body, p[:n]...)
	b.request.mu.Unlock()
	return n, err
}
