package anthropic_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	support "github.com/latgate/latgate/examples/sdks/anthropic"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

func app(over *http.Client) fakeapi.Answer {
	return support.NewSupport(anthropic.NewClient(option.WithAPIKey("fake"), option.WithHTTPClient(over))).Answer
}

// What is reported through the SDK is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.Anthropic, fakeapi.Script, 60, 4, app) {
		s.RequireExact(t)
		s.RequireRecognized(t, "anthropic", "messages", support.Model, "api.anthropic.com")
		assert.Equal(t, providers.Reasoning, s.FirstChannel)
		assert.Zero(t, s.Coalesced)
	}
}

// The SDK tries again by itself after a throttle, as long after it as the server
// asked. The user waited from the first attempt on, so the sample runs from there.
func TestRetryOfTheSDK(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Delay: 30 * time.Millisecond, RetryAfter: time.Second}}}
	for _, s := range fakeapi.Measure(t, fakes.Anthropic, script, 10, 4, app) {
		s.RequireExact(t)
		s.RequireRetried(t, 1030*time.Millisecond)
	}
}

// A stream that reports an error itself fails through the SDK as well.
func TestErrorInTheStream(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.InternalServer, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.Anthropic, script, 10, 4, app) {
		require.ErrorContains(t, s.Err, "Internal server error")
		assert.Equal(t, providers.StreamError, s.Class)
		assert.Equal(t, "api_error", s.Code)
		s.RequireBrokenOff(t, 7)
	}
}

// The SDK returns no error for a stream that ends too early, so the application
// takes half an answer for a whole one. The sample is truncated all the same, as it
// is where the SDK does notice: a connection that was reset.
func TestStreamThatWasCut(t *testing.T) {
	for place, noticed := range map[fakes.Place]bool{fakes.BetweenMessages: false, fakes.InPayload: false, fakes.Abort: true} {
		t.Run(string(place), func(t *testing.T) {
			script := fakeapi.Script
			script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
			for _, s := range fakeapi.Measure(t, fakes.Anthropic, script, 10, 4, app) {
				assert.Equal(t, noticed, s.Err != nil, "%v", s.Err)
				assert.Equal(t, providers.Truncated, s.Class)
				s.RequireBrokenOff(t, 12)
			}
		})
	}
}
