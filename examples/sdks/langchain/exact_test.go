package langchain_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/examples/sdks/langchain"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

func app(t *testing.T) func(*http.Client) fakeapi.Answer {
	return func(over *http.Client) fakeapi.Answer {
		llm, err := openai.New(openai.WithModel(langchain.Model), openai.WithToken("fake"), openai.WithHTTPClient(over))
		require.NoError(t, err)
		return langchain.NewSupport(llm).Answer
	}
}

// What is reported through the library is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.OpenAI, fakeapi.Script, 60, 4, app(t)) {
		s.RequireExact(t)
		s.RequireRecognized(t, "openai", "chat-completions", langchain.Model, "api.openai.com")
		assert.Equal(t, providers.Reasoning, s.FirstChannel)
		assert.Zero(t, s.Coalesced)
	}
}

// The library does not try again, so a throttle is how the request ends.
func TestThrottle(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{}}}
	for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, app(t)) {
		require.ErrorContains(t, s.Err, "status code: 429")
		assert.Equal(t, providers.Throttled, s.Class)
		assert.Equal(t, "rate_limit_exceeded", s.Code)
		assert.Equal(t, []int{1, 0, 1}, []int{s.Calls, s.Retries, s.Throttles})
	}
}

// The library overlooks an error that the stream reports: the application takes
// half an answer for a whole one. The sample has failed all the same.
func TestErrorInTheStream(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.InternalServer, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, app(t)) {
		require.NoError(t, s.Err)
		assert.Equal(t, providers.StreamError, s.Class)
		assert.Equal(t, "server_error", s.Code)
		s.RequireBrokenOff(t, 7)
	}
}

// The library returns no error for a stream that ends too early either. It does for
// a connection that was reset.
func TestStreamThatWasCut(t *testing.T) {
	for place, noticed := range map[fakes.Place]bool{fakes.BetweenMessages: false, fakes.InPayload: false, fakes.Abort: true} {
		t.Run(string(place), func(t *testing.T) {
			script := fakeapi.Script
			script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
			for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, app(t)) {
				assert.Equal(t, noticed, s.Err != nil, "%v", s.Err)
				assert.Equal(t, providers.Truncated, s.Class)
				s.RequireBrokenOff(t, 12)
			}
		})
	}
}
