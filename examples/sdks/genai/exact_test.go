package genai_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	support "github.com/latgate/latgate/examples/sdks/genai"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

// app returns the application over an SDK client that tries as often as that.
func app(t *testing.T, attempts int32) func(*http.Client) fakeapi.Answer {
	return func(over *http.Client) fakeapi.Answer {
		client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
			Backend: genai.BackendGeminiAPI, APIKey: "fake", HTTPClient: over,
			HTTPOptions: genai.HTTPOptions{RetryOptions: &genai.HTTPRetryOptions{Attempts: &attempts}},
		})
		require.NoError(t, err)
		return support.NewSupport(client).Answer
	}
}

// What is reported through the SDK is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.Gemini, fakeapi.Script, 60, 4, app(t, 1)) {
		s.RequireExact(t)
		s.RequireRecognized(t, "gemini", "generate-content", support.Model, "generativelanguage.googleapis.com")
		assert.Equal(t, providers.Reasoning, s.FirstChannel)
		assert.Zero(t, s.Coalesced)
	}
}

// The SDK tries again after a throttle where it was told to. The user waited from
// the first attempt on, so the sample runs from there.
func TestRetryOfTheSDK(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Delay: 30 * time.Millisecond}}}
	for _, s := range fakeapi.Measure(t, fakes.Gemini, script, 10, 4, app(t, 2)) {
		s.RequireExact(t)
		s.RequireRetried(t, 30*time.Millisecond)
	}
}

// A stream that reports an error itself fails through the SDK as well, both as an
// event and as the JSON that Google appends when the stream itself fails.
func TestErrorInTheStream(t *testing.T) {
	for code, effect := range map[string]fakes.Effect{
		"INTERNAL":  fakes.Throw{Exception: fakes.InternalServer, After: 7},
		"DATA_LOSS": fakes.ThrowUnmodelled{Code: "DATA_LOSS", After: 7},
	} {
		script := fakeapi.Script
		script.Faults = []fakes.Fault{{Effect: effect}}
		for _, s := range fakeapi.Measure(t, fakes.Gemini, script, 10, 4, app(t, 1)) {
			require.Error(t, s.Err)
			assert.Equal(t, providers.StreamError, s.Class)
			assert.Equal(t, code, s.Code)
			s.RequireBrokenOff(t, 7)
		}
	}
}

// The SDK returns no error for a stream that ends between two events, so the
// application takes half an answer for a whole one. The sample is truncated all the
// same, as it is where the SDK does notice.
func TestStreamThatWasCut(t *testing.T) {
	for place, noticed := range map[fakes.Place]bool{fakes.BetweenMessages: false, fakes.InPayload: true, fakes.Abort: true} {
		t.Run(string(place), func(t *testing.T) {
			script := fakeapi.Script
			script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
			for _, s := range fakeapi.Measure(t, fakes.Gemini, script, 10, 4, app(t, 1)) {
				assert.Equal(t, noticed, s.Err != nil, "%v", s.Err)
				assert.Equal(t, providers.Truncated, s.Class)
				s.RequireBrokenOff(t, 12)
			}
		})
	}
}
