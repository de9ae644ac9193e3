package providertest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/latgate/latgate/providers"
)

// checkCancelled gives up before the response head, and in the middle of the reply.
func checkCancelled(t *trial) {
	middle := t.Stream.script().cutAfter(min(t.Want.First+1, t.terminal()), nil)
	for _, c := range []struct {
		label  string
		script script
		after  time.Duration
	}{
		{"before the response head", script{mute: true}, 50 * time.Millisecond},
		{"in the middle of the reply", middle, at(len(middle.reads)) + step/2},
	} {
		for _, deadline := range []bool{false, true} {
			label, want := "cancelled "+c.label, providers.Canceled
			ctx, cancel := context.WithCancel(context.Background())
			if deadline {
				label, want = "deadline "+c.label, providers.Timeout
				ctx, cancel = context.WithTimeout(context.Background(), c.after)
			} else {
				time.AfterFunc(c.after, cancel)
			}
			out, _, r := t.reply(ctx, label, c.script)
			if r != nil {
				t.class(label, r, want)
				if out.took > c.after+soon {
					t.errorf("%s: Send returned %s after that", label, out.took-c.after)
				}
				if len(c.script.reads) > t.Want.First && len(r.Events) == 0 {
					t.errorf("%s: the content that had come is lost", label)
				}
			}
			cancel()
		}
	}
}

// terminal returns the index of the piece that makes the reply whole.
func (t *trial) terminal() int {
	if t.Want.Terminal == 0 {
		return len(t.Stream.Pieces) - 1
	}
	return t.Want.Terminal
}

// checkRefused has no connection come about.
func checkRefused(t *trial) {
	out, _, r := t.reply(context.Background(), "connection refused", script{refuse: true})
	if r == nil {
		return
	}
	t.class("connection refused", r, providers.Connect)
	if out.err == nil {
		t.errorf("connection refused: want Send to return an error")
	}
}

// checkBroken breaks the connection before each piece.
func checkBroken(t *trial) {
	for n := range len(t.Stream.Pieces) {
		label := fmt.Sprintf("connection broken after %d pieces", n)
		_, _, r := t.reply(context.Background(), label, t.Stream.script().cutAfter(n, errBroken))
		if r == nil {
			continue
		}
		if n <= t.terminal() {
			t.class(label, r, providers.Truncated)
		}
		if n > t.Want.First && len(r.Events) == 0 {
			t.errorf("%s: the content that had come is lost", label)
		}
	}
}

// checkLeftOpen has the server keep the connection open after the reply.
func checkLeftOpen(t *trial) {
	const label = "connection left open after the reply"
	s := t.Stream.script()
	s.end = nil
	out, _, r := t.reply(context.Background(), label, s)
	if r == nil {
		return
	}
	t.checkWanted(label, r, t.Want)
	t.checkTimes(label, t.Stream, t.Want, r)
	if end := at(len(s.reads) - 1); out.took > end+soon {
		t.errorf("%s: Send returned %s after its last piece: the target does not know the terminal event "+
			"(wire.Transport.Terminal); if the protocol has none, say so with Want.EndsWithBody", label, out.took-end)
	}
}

const page = "<!DOCTYPE html>\n<html><head><title>Sorry</title></head>\n<body><h1>data: error</h1>\n\n<p>Try again.</p></body></html>\n"

// checkRefusals answers with statuses that are none of success, with bodies that
// tell nothing.
func checkRefusals(t *trial) {
	for _, c := range []struct {
		status int
		want   providers.Class
	}{
		{429, providers.Throttled},
		{529, providers.Throttled},
		{500, providers.HTTP5xx},
		{502, providers.HTTP5xx},
		{404, providers.HTTP4xx},
		{307, providers.Parse}, // nobody has asked to be sent elsewhere
	} {
		for _, reply := range []Reply{
			{Status: c.status},
			{Status: c.status, ContentType: "text/html; charset=utf-8", Pieces: []string{page}},
			{Status: c.status, ContentType: "application/json", Pieces: []string{"{\n"}},
			{Status: c.status, ContentType: t.Stream.ContentType},
		} {
			if c.status == http.StatusTemporaryRedirect {
				reply.Header = http.Header{"Location": {"https://elsewhere.test/"}}
			}
			label := fmt.Sprintf("status %d with %d bytes of %q", c.status, len(join(reply.Pieces)), reply.ContentType)
			if _, _, r := t.reply(context.Background(), label, reply.script()); r != nil {
				t.class(label, r, c.want)
			}
		}
	}
}

// checkOthers answers with a success that is not the protocol's.
func checkOthers(t *trial) {
	for _, reply := range []Reply{
		{ContentType: "text/html", Pieces: []string{page}},
		{ContentType: t.Stream.ContentType, Pieces: []string{page}},
		{ContentType: t.Stream.ContentType},
		{},
	} {
		label := fmt.Sprintf("status 200 with %d bytes of %q", len(join(reply.Pieces)), reply.ContentType)
		_, _, r := t.reply(context.Background(), label, reply.script())
		if r == nil {
			continue
		}
		if len(reply.Pieces) == 0 {
			t.class(label, r, providers.Truncated, providers.Parse, providers.Empty)
		} else {
			t.class(label, r, providers.Parse, providers.Truncated)
		}
	}
}

// checkEmpty answers with a whole reply without content.
func checkEmpty(t *trial) {
	if _, _, r := t.reply(context.Background(), "the empty reply", t.Empty.script()); r != nil {
		t.class("the empty reply", r, providers.Empty)
	}
}

// checkError answers with an error of the protocol's own.
func checkError(t *trial, e ErrorReply) {
	_, _, r := t.reply(context.Background(), "the reply", e.Reply.script())
	if r == nil {
		return
	}
	t.class("the reply", r, e.Class)
	if r.Code != e.Code {
		t.errorf("the reply: want the code %q, got %q (detail %q)", e.Code, r.Code, r.Detail)
	}
}
