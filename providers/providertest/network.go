package providertest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	step = 10 * time.Millisecond // from one read to the next

	// patience is how long a connection that is held open stays so. A target that
	// waits for its end is thereby told from one that does not.
	patience = time.Hour
)

// A script is what the network does with a request.
type script struct {
	refuse bool // the connection
	mute   bool // no response head comes

	status int
	header http.Header
	reads  [][]byte // one comes each step
	end    error    // after the last read; nil holds the connection open
}

// script sends the reply in its pieces, and then ends the body.
func (r Reply) script() script {
	s := script{status: r.status(), header: r.header(), end: io.EOF}
	for _, piece := range r.Pieces {
		s.reads = append(s.reads, []byte(piece))
	}
	return s
}

// split sends the same bytes so many a read. Zero sends them all in one, when the
// last would have come.
func (s script) split(bytesPerRead int) script {
	body := bytes.Join(s.reads, nil)
	if bytesPerRead == 0 {
		s.reads = append(make([][]byte, len(s.reads)-1, len(s.reads)), body)
		return s
	}
	s.reads = nil
	for len(body) > 0 {
		n := min(bytesPerRead, len(body))
		s.reads = append(s.reads, body[:n])
		body = body[n:]
	}
	return s
}

// gzipped compresses the body and flushes after each piece.
func (s script) gzipped() script {
	s.header = s.header.Clone()
	s.header.Set("Content-Encoding", "gzip")
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	var reads [][]byte
	for i, piece := range s.reads {
		_, _ = z.Write(piece) // a buffer takes everything
		_ = z.Flush()
		if i == len(s.reads)-1 {
			_ = z.Close()
		}
		reads = append(reads, bytes.Clone(out.Bytes()))
		out.Reset()
	}
	s.reads = reads
	return s
}

// cutAfter ends the body with err after so many reads.
func (s script) cutAfter(reads int, err error) script {
	s.reads, s.end = s.reads[:reads], err
	return s
}

// A request is one that came over the network.
type request struct {
	method, url string
	body        []byte
}

// A network answers every request with its script.
type network struct {
	script script

	mu       sync.Mutex
	requests []request
}

// client returns a client whose requests go over the network.
func (n *network) client() *http.Client {
	return &http.Client{
		Transport:     n,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// RoundTrip implements [http.RoundTripper].
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	r := request{method: req.Method, url: req.URL.String()}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		r.body = body
	}
	n.mu.Lock()
	n.requests = append(n.requests, r)
	n.mu.Unlock()

	s := n.script
	switch {
	case s.refuse:
		return nil, errRefused
	case s.mute:
		select {
		case <-req.Context().Done():
			return nil, req.Context().Err()
		case <-time.After(patience):
			return nil, errBroken
		}
	}
	return &http.Response{
		Status:     strconv.Itoa(s.status) + " " + http.StatusText(s.status),
		StatusCode: s.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: s.header.Clone(), ContentLength: -1, Request: req,
		Body: &body{ctx: req.Context(), script: s, start: time.Now(), closed: make(chan struct{})},
	}, nil
}

// seen returns the requests so far.
func (n *network) seen() []request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]request(nil), n.requests...)
}

var (
	errBroken = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	errClosed = errors.New("providertest: read of a closed body")
)

// A body comes one read of the script each step.
type body struct {
	ctx    context.Context
	script script
	start  time.Time

	next int    // index of the read to come
	rest []byte // of the one that came last

	close  sync.Once
	closed chan struct{}
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.next == len(b.script.reads) {
			if b.script.end != nil {
				return 0, b.script.end
			}
			if err := b.wait(b.start.Add(patience)); err != nil {
				return 0, err
			}
			return 0, errBroken
		}
		if err := b.wait(b.start.Add(at(b.next))); err != nil {
			return 0, err
		}
		b.rest = b.script.reads[b.next]
		b.next++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// wait returns nil at the moment, and an error when the body is done with before.
func (b *body) wait(moment time.Time) error {
	timer := time.NewTimer(time.Until(moment))
	defer timer.Stop()
	select {
	case <-b.closed:
		return errClosed
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Close implements [io.Closer].
func (b *body) Close() error {
	b.close.Do(func() { close(b.closed) })
	return nil
}

// at is when the read of this index comes, since the request.
func at(read int) time.Duration { return time.Duration(read+1) * step }
