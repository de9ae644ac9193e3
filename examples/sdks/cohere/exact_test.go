package cohere_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/examples/sdks/cohere"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

func app(over *http.Client) fakeapi.Answer {
	return cohere.NewSupport(cohere.NewClient("fake", over)).Answer
}

// What is reported through the SDK is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.Cohere, fakeapi.Script, 60, 4, app) {
		s.RequireExact(t)
		s.RequireRecognized(t, "cohere", "chat", "", "api.cohere.com") // replies do not name the model
		assert.Equal(t, providers.Reasoning, s.FirstChannel)
		assert.Zero(t, s.Coalesced)
	}
}

// The SDK tries again by itself after a throttle. The user waited from the first
// attempt on, so the sample runs from there.
func TestRetryOfTheSDK(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Delay: 30 * time.Millisecond}}}
	for _, s := range fakeapi.Measure(t, fakes.Cohere, script, 10, 4, app) {
		s.RequireExact(t)
		s.RequireRetried(t, 30*time.Millisecond)
	}
}

// The SDK overlooks an error that the stream reports: the application takes half an
// answer for a whole one. The sample has failed all the same.
func TestErrorInTheStream(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.InternalServer, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.Cohere, script, 10, 4, app) {
		require.NoError(t, s.Err)
		assert.Equal(t, providers.StreamError, s.Class)
		s.RequireBrokenOff(t, 7)
	}
}

// The SDK returns no error for a stream that ends between two events either. It does
// for half an event, and for a connection that was reset.
func TestStreamThatWasCut(t *testing.T) {
	for place, noticed := range map[fakes.Place]bool{fakes.BetweenMessages: false, fakes.InPayload: true, fakes.Abort: true} {
		t.Run(string(place), func(t *testing.T) {
			script := fakeapi.Script
			script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
			for _, s := range fakeapi.Measure(t, fakes.Cohere, script, 10, 4, app) {
				assert.Equal(t, noticed, s.Err != nil, "%v", s.Err)
				assert.Equal(t, providers.Truncated, s.Class)
				s.RequireBrokenOff(t, 12)
			}
		})
	}
}
