package bedrock_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/examples/sdks/bedrock"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

func app(client *http.Client) fakeapi.Answer {
	return bedrock.NewSupport(fakebedrock.Config(client)).Answer
}

// What is reported through the SDK is what the script says, to the nanosecond.
func TestTTFTIsExact(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.Bedrock, fakeapi.Script, 60, 1, app) {
		s.RequireExact(t)
		s.RequireRecognized(t, "bedrock", "converse-stream", bedrock.Model, "bedrock-runtime.us-east-1.amazonaws.com")
		assert.Equal(t, providers.Reasoning, s.FirstChannel)
		assert.Zero(t, s.Coalesced)
	}
}

// The SDK tries again by itself after a throttle. The user waited from the first
// attempt on, so the sample runs from there.
func TestRetryOfTheSDK(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Attempts: 1, Effect: fakes.Refuse{Delay: 30 * time.Millisecond}}}
	for _, s := range fakeapi.Measure(t, fakes.Bedrock, script, 10, 1, app) {
		s.RequireExact(t)
		s.RequireRetried(t, 30*time.Millisecond)
	}
}

// A stream that reports an error itself fails through the SDK as well.
func TestErrorInTheStream(t *testing.T) {
	script := fakeapi.Script
	script.Faults = []fakes.Fault{{Effect: fakes.Throw{Exception: fakes.ModelStreamError, After: 7}}}
	for _, s := range fakeapi.Measure(t, fakes.Bedrock, script, 10, 1, app) {
		require.ErrorContains(t, s.Err, "ModelStreamErrorException")
		assert.Equal(t, providers.StreamError, s.Class)
		assert.Equal(t, "modelStreamErrorException", s.Code)
		s.RequireBrokenOff(t, 7)
	}
}

// The SDK returns no error for any stream that was cut, so the application takes
// half an answer for a whole one. The sample is truncated all the same.
func TestStreamThatWasCut(t *testing.T) {
	for _, place := range []fakes.Place{fakes.BetweenMessages, fakes.InPayload, fakes.Abort} {
		t.Run(string(place), func(t *testing.T) {
			script := fakeapi.Script
			script.Faults = []fakes.Fault{{Effect: fakes.Cut{At: place, After: 12}}}
			for _, s := range fakeapi.Measure(t, fakes.Bedrock, script, 10, 1, app) {
				require.NoError(t, s.Err)
				assert.Equal(t, providers.Truncated, s.Class)
				s.RequireBrokenOff(t, 12)
			}
		})
	}
}
