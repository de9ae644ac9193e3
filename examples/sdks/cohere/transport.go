package cohere

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"net/http"
)

// A Transport makes up for two defects of cohere-go v2.15.3.
//
// It makes event streams readable: it leaves out the lines that the SDK does not
// expect to see by themselves, all but those that begin with "data:", and hands each
// of these over when it is whole. It waits for nothing else. Events of more than 2 KB
// the SDK cannot read either way: it does not wait for what its buffer has no room
// for. Replies of other kinds pass through.
//
// And it sends requests whole: the SDK tries again with the request of the first
// attempt, whose body is used up. net/http notices that only where it has sent
// nothing yet, and on a connection that was used before.
type Transport struct {
	Base http.RoundTripper // nil means [http.DefaultTransport]
}

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	if req.GetBody != nil {
		req.Body.Close()
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/event-stream" {
		resp.Body = &dataLines{Closer: resp.Body, lines: bufio.NewReader(resp.Body)}
	}
	return resp, nil
}

// dataLines reads one line of data a call.
type dataLines struct {
	io.Closer
	lines *bufio.Reader
	line  []byte // what is left of one
}

// Read implements [io.Reader].
func (d *dataLines) Read(p []byte) (int, error) {
	for len(d.line) == 0 {
		line, err := d.lines.ReadBytes('\n')
		if bytes.HasPrefix(line, []byte("data:")) {
			d.line = line
			break
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(p, d.line)
	d.line = d.line[n:]
	return n, nil
}
