package latencytest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	bedrock "github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/openai"
	sagemaker "github.com/latgate/latgate/providers/sagemaker/protocol"
	"github.com/latgate/latgate/providers/tgi"
	"github.com/latgate/latgate/providers/wire"
)

// A Recorder is how a team's own code is measured, whatever SDK it uses: give
// [Recorder.Client] to the SDK, and call the code under the context that
// [RunFunc] hands out. Protocols are recognized from what is on the wire.
type Recorder struct {
	// Base makes the requests; set it before the first one. Nil means a network
	// transport that keeps its connections, see [wire.Transport].
	Base http.RoundTripper

	// Recording is what [Replay] replays; nil where nothing is.
	Recording *cassette.Cassette

	// Decoders are asked before the built-in ones, for protocols of your own.
	Decoders providers.Decoders

	once      sync.Once // takes Base over
	transport wire.Transport
}

// builtin are the protocols a Recorder recognizes by itself: by their paths in this
// order, then by how a reply begins.
var builtin = providers.Decoders{
	bedrock.Converse{},
	bedrock.Invoke{},
	sagemaker.Stream{},
	openai.ChatDecoder{},
	openai.ResponsesDecoder{},
	anthropic.MessagesDecoder{},
	gemini.Decoder{},
	cohere.Decoder{},
	ollama.Decoder{},
	tgi.Decoder{},
}

// Protocols returns the decoders of the protocols that a [Recorder] recognizes by itself.
func Protocols() providers.Decoders { return slices.Clone(builtin) }

// NewRecorder returns a recorder whose connections are closed when the test ends.
func NewRecorder(tb testing.TB) *Recorder {
	tb.Helper()
	rec := new(Recorder)
	tb.Cleanup(rec.transport.CloseIdleConnections)
	return rec
}

// Client returns the HTTP client to give to the SDK. A request made without the
// context of an operation is refused: it could not be told what it belongs to.
func (r *Recorder) Client() *http.Client {
	return &http.Client{Transport: (*recorderTransport)(r)}
}

// A strayError is the refusal of a request that belongs to no operation.
type strayError string

func (e strayError) Error() string {
	return fmt.Sprintf("latgate: %s was made without the context given to the scenario's function; pass that ctx down to the SDK call", string(e))
}

type recorderTransport Recorder

func (r *recorderTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if wire.CaptureOf(req.Context()) == nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, strayError(req.Method + " " + req.URL.Host)
	}
	r.once.Do(func() { r.transport.Base = r.Base })
	return r.transport.RoundTrip(req)
}

func (r *Recorder) operation(f func(context.Context, providers.Prompt) error) operation {
	return operation{
		run:     f,
		decoder: append(append(providers.Decoders{}, r.Decoders...), builtin...),
	}
}
