package providertest

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// checkRequest looks at what is sent.
func checkRequest(t *trial) {
	out, x, r := t.reply(context.Background(), "a request", t.Stream.script())
	if r == nil || len(out.requests) == 0 {
		return
	}
	req := out.requests[0]
	if !slices.Contains([]string{http.MethodPost, http.MethodGet, http.MethodPut}, req.method) {
		t.errorf("a request: want POST, GET or PUT, got %s", req.method)
	}
	if !strings.HasPrefix(req.url, endpointURL) {
		t.errorf("a request: want it to go to %s, got %s", endpointURL, req.url)
	}
	for _, wanted := range []struct{ what, text string }{
		{"the prompt's text", promptText},
		{"the system prompt", systemText},
	} {
		if wanted.text == systemText && t.NoSystem {
			continue
		}
		if !bytes.Contains(req.body, []byte(wanted.text)) {
			t.errorf("a request: its body does not hold %s: %.200q", wanted.what, req.body)
		}
	}
	for name := range x.RequestHeader {
		if name == "Authorization" || strings.Contains(strings.ToLower(name), "key") {
			t.errorf("a request: its exchange has kept the header %s", name)
		}
	}
}

// checkAddress checks which exchanges the decoder takes for its own.
func checkAddress(t *trial) {
	for _, url := range []string{endpointURL, "https://proxy.test/gateway/models"} {
		out := t.send(context.Background(), t.New, url, t.Stream.script())
		if len(out.exchanges) != 1 {
			t.errorf("a target at %s: want 1 exchange, got %d (Send's error: %v)", url, len(out.exchanges), out.err)
			continue
		}
		x := out.exchanges[0]
		bare := &wire.Exchange{Method: x.Method, Host: x.Host, Path: x.Path}
		if !out.target.Recognizes(x) || !out.target.Recognizes(bare) {
			t.errorf("Recognizes is false for the target's own %s %s%s", x.Method, x.Host, x.Path)
		}
		for _, other := range []*wire.Exchange{
			{Method: x.Method, Host: "other.test", Path: "/somewhere/else"},
			{},
		} {
			if out.target.Recognizes(other) {
				t.errorf("Recognizes is true for %q %s%s", other.Method, other.Host, other.Path)
			}
		}
	}
}

// checkConcurrent sends several prompts at once through one target.
func checkConcurrent(t *trial) {
	n := &network{script: t.Stream.script()}
	target := t.New(endpointURL, n.client())
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			defer t.recovered("Send")
			capture := wire.NewCapture(i)
			err := target.Send(capture.Context(context.Background()), t.prompt())
			exchanges := capture.Exchanges()
			if len(exchanges) != 1 {
				t.errorf("one of several at once: want 1 exchange, got %d (Send's error: %v)", len(exchanges), err)
				return
			}
			if r := t.decode("one of several at once", target, exchanges[0]); r != nil {
				t.checkWanted("one of several at once", r, t.Want)
			}
		})
	}
	group.Wait()
}

// checkDescribe looks at the facts.
func checkDescribe(t *trial) {
	const secret = "conformance-secret"
	target := t.New("https://user:"+secret+"@endpoint.test", (&network{script: script{refuse: true}}).client())
	p := t.prompt()
	facts := target.Describe(p)
	for _, name := range []string{"provider", "api", "model"} {
		if facts.Get(name) == "" {
			t.errorf("Describe: want a fact named %s, got %s", name, facts)
		}
	}
	named := make(map[string]bool)
	for _, f := range facts {
		if named[f.Name] {
			t.errorf("Describe: %s is stated twice", f.Name)
		}
		named[f.Name] = true
		if f.Value != providers.Inert(f.Value) {
			t.errorf("Describe: %s cannot be printed in a log: %q", f.Name, f.Value)
		}
	}
	text := facts.String()
	for _, hidden := range []struct{ what, text string }{
		{"the prompt's text", promptText},
		{"the system prompt", systemText},
		{"the password of the URL", secret},
	} {
		if strings.Contains(text, hidden.text) {
			t.errorf("Describe shows %s: %s", hidden.what, text)
		}
	}
	for range 20 { // as many orders as a map may have
		if again := target.Describe(p); !slices.Equal(facts, again) {
			t.errorf("Describe changes: %s, then %s", facts, again)
		}
	}
	other := p
	other.ID, other.Text = "other", "Another text."
	if again := target.Describe(other); !slices.Equal(facts, again) {
		t.errorf("Describe depends on the prompt's text: %s, then %s", facts, again)
	}
}
