package providertest

import (
	"slices"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

var channels = []providers.Channel{providers.Text, providers.Reasoning, providers.Refusal, providers.Tool}

// checkInvariants checks what holds for the response to any exchange.
func (t *trial) checkInvariants(label string, x *wire.Exchange, r *providers.Response) {
	if !slices.Contains(providers.Classes, r.Class) {
		t.errorf("%s: %q is no class", label, r.Class)
	}
	if r.Provider == "" || r.API == "" {
		t.errorf("%s: want a provider and an API, got %q and %q", label, r.Provider, r.API)
	}
	switch content := len(r.Events) > 0; {
	case r.Class == providers.OK && !content:
		t.errorf("%s: ok without content", label)
	case r.Class == providers.Empty && content:
		t.errorf("%s: empty, with %d content events", label, len(r.Events))
	}
	for _, c := range []providers.Count{
		r.Usage.Input, r.Usage.Output, r.Usage.CachedRead, r.Usage.CachedWrite, r.Usage.Reasoning, r.FirstCount,
	} {
		if n, _ := c.Get(); n < 0 {
			t.errorf("%s: a count of %d tokens", label, n)
		}
	}
	t.checkEvents(label, x, r)
}

// checkEvents checks that each event is one, and that its time is that of the read
// which completed it.
func (t *trial) checkEvents(label string, x *wire.Exchange, r *providers.Response) {
	plain, err := x.Identity()
	if err != nil {
		if len(r.Events) > 0 {
			t.errorf("%s: content in a body that cannot be decoded: %v", label, err)
		}
		return
	}
	var last providers.Event
	text, reasoning := 0, 0
	for i, e := range r.Events {
		if !slices.Contains(channels, e.Channel) {
			t.errorf("%s: event %d: %q is no channel", label, i, e.Channel)
		}
		if e.Bytes <= 0 {
			t.errorf("%s: event %d has no content: it is none", label, i)
		}
		if e.Frame < last.Frame || e.End < last.End || e.Read < last.Read || e.At < last.At {
			t.errorf("%s: event %d comes before the one before it: %+v after %+v", label, i, e, last)
		}
		if e.Frame < 0 || e.Frame >= r.Frames {
			t.errorf("%s: event %d is in frame %d of %d", label, i, e.Frame, r.Frames)
		}
		if e.End <= 0 || e.End > int64(len(plain.Body)) {
			t.errorf("%s: event %d ends at offset %d of a body of %d bytes", label, i, e.End, len(plain.Body))
		} else if read, moment := plain.ReadOf(e.End); read != e.Read || moment != wire.At(e.At) {
			when, _ := moment.Get()
			t.errorf("%s: event %d ends at offset %d, which came with read %d after %s, but it says read %d after %s",
				label, i, e.End, read, when, e.Read, e.At)
		}
		switch e.Channel {
		case providers.Text:
			text += e.Bytes
		case providers.Reasoning:
			reasoning += e.Bytes
		}
		last = e
	}
	if text != len(r.Text) {
		t.errorf("%s: the text has %d bytes, its events %d", label, len(r.Text), text)
	}
	if reasoning != r.Reasoning {
		t.errorf("%s: the reasoning has %d bytes, its events %d", label, r.Reasoning, reasoning)
	}
	if r.FirstFrame.Known() != (r.Frames > 0) {
		t.errorf("%s: %d frames, but FirstFrame is known: %t", label, r.Frames, r.FirstFrame.Known())
	}
}
