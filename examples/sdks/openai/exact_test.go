package openai_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	support "github.com/latgate/latgate/examples/sdks/openai"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

func sdk(over *http.Client) openai.Client {
	return openai.NewClient(option.WithAPIKey("fake"), option.WithHTTPClient(over))
}

func chat(over *http.Client) fakeapi.Answer {
	return support.NewChatSupport(sdk(over)).Answer
}

func response(over *http.Client) fakeapi.Answer {
	return support.NewResponsesSupport(sdk(over)).Answer
}

// both are the two APIs, by the names that the gate has for them.
var both = map[string]func(*http.Client) fakeapi.Answer{
	"chat-completions": chat,
	"responses":        response,
}

// What is reported through the SDK is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for api, app := range both {
		t.Run(api, func(t *testing.T) {
			for _, s := range fakeapi.Measure(t, fakes.OpenAI, fakeapi.Script, 60, 4, app) {
				s.RequireExact(t)
				s.RequireRecognized(t, "openai", api, support.Model, "api.openai.com")
				assert.Equal(t, providers.Reasoning, s.FirstChannel)
				assert.Zero(t, s.Coalesced)
			}
		})
	}
}

// The SDK tries again by itself after a throttle, as long after it as the server
// asked. The user waited from the first attempt on, so the sample runs from there.
func TestRetryOfTheSDK(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Delay: 30 * time.Millisecond, RetryAfter: 700 * time.Millisecond}}}
	for api, app := range both {
		t.Run(api, func(t *testing.T) {
			for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, app) {
				s.RequireExact(t)
				s.RequireRetried(t, 730*time.Millisecond)
			}
		})
	}
}

// A stream that reports an error itself fails through the SDK as well.
func TestErrorInTheStream(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.InternalServer, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, chat) {
		require.ErrorContains(t, s.Err, "The server had an error while processing your request")
		assert.Equal(t, providers.StreamError, s.Class)
		assert.Equal(t, "server_error", s.Code)
		s.RequireBrokenOff(t, 7)
	}
}

// In the Responses API a response that failed is an event like any other, which an
// application may overlook, as this one does. The sample has failed all the same.
func TestResponseThatFailed(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.InternalServer, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, response) {
		require.NoError(t, s.Err)
		assert.Equal(t, providers.StreamError, s.Class)
		assert.Equal(t, "server_error", s.Code)
		s.RequireBrokenOff(t, 7)
	}
}

// The SDK returns no error for a stream that ends too early, so the application
// takes half an answer for a whole one. The sample is truncated all the same, as it
// is where the SDK does notice: a connection that was reset.
func TestStreamThatWasCut(t *testing.T) {
	for api, app := range both {
		for place, noticed := range map[fakes.Place]bool{fakes.BetweenMessages: false, fakes.InPayload: false, fakes.Abort: true} {
			t.Run(api+"/"+string(place), func(t *testing.T) {
				script := fakeapi.Script
				script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
				for _, s := range fakeapi.Measure(t, fakes.OpenAI, script, 10, 4, app) {
					assert.Equal(t, noticed, s.Err != nil, "%v", s.Err)
					assert.Equal(t, providers.Truncated, s.Class)
					s.RequireBrokenOff(t, 12)
				}
			})
		}
	}
}
