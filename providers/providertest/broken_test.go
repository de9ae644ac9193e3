package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// failuresOf runs one check of c and returns what failed.
func failuresOf(t *testing.T, c Case, name string) []string {
	t.Helper()
	checks := checksOf(c)
	i := slices.IndexFunc(checks, func(k check) bool { return k.name == name })
	require.GreaterOrEqual(t, i, 0, "no check of that name")
	var failures []string
	synctest.Test(t, func(*testing.T) {
		failures = checks[i].failures(c)
		time.Sleep(24 * time.Hour) // until what was left behind has returned
	})
	return failures
}

func TestRunFailsBrokenProviders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*Case)
		check string // that must fail
		with  string // what one of its messages says
	}{
		// What is content.
		{"counts an empty delta", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Frames > 0 && len(r.Events) > 0 {
				e := r.Events[0]
				e.Channel, e.Bytes, e.Frame, e.End = providers.Text, 0, 0, 1
				r.Events = append([]providers.Event{e}, r.Events...)
			}
		}), "stream", "has no content"},
		{"counts a role as content", decoding(func(x *wire.Exchange, r *providers.Response) {
			if i := bytes.Index(x.Body, []byte("\n\n")); i >= 0 && len(r.Events) > 0 {
				read, at := x.ReadOf(int64(i + 2))
				moment, _ := at.Get()
				e := providers.Event{Channel: providers.Tool, Bytes: 4, End: int64(i + 2), At: moment, Read: read}
				r.Events = append([]providers.Event{e}, r.Events...)
			}
		}), "stream", "want the first content after 20ms, with piece 1, got it after 10ms"},
		{"takes reasoning for text", decoding(func(_ *wire.Exchange, r *providers.Response) {
			for i := range r.Events {
				r.Events[i].Channel = providers.Text
			}
			r.Text, r.Reasoning = strings.Repeat("x", r.Reasoning)+r.Text, 0
		}), "stream", "want bytes of reasoning 3, got 0"},
		{"misses the last delta", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if n := len(r.Events); n > 1 {
				r.Text = r.Text[:len(r.Text)-r.Events[n-1].Bytes]
				r.Events = r.Events[:n-1]
			}
		}), "stream", "want the last content after 50ms, with piece 4, got it after 30ms"},
		{"invents a channel", decoding(func(_ *wire.Exchange, r *providers.Response) {
			for i := range r.Events {
				r.Events[i].Channel = "audio"
			}
		}), "stream", `"audio" is no channel`},
		{"counts characters", decoding(func(_ *wire.Exchange, r *providers.Response) {
			for i := range r.Events {
				r.Events[i].Bytes = max(1, r.Events[i].Bytes/2)
			}
		}), "stream", "the text has 13 bytes, its events"},

		// When it came.
		{"times by the start of the frame", decoding(func(x *wire.Exchange, r *providers.Response) {
			for i := range r.Events {
				r.Events[i].Read = max(0, r.Events[i].Read-1)
				r.Events[i].At = x.Marks[r.Events[i].Read].At
			}
		}), "stream", "which came with read 1 after 20ms, but it says read 0 after 10ms"},
		{"takes the start of the frame for its end", decoding(func(x *wire.Exchange, r *providers.Response) {
			for i, e := range r.Events {
				e.End = int64(max(1, bytes.LastIndex(x.Body[:e.End-2], []byte("data: "))))
				read, at := x.ReadOf(e.End)
				e.Read = read
				e.At, _ = at.Get()
				r.Events[i] = e
			}
		}), "stream", "want the first content to end in piece 1, which is bytes 40 to 65, got offset 40"},
		{"times by the last read", decoding(func(x *wire.Exchange, r *providers.Response) {
			for i := range r.Events {
				r.Events[i].End = int64(len(x.Body))
				r.Events[i].Read = len(x.Marks) - 1
				r.Events[i].At = x.Marks[len(x.Marks)-1].At
			}
		}), "stream", "want the first content after 20ms, with piece 1, got it after 70ms"},
		{"takes a read for a frame", decoding(func(x *wire.Exchange, r *providers.Response) {
			b := providers.NewBuilder("acme", "chat", x)
			for _, m := range x.Marks {
				b.Frame(m.End)
				b.AddBytes(providers.Tool, 1)
			}
			r.Events, r.Frames = b.Events, b.Frames
		}), "reads", "want 7 content events, got"},
		{"says that the reply ended before its content", decoding(func(_ *wire.Exchange, r *providers.Response) {
			r.End = wire.At(0)
		}), "stream", "before its last content"},
		{"does not decompress", decoding(func(x *wire.Exchange, r *providers.Response) {
			raw := *x
			raw.Header = x.Header.Clone()
			raw.Header.Del("Content-Encoding")
			*r = *acme{}.Decode(&raw)
		}), "gzip", "want class ok"},

		// What is told beside it.
		{"sums cumulative usage", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if n, known := r.Usage.Output.Get(); known && n == 5 {
				r.Usage.Output = providers.CountOf(7)
			}
		}), "stream", `want usage {"input_tokens":9,"output_tokens":5}, got {"input_tokens":9,"output_tokens":7}`},
		{"counts below 0", decoding(func(_ *wire.Exchange, r *providers.Response) {
			r.Usage.Input = providers.CountOf(-1)
		}), "garbage", "a count of -1 tokens"},
		{
			"forgets why it stopped", decoding(func(_ *wire.Exchange, r *providers.Response) { r.Stop = "" }),
			"stream", `want stop reason "end", got ""`,
		},
		{
			"has no name", decoding(func(_ *wire.Exchange, r *providers.Response) { r.API = "" }),
			"stream", "want a provider and an API",
		},

		// How it ended.
		{"calls a truncated reply ok", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.Truncated && len(r.Events) > 0 {
				r.Class = providers.OK
			}
		}), "truncated", "ok, without the terminal event"},
		{"calls a reply that ends ok", decoding(func(x *wire.Exchange, r *providers.Response) {
			if x.Ending == wire.EndEOF && r.Class == providers.Truncated && len(r.Events) > 0 {
				r.Class = providers.OK
			}
		}), "truncated", "ok, without the terminal event"},
		{"calls half a unary reply ok", func(c *Case) {
			honest := c.NewUnary
			c.NewUnary = func(url string, client *http.Client) providers.Target {
				return altered{Target: honest(url, client), decode: func(x *wire.Exchange) *providers.Response {
					b := providers.NewBuilder("acme", "chat", x)
					b.Frame(int64(len(x.Body)))
					b.Add(providers.Text, "Hello")
					b.Stop = "end"
					b.Finish()
					return b.Done()
				}}
			}
		}, "unary", "want it not to be ok"},
		{"loses what had come", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class != providers.OK {
				r.Events, r.Text, r.Reasoning = nil, "", 0
			}
		}), "connection broken", "the content that had come is lost"},
		{"loses what had come at a cut", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class != providers.OK {
				r.Events, r.Text, r.Reasoning = nil, "", 0
			}
		}), "truncated", "want 1 content events, got 0"},
		{"calls nothing ok", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.Empty {
				r.Class = providers.OK
			}
		}), "empty", "ok without content"},
		{"makes up a class", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.Parse {
				r.Class = "weird"
			}
		}), "garbage", `"weird" is no class`},
		{"takes a throttle for a mistake", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.Throttled {
				r.Class = providers.HTTP4xx
			}
		}), "refusals", "want class throttled, got http_4xx"},
		{"takes a page for a reply", decoding(func(x *wire.Exchange, r *providers.Response) {
			if x.Status == http.StatusOK && r.Class == providers.Parse {
				b := providers.NewBuilder("acme", "chat", x)
				b.Frame(int64(len(x.Body)))
				b.Add(providers.Text, string(x.Body))
				b.Finish()
				*r = *b.Done()
			}
		}), "another's reply", "want class parse or truncated, got ok"},
		{"does not see an error in the stream", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.StreamError {
				r.Class = providers.Truncated
			}
		}), "error/in the stream", "want class stream_error, got truncated"},
		{
			"does not read codes", decoding(func(_ *wire.Exchange, r *providers.Response) { r.Code = "" }),
			"error/quota", `want the code "rate_limit", got ""`,
		},
		{"takes giving up for a truncation", decoding(func(_ *wire.Exchange, r *providers.Response) {
			if r.Class == providers.Canceled || r.Class == providers.Timeout {
				r.Class = providers.Truncated
			}
		}), "cancelled", "want class cancelled, got truncated"},

		// How it decodes.
		{"panics on garbage", decoding(func(x *wire.Exchange, _ *providers.Response) {
			for block := range bytes.SplitSeq(x.Body, []byte("\n\n")) {
				var v any
				if data, ok := bytes.CutPrefix(block, []byte("data: ")); ok && json.Unmarshal(data, &v) == nil {
					_ = v.(map[string]any)
				}
			}
		}), "garbage", "Decode panicked: interface conversion"},
		{"panics on a cut", decoding(func(x *wire.Exchange, _ *providers.Response) {
			if x.Status == http.StatusOK {
				_ = x.Body[len(x.Body)-2:]
			}
		}), "truncated", "Decode panicked: runtime error: slice bounds"},
		{"panics on changed bytes", decoding(func(x *wire.Exchange, _ *providers.Response) {
			if bytes.IndexByte(x.Body, 0) >= 0 {
				panic("a zero")
			}
		}), "changed at random", "Decode panicked: a zero"},
		{"returns nil", alter(func(a *altered, _ string, _ *http.Client) {
			a.decode = func(*wire.Exchange) *providers.Response { return nil }
		}), "stream", "Decode returned nil"},
		{"changes the exchange", decoding(func(x *wire.Exchange, _ *providers.Response) {
			x.Header.Set("X-Seen", "yes")
		}), "decode", "Decode changes the exchange"},
		{"is of two minds", func(c *Case) {
			var calls atomic.Int64
			decoding(func(_ *wire.Exchange, r *providers.Response) { r.Detail = fmt.Sprint(calls.Add(1)) })(c)
		}, "decode", "the same exchange has two responses"},

		// Which exchanges are its own.
		{"recognizes everything", alter(func(a *altered, _ string, _ *http.Client) {
			a.recognizes = func(*wire.Exchange) bool { return true }
		}), "address", "Recognizes is true for"},
		{"recognizes nothing", alter(func(a *altered, _ string, _ *http.Client) {
			a.recognizes = func(*wire.Exchange) bool { return false }
		}), "address", "Recognizes is false for the target's own"},
		{"recognizes by the reply", alter(func(a *altered, _ string, _ *http.Client) {
			a.recognizes = func(x *wire.Exchange) bool { return x.Header.Get("Content-Type") == "text/event-stream" }
		}), "address", "Recognizes is false for the target's own"},
		{"does not know a gateway", alter(func(a *altered, _ string, _ *http.Client) {
			a.recognizes = func(x *wire.Exchange) bool { return x.Path == "/chat" }
		}), "address", "POST proxy.test/gateway/models/chat"},

		// How it sends.
		{"makes two requests", alter(func(a *altered, _ string, _ *http.Client) {
			honest := a.Target
			a.send = func(ctx context.Context, p providers.Prompt) error {
				_ = honest.Send(ctx, p)
				return honest.Send(ctx, p)
			}
		}), "stream", "want 1 exchange captured by a wire.Transport under Send's context, got 2"},
		{"retries by itself", func(c *Case) {
			honest := c.New
			c.New = func(url string, client *http.Client) providers.Target {
				return honest(url, &http.Client{Transport: retrying{client.Transport}})
			}
		}, "refusals", "want 1 request, the endpoint saw 2"},
		{"follows redirects", alter(func(a *altered, url string, client *http.Client) {
			following := &http.Client{Transport: &wire.Transport{Base: client.Transport}}
			a.send = func(ctx context.Context, p providers.Prompt) error { return post(ctx, following, url, p) }
		}), "refusals", "got 10"},
		{"goes around the wire", alter(func(a *altered, url string, client *http.Client) {
			a.send = func(ctx context.Context, p providers.Prompt) error { return post(ctx, client, url, p) }
		}), "stream", "want 1 exchange captured by a wire.Transport"},
		{"loses the context", alter(func(a *altered, url string, client *http.Client) {
			own := &http.Client{Transport: &wire.Transport{Base: client.Transport}}
			a.send = func(_ context.Context, p providers.Prompt) error { return post(context.Background(), own, url, p) }
		}), "stream", "want 1 exchange captured by a wire.Transport under Send's context, got 0"},
		{"does not give up", alter(func(a *altered, _ string, _ *http.Client) {
			honest := a.Target
			a.send = func(ctx context.Context, p providers.Prompt) error { return honest.Send(context.WithoutCancel(ctx), p) }
		}), "cancelled", "Send returned 59m"},
		{"waits after giving up", alter(func(a *altered, _ string, _ *http.Client) {
			honest := a.Target
			a.send = func(ctx context.Context, p providers.Prompt) error {
				err := honest.Send(ctx, p)
				if ctx.Err() != nil {
					<-time.After(patience)
				}
				return err
			}
		}), "cancelled", "Send returned 1h0m0s after that"},
		{"never returns", alter(func(a *altered, _ string, _ *http.Client) {
			a.send = func(context.Context, providers.Prompt) error {
				<-time.After(3 * patience)
				return nil
			}
		}), "stream", "Send never returned"},
		{"returns too soon", alter(func(a *altered, url string, client *http.Client) {
			detached := &http.Client{Transport: &wire.Transport{
				Base: client.Transport, Detach: func(*http.Response) bool { return true },
			}}
			a.send = func(ctx context.Context, p providers.Prompt) error { return post(ctx, detached, url, p) }
		}), "stream", "Send returned 70ms before its reply had ended"},
		{"does not read to the end", alter(func(a *altered, url string, client *http.Client) {
			own := &http.Client{Transport: &wire.Transport{Base: client.Transport}}
			a.send = func(ctx context.Context, p providers.Prompt) error {
				ctx, cancel := context.WithTimeout(ctx, 3*step)
				defer cancel()
				return post(ctx, own, url, p)
			}
		}), "stream", "want class ok, got timeout"},
		{
			"does not know the terminal event", spoken(func(p *endpoint.Protocol) { p.Terminal = nil }),
			"connection left open", "Send returned 59m59.93s after its last piece",
		},
		{"says nothing of a refused connection", alter(func(a *altered, _ string, _ *http.Client) {
			honest := a.Target
			a.send = func(ctx context.Context, p providers.Prompt) error {
				_ = honest.Send(ctx, p)
				return nil
			}
		}), "connection refused", "want Send to return an error"},
		{"panics in Send", alter(func(a *altered, _ string, _ *http.Client) {
			a.send = func(context.Context, providers.Prompt) error { panic("no key") }
		}), "stream", "Send panicked: no key"},
		{"does not send the prompt", spoken(func(p *endpoint.Protocol) {
			p.Body = func(endpoint.Request) (map[string]any, error) { return map[string]any{}, nil }
		}), "request", "does not hold the prompt's text"},
		{"does not send the system prompt", spoken(func(p *endpoint.Protocol) {
			p.Body = func(r endpoint.Request) (map[string]any, error) {
				return map[string]any{"prompt": r.Prompt.Text}, nil
			}
		}), "request", "does not hold the system prompt"},
		{"sends elsewhere", func(c *Case) {
			honest := c.New
			c.New = func(_ string, client *http.Client) providers.Target { return honest("https://acme.test", client) }
		}, "request", "want it to go to https://endpoint.test"},
		{"shares what it should not", func(c *Case) {
			honest := c.New
			c.New = func(url string, client *http.Client) providers.Target {
				a := altered{Target: honest(url, client)}
				var busy atomic.Bool
				a.send = func(ctx context.Context, p providers.Prompt) error {
					if !busy.CompareAndSwap(false, true) {
						return http.ErrServerClosed
					}
					defer busy.Store(false)
					return a.Target.Send(ctx, p)
				}
				return a
			}
		}, "concurrent", "want 1 exchange, got 0 (Send's error: http: Server closed)"},

		// What it says of itself.
		{"does not name its model", describing(func(f providers.Facts, _ string, _ providers.Prompt) providers.Facts {
			return f[:2]
		}), "describe", "want a fact named model"},
		{"leaks the prompt", describing(func(f providers.Facts, _ string, p providers.Prompt) providers.Facts {
			return append(f, providers.Fact{Name: "prompt", Value: p.Text})
		}), "describe", "Describe shows the prompt's text"},
		{"leaks a password", describing(func(f providers.Facts, url string, _ providers.Prompt) providers.Facts {
			return append(f, providers.Fact{Name: "url", Value: url})
		}), "describe", "Describe shows the password of the URL"},
		{"describes the prompt's length", describing(func(f providers.Facts, _ string, p providers.Prompt) providers.Facts {
			return append(f, providers.Fact{Name: "length", Value: fmt.Sprint(len(p.Text))})
		}), "describe", "Describe depends on the prompt's text"},
		{"repeats a fact", describing(func(f providers.Facts, _ string, _ providers.Prompt) providers.Facts {
			return append(f, f[0])
		}), "describe", "provider is stated twice"},
		{"states what acts on a log", describing(func(f providers.Facts, _ string, _ providers.Prompt) providers.Facts {
			return append(f, providers.Fact{Name: "note", Value: "a\n::error::b"})
		}), "describe", "cannot be printed in a log"},
		{"describes in any order", func(c *Case) {
			var calls atomic.Int64
			describing(func(f providers.Facts, _ string, _ providers.Prompt) providers.Facts {
				return append(f, providers.Fact{Name: fmt.Sprint("fact", calls.Add(1)%2), Value: "x"})
			})(c)
		}, "describe", "Describe changes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			broken := acmeCase()
			c.spoil(&broken)
			failures := failuresOf(t, broken, c.check)
			assert.Contains(t, strings.Join(failures, "\n"), c.with)
			assert.LessOrEqual(t, len(failures), enough+1)
		})
	}
}
