package bedrock_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

const ms = time.Millisecond

// event writes an event to a client at once.
func event(w http.ResponseWriter, name, payload string) {
	_ = eventstream.NewEncoder().Encode(w, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":event-type", Value: eventstream.StringValue(name)},
			{Name: ":content-type", Value: eventstream.StringValue("application/json")},
			{Name: ":message-type", Value: eventstream.StringValue("event")},
		},
		Payload: []byte(payload),
	})
	_ = http.NewResponseController(w).Flush()
}

// answering starts the stream, says something that looks like its end, and after a
// second really ends it; last is what it does then.
func answering(last func(r *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		event(w, "messageStart", `{"role":"assistant"}`)
		time.Sleep(100 * ms)
		event(w, "aNewEvent", "\x0b:event-type\x07\x00\x0bmessageStop\x0b:event-type\x07\x00\x08metadata")
		event(w, "contentBlockDelta", `{"delta":{"text":":event-type metadata :message-type exception"}}`)
		time.Sleep(time.Second)
		event(w, "contentBlockDelta", `{"delta":{"text":"."}}`)
		event(w, "messageStop", `{"stopReason":"end_turn"}`)
		time.Sleep(300 * ms)
		event(w, "metadata", `{"usage":{"inputTokens":3,"outputTokens":2}}`)
		last(r)
	})
}

func TestStreamThatIsLeftOpenEndsAfterMetadata(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(answering(func(r *http.Request) { <-r.Context().Done() }))
		defer network.Close()
		target := bedrock.ConverseStream(client(network.Transport()), model)
		for i := range 3 {
			start := time.Now()
			capture := wire.NewCapture(i)
			require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
			assert.Equal(t, 1650*ms, time.Since(start), "250 ms after the terminal event")
			x := capture.Exchanges()[0]
			assert.Equal(t, wire.EndTerminal, x.Ending)
			assert.Equal(t, wire.At(1650*ms), x.End)
			require.NoError(t, x.Err)
			r := target.Decode(x)
			assert.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, wire.At(1400*ms), r.End, "t_end is the terminal event")
			assert.Equal(t, wire.At(1100*ms), r.Last())
			assert.Equal(t, providers.CountOf(2), r.Usage.Output)
		}
	})
}

// A server that ends its body, at once or a little later, keeps its connection.
func TestConnectionIsReusedAfterTheTerminalEvent(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, 200 * ms} {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(answering(func(*http.Request) { time.Sleep(pause) }))
			defer network.Close()
			target := bedrock.ConverseStream(client(network.Transport()), model)
			for i := range 3 {
				capture := wire.NewCapture(i)
				require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
				x := capture.Exchanges()[0]
				assert.Equal(t, wire.EndEOF, x.Ending)
				assert.Equal(t, wire.At(1400*ms+pause), x.End)
				assert.Equal(t, i > 0, x.Phases.Reused, "request %d", i)
				assert.Equal(t, wire.At(1400*ms), target.Decode(x).End)
			}
		})
	}
}

// Over a real socket: the endpoint notices that the client has gone.
func TestStreamThatIsLeftOpenIsHungUpOn(t *testing.T) {
	t.Parallel()
	var gone sync.WaitGroup
	gone.Add(1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		event(w, "contentBlockDelta", `{"delta":{"text":"hello"}}`)
		event(w, "messageStop", `{}`)
		event(w, "metadata", `{}`)
		<-r.Context().Done()
		gone.Done()
	}))
	defer server.Close()
	target := bedrock.ConverseStream(client(server.Client().Transport, func(o *bedrockruntime.Options) {
		o.BaseEndpoint = aws.String(server.URL)
	}), model)
	capture := wire.NewCapture(0)
	require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
	gone.Wait()
	x := capture.Exchanges()[0]
	assert.Equal(t, wire.EndTerminal, x.Ending)
	assert.Equal(t, providers.OK, target.Decode(x).Class)
}

// The AWS path follows no redirects: what they lead to would not be measured.
func TestRedirectIsNoReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(http.RedirectHandler("http://elsewhere.test/", http.StatusTemporaryRedirect))
		defer network.Close()
		c := bedrockruntime.New(client(nil).Options(), func(o *bedrockruntime.Options) {
			o.HTTPClient = &http.Client{
				Transport:     network.Transport(),
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
		})
		for _, target := range []*bedrock.Target{bedrock.ConverseStream(c, model), bedrock.Converse(c, model)} {
			got, _ := send(t.Context(), target, 0, providers.Prompt{Text: "hello"})
			require.Len(t, got, 1)
			assert.Equal(t, providers.Parse, got[0].Class)
			assert.True(t, strings.HasPrefix(got[0].Detail, "status 307 Temporary Redirect"), got[0].Detail)
		}
	})
}
