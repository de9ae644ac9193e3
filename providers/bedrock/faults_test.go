package bedrock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// The SDK returns no error for most of these; the class is judged from the bytes.
func TestEveryFaultHasItsClass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		effect fakes.Effect
		class  providers.Class
		code   string
		events int // content events before the fault
	}{
		{"throttled before the stream", fakes.Refuse{Exception: fakes.Throttling}, providers.Throttled, "ThrottlingException", 0},
		{"model not ready is no throttle", fakes.Refuse{Exception: fakes.ModelNotReady}, providers.HTTP4xx, "ModelNotReadyException", 0},
		{"bad request", fakes.Refuse{Exception: fakes.Validation}, providers.HTTP4xx, "ValidationException", 0},
		{"no access", fakes.Refuse{Exception: fakes.AccessDenied}, providers.HTTP4xx, "AccessDeniedException", 0},
		{"expired token", fakes.Refuse{Exception: fakes.ExpiredToken}, providers.HTTP4xx, "ExpiredTokenException", 0},
		{"server error", fakes.Refuse{Exception: fakes.InternalServer}, providers.HTTP5xx, "InternalServerException", 0},
		{"unavailable", fakes.Refuse{Exception: fakes.ServiceUnavailable}, providers.HTTP5xx, "ServiceUnavailableException", 0},
		{"throttled in the stream", fakes.Throw{Exception: fakes.Throttling, After: 3}, providers.Throttled, "throttlingException", 3},
		{"model error in the stream", fakes.Throw{Exception: fakes.ModelStreamError, After: 2}, providers.StreamError, "modelStreamErrorException", 2},
		{"error before any content", fakes.Throw{Exception: fakes.InternalServer}, providers.StreamError, "internalServerException", 0},
		{"unmodelled error", fakes.ThrowUnmodelled{After: 1}, providers.StreamError, "InternalFailure", 1},
		{"cut between messages", fakes.Cut{After: 4}, providers.Truncated, "", 4},
		{"cut in the prelude", fakes.Cut{At: fakes.InPrelude, After: 4}, providers.Truncated, "", 4},
		{"cut in the headers", fakes.Cut{At: fakes.InHeaders, After: 4}, providers.Truncated, "", 4},
		{"cut in the payload", fakes.Cut{At: fakes.InPayload, After: 4}, providers.Truncated, "", 4},
		{"cut before the checksum", fakes.Cut{At: fakes.BeforeCRC, After: 4}, providers.Truncated, "", 4},
		{"connection reset", fakes.Cut{At: fakes.Abort, After: 4}, providers.Truncated, "", 4},
		{"wrong checksum", fakes.Cut{At: fakes.BadCRC, After: 4}, providers.Parse, "", 4},
		{"never answered", fakes.Hang{}, providers.Timeout, "", 0},
		{"no content", fakes.Empty{}, providers.Empty, "", 0},
		{"no usage", fakes.NoUsage{}, providers.OK, "", 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{
					TTFT: fakes.Constant(300 * time.Millisecond), Gap: fakes.Constant(20 * time.Millisecond),
					OutputTokens: 8, Faults: []fakes.Fault{{Effect: c.effect}},
				}))
				defer network.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				got, _ := send(ctx, bedrock.ConverseStream(client(network.Transport()), model), 0, providers.Prompt{Text: "hello"})
				require.Len(t, got, 1, "retries are off")
				r := got[0]
				assert.Equal(t, c.class, r.Class, r.Detail)
				assert.Equal(t, c.code, r.Code)
				assert.Len(t, r.Events, c.events)
				assert.Equal(t, c.events > 0, r.First().Known(), "what came before the fault is kept")
			})
		})
	}
}

func TestConverseReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults []fakes.Fault
		class  providers.Class
	}{
		{"whole", nil, providers.OK},
		{"cut in the middle", []fakes.Fault{{Effect: fakes.Cut{After: 1}}}, providers.Truncated},
		{"without content", []fakes.Fault{{Effect: fakes.Empty{}}}, providers.Empty},
		{"throttled", []fakes.Fault{{Effect: fakes.Refuse{}}}, providers.Throttled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				script := fakes.Script{
					TTFT: fakes.Constant(300 * time.Millisecond), Gap: fakes.Constant(20 * time.Millisecond),
					OutputTokens: 8, ToolCalls: 1, Faults: c.faults,
				}
				network := fakes.NewNetwork(fakes.Bedrock(script))
				defer network.Close()
				got, _ := send(t.Context(), bedrock.Converse(client(network.Transport()), model), 0, providers.Prompt{Text: "hello"})
				require.Len(t, got, 1)
				r := got[0]
				require.Equal(t, c.class, r.Class, r.Detail)
				if c.class != providers.OK {
					return
				}
				end := script.Schedule(0, 0).End
				first, _ := r.First().Get()
				assert.Equal(t, end, first, "a reply in one piece has one time")
				assert.Equal(t, providers.CountOf(8), r.Usage.Output)
				assert.Equal(t, "tool_use", r.Stop)
				latency, _ := r.ServerLatency.Get()
				assert.Equal(t, end, latency)
			})
		})
	}
}

func TestRetriesOfTheSDKAreAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{
			TTFT:   fakes.Constant(300 * time.Millisecond),
			Faults: []fakes.Fault{{Attempts: 2, Effect: fakes.Refuse{}}},
		}))
		defer network.Close()
		retrying := client(network.Transport(), func(o *bedrockruntime.Options) {
			o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) { so.MaxAttempts = 3 })
		})

		got, err := send(t.Context(), bedrock.ConverseStream(retrying, model, bedrock.SDKRetries()), 0, providers.Prompt{Text: "hello"})
		require.NoError(t, err)
		require.Len(t, got, 3)
		assert.Equal(t, []providers.Class{providers.Throttled, providers.Throttled, providers.OK},
			[]providers.Class{got[0].Class, got[1].Class, got[2].Class})

		got, err = send(t.Context(), bedrock.ConverseStream(retrying, model), 1, providers.Prompt{Text: "hello"})
		require.Error(t, err)
		assert.Len(t, got, 1, "off unless asked for")
	})
}

func TestMissingCredentialsAreNoRequest(t *testing.T) {
	t.Parallel()
	none := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no credentials found")
		})})
	got, err := send(t.Context(), bedrock.ConverseStream(none, model), 0, providers.Prompt{Text: "hello"})
	require.ErrorContains(t, err, "no credentials found")
	assert.Empty(t, got)
	assert.Equal(t, providers.Connect, providers.ClassOfError(err))
}

func TestFallbackToStandardIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{Faults: []fakes.Fault{{Effect: fakes.Fallback{}}}}))
		defer network.Close()
		got, err := send(t.Context(), bedrock.ConverseStream(client(network.Transport()), model, bedrock.Optimized()), 0, providers.Prompt{Text: "a"})
		require.NoError(t, err)
		assert.Equal(t, "standard", got[0].Served)
	})
}
