package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// checkStream sends the reply as it is, piece by piece.
func checkStream(t *trial) {
	_, x, r := t.reply(context.Background(), "the stream", t.Stream.script())
	if r == nil {
		return
	}
	t.checkWanted("the stream", r, t.Want)
	t.checkTimes("the stream", t.Stream, t.Want, r)
	if string(x.Body) != join(t.Stream.Pieces) {
		t.errorf("the stream: %d bytes were captured of %d", len(x.Body), len(join(t.Stream.Pieces)))
	}
}

// checkWanted compares what does not depend on when a reply came.
func (t *trial) checkWanted(label string, r *providers.Response, w Want) {
	if !t.class(label, r, providers.OK) {
		return
	}
	compare := func(what string, want, got any) {
		if want != got {
			t.errorf("%s: want %s %s, got %s", label, what, show(want), show(got))
		}
	}
	compare("text", w.Text, r.Text)
	compare("bytes of reasoning", w.Reasoning, r.Reasoning)
	compare("usage", w.Usage, r.Usage)
	compare("stop reason", w.Stop, r.Stop)
	if w.Model != "" {
		compare("model", w.Model, r.Model)
	}
	if w.RequestID != "" {
		compare("request id", w.RequestID, r.RequestID)
	}
}

// show quotes a text, and writes counts as in JSON.
func show(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// checkTimes compares the times of a reply whose pieces came one a step.
func (t *trial) checkTimes(label string, reply Reply, w Want, r *providers.Response) {
	if len(r.Events) == 0 {
		return
	}
	for _, moment := range []struct {
		name  string
		piece int
		got   wire.Instant
		event providers.Event
	}{
		{"first", w.First, r.First(), r.Events[0]},
		{"last", w.Last, r.Last(), r.Events[len(r.Events)-1]},
	} {
		if want := wire.At(at(moment.piece)); moment.got != want {
			got, _ := moment.got.Get()
			t.errorf("%s: want the %s content after %s, with piece %d, got it after %s",
				label, moment.name, at(moment.piece), moment.piece, got)
		}
		start, end := bounds(reply, moment.piece)
		if e := moment.event.End; e <= start || e > end {
			t.errorf("%s: want the %s content to end in piece %d, which is bytes %d to %d, got offset %d",
				label, moment.name, moment.piece, start, end, e)
		}
	}
	if end, known := r.End.Get(); !known || end < r.Events[len(r.Events)-1].At {
		t.errorf("%s: the reply ends %s after the request (known: %t), before its last content", label, end, known)
	}
}

// bounds returns the offsets of the first byte of a piece, and of the one after it.
func bounds(r Reply, piece int) (start, end int64) {
	for _, p := range r.Pieces[:piece] {
		start += int64(len(p))
	}
	return start, start + int64(len(r.Pieces[piece]))
}

func join(pieces []string) string { return strings.Join(pieces, "") }

// checkReads sends the same bytes in other pieces: a read is not a frame, and a
// frame happened when its last byte came.
func checkReads(t *trial) {
	_, _, whole := t.reply(context.Background(), "one piece a read", t.Stream.script())
	if whole == nil {
		return
	}
	for _, bytesPerRead := range []int{1, 7, 64, 0} {
		label := fmt.Sprintf("%d bytes a read", bytesPerRead)
		if bytesPerRead == 0 {
			label = "all in one read"
		}
		_, _, r := t.reply(context.Background(), label, t.Stream.script().split(bytesPerRead))
		if r == nil {
			continue
		}
		t.checkWanted(label, r, t.Want)
		t.sameEvents(label, whole.Events, r.Events)
		if bytesPerRead == 0 && len(r.Events) > 0 && r.First() != r.Last() {
			t.errorf("%s: events of one read have one time", label)
		}
	}
}

// sameEvents compares events but for their times.
func (t *trial) sameEvents(label string, want, got []providers.Event) {
	if len(want) != len(got) {
		t.errorf("%s: want %d content events, got %d", label, len(want), len(got))
		return
	}
	for i := range want {
		w, g := want[i], got[i]
		w.At, w.Read, g.At, g.Read = 0, 0, 0, 0
		if w != g {
			t.errorf("%s: event %d: want %+v, got %+v", label, i, w, g)
		}
	}
}

// checkGzip sends the reply compressed, flushed after each piece.
func checkGzip(t *trial) {
	_, _, r := t.reply(context.Background(), "compressed with gzip", t.Stream.script().gzipped())
	if r == nil {
		return
	}
	t.checkWanted("compressed with gzip", r, t.Want)
	t.checkTimes("compressed with gzip", t.Stream, t.Want, r)
}

// checkUnary sends the reply in one piece to the target that asks for it.
func checkUnary(t *trial) {
	out, x, r := t.replyOf(context.Background(), "the whole reply", t.NewUnary, t.Unary.script())
	if r == nil {
		return
	}
	t.checkWanted("the whole reply", r, t.UnaryWant)
	if last := len(t.Unary.Pieces) - 1; r.First() != r.Last() || r.Last() != wire.At(at(last)) {
		t.errorf("the whole reply: want all content when the last of it came, after %s", at(last))
	}
	for n := range len(bytes.TrimSpace(x.Body)) {
		label := fmt.Sprintf("the whole reply, cut after %d bytes", n)
		if r := t.decode(label, out.target, cut(x, n, nil)); r != nil && r.Class == providers.OK {
			t.errorf("%s: want it not to be ok", label)
		}
	}
}
