package cassette_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// Filler has the shape of the text, and takes as many bytes once it is decoded.
func TestFiller(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"content":"Hello, it's 10:30 (Mr. O'Neil)!"}`:                        `{"content":"Xxxxx, xx'x 11:11 (Xx. X'Xxxx)!"}`,
		`{"content":"Grüße — 東京 😀 “ok”"}`:                                      `{"content":"Xxééx — 一一 𠀀 “xx”"}`,
		`{"content":"\u00e9\u6771\ud83d\ude00\u0041\u0061\u0031\n\t\"\ud83d"}`: `{"content":"\u00e9\u4e00\ud840\udc00\u0058\u0078\u0031\n\t\"\ud83d"}`,
		`{"arguments":"{\"n\":-12.5e3,\"ok\":true,\"x\":null}"}`:               `{"arguments":"{\"x\":-11.1e1,\"xx\":true,\"x\":null}"}`,
		`{"input":{"type":"Paris","n":20,"deep":[{"role":"me"}]}}`:             `{"input":{"type":"Xxxxx","n":11,"deep":[{"role":"xx"}]}}`,
		`{"type":"message","role":"assistant","model":"m-1","stop":"end"}`:     `{"type":"message","role":"assistant","model":"m-1","stop":"end"}`,
		`{"type":"not a word of a protocol"}`:                                  `{"type":"xxx x xxxx xx x xxxxxxxx"}`,
		`{"usage":{"prompt_tokens":12},"index":3,"token_ids":[12,345]}`:        `{"usage":{"prompt_tokens":12},"index":3,"token_ids":[11,111]}`,
		`{"logprobs":[{"token":"Hi","logprob":-0.25,"bytes":[72,105]}]}`:       `{"logprobs":[{"token":"Xx","logprob":-1.11,"bytes":[11,111]}]}`,
		`{"function":{"name":"get_weather"},"name":"Alice"}`:                   `{"function":{"name":"get_weather"},"name":"Xxxxx"}`,
		`not JSON, but 3 words`:                                                `xxx XXXX, xxx 1 xxxxx`,
		`{"cut":"Hello wor`:                                                    `{"cut":"Xxxxx xxx`,
	} {
		x := &wire.Exchange{
			Method: "POST", Status: 200, Ending: wire.EndEOF, End: wire.At(ms), Body: []byte(text),
			Header: http.Header{"Content-Type": {"application/json"}}, Marks: []wire.Mark{{End: int64(len(text)), At: ms}},
		}
		assert.Equal(t, want, string(assembled(t, cassette.Recording{Redact: true}, x).Body))
		x.Body = []byte(want)
		assert.Equal(t, want, string(assembled(t, cassette.Recording{Redact: true}, x).Body), "filler stays")
		x.Body = []byte(text)
		assert.Equal(t, text, string(assembled(t, cassette.Recording{}, x).Body), "kept")
	}
}

// What refers to a name still does when the name is another.
func TestNamesStayConsistent(t *testing.T) {
	t.Parallel()
	text := `{"id":"call_Ab12Cd34Ef","item":{"id":"call_Ab12Cd34Ef"},"tool_call_id":"call_Zz98Yy76Xx"}`
	i := sample(0, text, wire.Mark{End: int64(len(text)), At: 5})
	c, err := cassette.Assemble(cassette.Recording{Redact: true}, i)
	require.NoError(t, err)
	got := string(c.At(0).Response.Body)
	first := got[strings.Index(got, "call_"):][:15]
	assert.Regexp(t, `^call_[A-Z][a-z]\d\d[A-Z][a-z]\d\d[A-Z][a-z]$`, first)
	assert.NotEqual(t, "call_Ab12Cd34Ef", first)
	assert.Equal(t, 2, strings.Count(got, first))
	assert.Equal(t, 3, strings.Count(got, `"call_`))
}

// The transport of a recorder does not hide that a request took too long.
func TestRecorderKeepsErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := temporary(t, "c.jsonl")
		network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Hang{}}}}))
		defer network.Close()
		recorder, err := cassette.Create(path, cassette.Recording{})
		require.NoError(t, err)
		capture := wire.NewCapture(0)
		client := &http.Client{Transport: &wire.Transport{Base: recorder.Transport(network.Transport())}, Timeout: time.Second}
		req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, chatURL+"?a=1", strings.NewReader(chat("x")))
		require.NoError(t, err)
		_, err = client.Do(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var failed *url.Error
		require.ErrorAs(t, err, &failed)
		assert.True(t, failed.Timeout())

		require.NoError(t, recorder.Add(capture.Exchanges()[0]))
		require.NoError(t, recorder.Close())
		c, err := cassette.Read(path)
		require.NoError(t, err)
		assert.Equal(t, chat("x"), string(c.At(0).Request.Body), "the request of one that got no reply")
		assert.Equal(t, "a=1", c.At(0).Request.Query)
		assert.Equal(t, wire.EndContext, c.At(0).Response.Ending)
	})
}
