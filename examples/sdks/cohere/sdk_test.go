package cohere_test

import (
	"net/http"
	"testing"

	"github.com/cohere-ai/cohere-go/v2/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/examples/sdks/cohere"
	"github.com/latgate/latgate/examples/sdks/internal/fakeapi"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
)

// bare is the application over the SDK as it comes.
func bare(over *http.Client) fakeapi.Answer {
	return cohere.NewSupport(client.NewClient(client.WithToken("fake"), client.WithHTTPClient(over))).Answer
}

// The SDK alone gives up at the first blank line, before it has seen any content.
// Measuring does not change that. When this test fails, the SDK has been mended, and
// what Transport does to replies can go.
func TestSDKAloneReadsNoStream(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.Cohere, fakeapi.Script, 10, 4, bare) {
		require.ErrorContains(t, s.Err, "unexpected end of JSON input")
		assert.Equal(t, providers.Canceled, s.Class, "the application hung up")
		assert.False(t, s.First.Known())
	}
}

// The fake has a stream that the SDK alone can read, for applications without a
// remedy of their own. The times in it are the same.
func TestSDKAloneOverAStreamThatItReads(t *testing.T) {
	for _, s := range fakeapi.Measure(t, fakes.CohereForGoSDK, fakeapi.Script, 60, 4, bare) {
		s.RequireExact(t)
		s.RequireRecognized(t, "cohere", "chat", "", "api.cohere.com")
	}
}
