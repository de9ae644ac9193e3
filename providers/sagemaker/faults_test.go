package sagemaker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/sagemaker"
)

func TestEveryFaultHasItsClass(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name   string
		effect fakes.Effect
		class  providers.Class
		code   string
		events int // content events before the fault
	}{
		{"throttled before the stream", fakes.Refuse{RetryAfter: 1500 * ms}, providers.Throttled, "ThrottlingException", 0},
		{"model not ready is no throttle", fakes.Refuse{Exception: fakes.ModelNotReady}, providers.HTTP4xx, "ModelNotReadyException", 0},
		{"no such endpoint", fakes.Refuse{Exception: fakes.ResourceNotFound}, providers.HTTP4xx, "ValidationError", 0},
		{"no access", fakes.Refuse{Exception: fakes.AccessDenied}, providers.HTTP4xx, "AccessDeniedException", 0},
		{"the container refuses", fakes.Refuse{Exception: fakes.ModelError}, providers.HTTP4xx, "ModelError", 0},
		{"server error", fakes.Refuse{Exception: fakes.InternalServer}, providers.HTTP5xx, "InternalFailure", 0},
		{"unavailable", fakes.Refuse{Exception: fakes.ServiceUnavailable}, providers.HTTP5xx, "ServiceUnavailable", 0},
		{"throttled in the stream", fakes.Throw{After: 3}, providers.Throttled, "ThrottlingException", 3},
		{"the container dies", fakes.Throw{Exception: fakes.ModelStreamError, After: 2}, providers.StreamError, "ModelStreamError", 2},
		{"the container takes too long", fakes.Throw{Exception: fakes.ModelTimeout, After: 2}, providers.StreamError, "ModelStreamError", 2},
		{"error before any content", fakes.Throw{Exception: fakes.InternalServer}, providers.StreamError, "InternalStreamFailure", 0},
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
		{"stalled", fakes.Stall{At: 4, For: time.Second}, providers.OK, "", 8},
		{"no usage", fakes.NoUsage{}, providers.OK, "", 8},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, c := range containers {
					network := fakes.NewNetwork(fakes.SageMaker(fakes.Script{
						TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(20 * ms),
						OutputTokens: 8, Faults: []fakes.Fault{{Effect: f.effect}},
					}, c.container))
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					got, _ := send(ctx, sagemaker.InvokeEndpointWithResponseStream(client(network.Transport()), "e", c.options...), 0, providers.Prompt{Text: "hello"})
					cancel()
					network.Close()
					require.Len(t, got, 1, "retries are off")
					r := got[0]
					assert.Equal(t, f.class, r.Class, "%s: %s", c.name, r.Detail)
					assert.Equal(t, f.code, r.Code, c.name)
					assert.Len(t, r.Events, f.events, c.name)
					switch e := f.effect.(type) {
					case fakes.NoUsage:
						assert.Equal(t, providers.Usage{}, r.Usage, c.name)
					case fakes.Refuse:
						assert.Equal(t, e.RetryAfter > 0, r.RetryAfter.Known())
					case fakes.Stall:
						assert.Equal(t, 1380*ms, r.Events[4].At, c.name)
					}
				}
			})
		})
	}
}

func TestRepliesCutOrRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		effect fakes.Effect
		class  providers.Class
	}{
		{fakes.Cut{After: 1}, providers.Truncated},
		{fakes.Throw{Exception: fakes.ModelError}, providers.HTTP4xx},
		{fakes.ThrowUnmodelled{}, providers.HTTP5xx},
		{fakes.Refuse{}, providers.Throttled},
		{fakes.Empty{}, providers.Empty},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, c := range containers {
				network := fakes.NewNetwork(fakes.SageMaker(fakes.Script{OutputTokens: 8, Faults: []fakes.Fault{{Effect: f.effect}}}, c.container))
				got, _ := send(t.Context(), sagemaker.InvokeEndpoint(client(network.Transport()), "e", c.options...), 0, providers.Prompt{Text: "hello"})
				network.Close()
				require.Len(t, got, 1)
				assert.Equal(t, f.class, got[0].Class, "%s: %T: %s", c.name, f.effect, got[0].Detail)
			}
		})
	}
}
