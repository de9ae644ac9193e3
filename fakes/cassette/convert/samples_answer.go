package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// An answer is what a fake said, write by write.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	ends    []int64 // of the writes
	ending  wire.Ending
	failure string // why reading it would have failed

	content  []piece // in order
	visible  int     // the first piece that does not reason; −1 for none
	complete bool    // no fault ended it
	expected int     // pieces, were it complete
}

// A piece is a write that holds content.
type piece struct {
	write   int
	channel providers.Channel // the first in it
}

var (
	_ http.ResponseWriter = (*answer)(nil)
	_ http.Flusher        = (*answer)(nil)
)

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if len(p) > 0 {
		a.body = append(a.body, p...)
		a.ends = append(a.ends, int64(len(a.body)))
	}
	return len(p), nil
}

// Flush implements [http.Flusher].
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

var errFaultTakesTime = errors.New("Script.Faults: one takes time, as Hang, Stall and the Delay of Refuse do: the samples tell the times; " +
	"leave it to the replay, see cassette.Fault")

// answer asks the protocol's fake as planned for a sample.
func (p *protocol) answer(q question, plan plan, s *latencytest.Sample) (*answer, error) {
	if at := plan.script.Schedule(s.Number, 0); at.Head != 0 || at.End != 0 {
		return nil, errFaultTakesTime
	}
	body, err := json.Marshal(q.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://fake/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL.Path, req.URL.RawQuery = q.asked, q.query
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(wire.SampleHeader, strconv.Itoa(s.Number)) // faults go by it
	a := &answer{header: make(http.Header), ending: wire.EndEOF, expected: plan.events}
	a.serve(p.fake(plan.script), req)
	r, err := p.read(a, q)
	if err != nil {
		return nil, err
	}
	a.serverTimes(r, s)
	if a.complete {
		a.leaveOut(a.surplus(plan))
		a.expected = len(a.content)
	}
	return a, nil
}

// serve has a handler answer. One that breaks the connection off leaves the answer as it
// is by then.
func (a *answer) serve(h http.Handler, req *http.Request) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler:
			a.ending, a.failure = wire.EndFailed, io.ErrUnexpectedEOF.Error()
		default:
			panic(r)
		}
	}()
	h.ServeHTTP(a, req)
}

// read decodes the answer to a question, and finds its content.
func (p *protocol) read(a *answer, q question) (*providers.Response, error) {
	x := &wire.Exchange{
		Method: http.MethodPost, Host: p.host, Path: (&url.URL{Path: q.asked}).EscapedPath(),
		Proto: "HTTP/1.1", Status: a.status, Header: a.header, Body: a.body, Ending: a.ending,
	}
	if a.failure != "" {
		x.Err = io.ErrUnexpectedEOF
	}
	for n, end := range a.ends {
		x.Marks = append(x.Marks, wire.Mark{End: end, At: time.Duration(n)})
	}
	x.End = wire.At(time.Duration(len(a.ends)))
	r := latencytest.Protocols().Decode(x)
	if r.Provider != p.provider || r.API != p.api {
		return nil, fmt.Errorf("the fake of %s %s is not understood as such: %s", p.provider, p.api, providers.Scrub(r.Detail))
	}
	a.complete, a.visible = r.Class == providers.OK, -1
	for _, e := range r.Events {
		if len(a.content) == 0 || a.content[len(a.content)-1].write != e.Read {
			a.content = append(a.content, piece{write: e.Read, channel: e.Channel})
		}
		if a.visible < 0 && e.Channel != providers.Reasoning {
			a.visible = len(a.content) - 1
		}
	}
	return r, nil
}

// serverTimes gives the header the times that the server told of the sample, in place of
// those that the fake told.
func (a *answer) serverTimes(r *providers.Response, s *latencytest.Sample) {
	for _, told := range r.ServerTimes {
		header, metric := told.Name, ""
		if name, is := strings.CutPrefix(told.Name, "server-timing "); is {
			header, metric = "Server-Timing", name+"; dur="
		}
		if a.header.Get(header) == "" {
			continue // it is in the body
		}
		a.header.Del(header)
		k := slices.IndexFunc(s.ServerTimes, func(t providers.ServerTime) bool { return t.Name == told.Name })
		if k >= 0 {
			a.header.Set(header, metric+strconv.FormatFloat(float64(s.ServerTimes[k].Time)/float64(time.Millisecond), 'f', -1, 64))
		}
	}
}

// surplus returns the writes that hold more content than is wanted. Those are text, or
// reasoning, from the last piece but one on; the first, the first visible and the last
// piece stay, as do calls of tools, whose pieces are JSON together.
func (a *answer) surplus(p plan) map[int]bool {
	out := make(map[int]bool)
	tools := slices.ContainsFunc(a.content, func(c piece) bool { return c.channel == providers.Tool })
	for k := len(a.content) - 1; k >= 0; k-- {
		needed := len(a.content)-len(out) <= p.events || k == 0 || k == len(a.content)-1 || k == a.visible && k < p.events-1
		if p.toolsAlone {
			needed = !tools
		}
		if !needed && a.content[k].channel != providers.Tool {
			out[a.content[k].write] = true
		}
	}
	return out
}

// leaveOut takes writes out.
func (a *answer) leaveOut(out map[int]bool) {
	if len(out) == 0 {
		return
	}
	var body []byte
	var ends []int64
	var content []piece
	visible, next, from := -1, 0, int64(0)
	for write, end := range a.ends {
		isContent := next < len(a.content) && a.content[next].write == write
		if !out[write] {
			body = append(body, a.body[from:end]...)
			if isContent {
				if a.visible >= 0 && next >= a.visible && visible < 0 {
					visible = len(content)
				}
				content = append(content, piece{write: len(ends), channel: a.content[next].channel})
			}
			ends = append(ends, int64(len(body)))
		}
		if isContent {
			next++
		}
		from = end
	}
	a.body, a.ends, a.content, a.visible = body, ends, content, visible
}

// refused reports whether the answer is an error as a whole, which comes with the head.
func (a *answer) refused() bool { return a.status >= 300 }

// end returns when the answer ends: one that broke off, when the next piece would have
// come.
func (a *answer) end(t times) time.Duration {
	switch {
	case a.refused():
		return t.head
	case a.complete:
		return t.end
	}
	return t.content(len(a.content), max(a.expected, len(a.content)), a.visible)
}

// reads gives each write its time: what precedes the content that of the first event,
// what is between two pieces that of the later one, what follows that of the end.
func (a *answer) reads(t times) []wire.Mark {
	n := max(a.expected, len(a.content))
	marks := make([]wire.Mark, len(a.ends))
	next := 0
	for write, end := range a.ends {
		at := a.end(t)
		switch {
		case a.refused():
		case next < len(a.content) && next == 0 && a.content[0].write != write:
			at = t.event
		case next < len(a.content):
			at = t.content(next, n, a.visible)
			if a.content[next].write == write {
				next++
			}
		}
		marks[write] = wire.Mark{End: end, At: at}
	}
	return marks
}

// timing says what was measured.
func (a *answer) timing() string {
	if between := len(a.content) - 2; between > 0 {
		return fmt.Sprintf("synthesised (head, first and last content measured, %d events spread evenly between)", between)
	}
	return "synthesised (head, first and last content measured, what was said made up)"
}
