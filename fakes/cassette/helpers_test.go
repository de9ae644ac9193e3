package cassette_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

// A call is a request of a test: the sample it belongs to, when it is made, and what.
type call struct {
	sample int
	at     time.Duration
	url    string
	body   string
	header http.Header
}

const chatURL = "https://api.openai.com/v1/chat/completions"

func chat(content string) string {
	return `{"model":"gpt-test","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"` + content + `"}]}`
}

// ask makes the calls with base, all in one bubble, and returns their exchanges.
func ask(t *testing.T, base http.RoundTripper, calls ...call) []*wire.Exchange {
	t.Helper()
	transport := &wire.Transport{Base: base}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	exchanges := make([]*wire.Exchange, len(calls))
	var running sync.WaitGroup
	for n, c := range calls {
		running.Go(func() {
			time.Sleep(c.at)
			exchanges[n] = one(t.Context(), t, client, c)
		})
	}
	running.Wait()
	return exchanges
}

// one makes a call and reads the reply to its end.
func one(ctx context.Context, t *testing.T, client *http.Client, c call) *wire.Exchange {
	t.Helper()
	capture := wire.NewCapture(c.sample)
	url := c.url
	if url == "" {
		url = chatURL
	}
	req, err := http.NewRequestWithContext(capture.Context(ctx), http.MethodPost, url, strings.NewReader(c.body))
	if !assert.NoError(t, err) {
		return nil
	}
	req.Header.Set("Content-Type", "application/json")
	for name, values := range c.header {
		req.Header[name] = values
	}
	resp, err := client.Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	xs := capture.Exchanges()
	if !assert.Len(t, xs, 1) {
		return nil
	}
	return xs[0]
}

// record records the calls against h.
func record(t *testing.T, path string, rec cassette.Recording, h http.Handler, calls ...call) []*wire.Exchange {
	t.Helper()
	network := fakes.NewNetwork(h)
	defer network.Close()
	recorder, err := cassette.Create(path, rec)
	require.NoError(t, err)
	xs := ask(t, recorder.Transport(network.Transport()), calls...)
	for _, x := range xs {
		require.NoError(t, recorder.Add(x))
	}
	require.NoError(t, recorder.Close())
	return xs
}

// replay makes the calls against the cassette.
func replay(t *testing.T, c *cassette.Cassette, o cassette.ReplayOptions, calls ...call) ([]*wire.Exchange, *cassette.Player) {
	t.Helper()
	player, err := c.Handler(o)
	require.NoError(t, err)
	network := fakes.NewNetwork(player)
	defer network.Close()
	return ask(t, network.Transport(), calls...), player
}

func temporary(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(t.TempDir(), name)
}

// script is a fake that takes its time.
func script(tokens int) fakes.Script {
	return fakes.Script{
		Seed: 7, TTFT: fakes.Lognormal(400*ms, .4), Head: fakes.Lognormal(150*ms, .2), Gap: fakes.Lognormal(17*ms, .5), OutputTokens: tokens,
	}
}
