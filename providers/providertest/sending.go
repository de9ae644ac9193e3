package providertest

import (
	"context"
	"net/http"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

const (
	endpointURL = "https://endpoint.test"

	promptText = "The prompt of the conformance suite asks what the capital of Assyria was."
	systemText = "The system prompt of the conformance suite asks for short answers."

	// soon is the time within which a target has to notice that it is over.
	soon = time.Second
)

func (t *trial) prompt() providers.Prompt {
	p := providers.Prompt{ID: "conformance", Text: promptText, MaxTokens: 64}
	if !t.NoSystem {
		p.System = systemText
	}
	return p
}

// A sent is one call of Send and what came of it.
type sent struct {
	target    providers.Target
	requests  []request
	exchanges []*wire.Exchange
	err       error
	took      time.Duration // until Send returned
}

// send calls Send of a new target whose network does as s says, and waits for it.
func (t *trial) send(ctx context.Context, newTarget func(string, *http.Client) providers.Target, url string, s script) sent {
	n := &network{script: s}
	capture := wire.NewCapture(0)
	out := sent{target: newTarget(url, n.client())}
	type ending struct {
		err      error
		took     time.Duration
		returned bool // as opposed to panicked
	}
	ended := make(chan ending, 1)
	start := time.Now()
	go func() {
		var e ending
		defer func() { ended <- e }()
		defer t.recovered("Send")
		e.err = out.target.Send(capture.Context(ctx), t.prompt())
		e.took, e.returned = time.Since(start), true
	}()
	var e ending
	select {
	case e = <-ended:
	case <-time.After(2 * patience):
		t.errorf("Send never returned")
		return sent{target: out.target}
	}
	out.exchanges = capture.Exchanges()
	if late := time.Since(start) - e.took; late > 0 && e.returned {
		t.errorf("Send returned %s before its reply had ended", late)
	}
	out.requests, out.err, out.took = n.seen(), e.err, e.took
	return out
}

// reply sends a prompt to a target whose endpoint answers as s says, and decodes
// the exchange, of which there must be one. label says in messages what s is. The
// response is nil when there is nothing to look at.
func (t *trial) reply(ctx context.Context, label string, s script) (sent, *wire.Exchange, *providers.Response) {
	return t.replyOf(ctx, label, t.New, s)
}

func (t *trial) replyOf(ctx context.Context, label string, newTarget func(string, *http.Client) providers.Target, s script) (sent, *wire.Exchange, *providers.Response) {
	out := t.send(ctx, newTarget, endpointURL, s)
	if len(out.exchanges) != 1 {
		t.errorf("%s: want 1 exchange captured by a wire.Transport under Send's context, got %d (Send's error: %v)",
			label, len(out.exchanges), out.err)
		return out, nil, nil
	}
	if len(out.requests) != 1 {
		t.errorf("%s: want 1 request, the endpoint saw %d", label, len(out.requests))
	}
	x := out.exchanges[0]
	return out, x, t.decode(label, out.target, x)
}

// decode decodes x and checks what holds for any response. It returns nil after a
// panic.
func (t *trial) decode(label string, d providers.Decoder, x *wire.Exchange) (r *providers.Response) {
	defer t.recovered(label + ": Decode")
	r = d.Decode(x)
	if r == nil {
		t.errorf("%s: Decode returned nil", label)
		return nil
	}
	t.checkInvariants(label, x, r)
	return r
}

// class compares the class of a response.
func (t *trial) class(label string, r *providers.Response, want ...providers.Class) bool {
	for _, w := range want {
		if r.Class == w {
			return true
		}
	}
	t.errorf("%s: want class %s, got %s (code %q, detail %q)", label, oneOf(want), r.Class, r.Code, r.Detail)
	return false
}

func oneOf(classes []providers.Class) string {
	text := ""
	for i, c := range classes {
		if i > 0 {
			text += " or "
		}
		text += string(c)
	}
	return text
}
