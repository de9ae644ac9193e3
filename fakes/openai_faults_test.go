package fakes_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

func TestOpenAIFaults(t *testing.T) {
	t.Parallel()
	refuse := func(e fakes.Exception) fakes.Effect {
		return fakes.Refuse{Exception: e, Delay: 5 * ms}
	}
	for _, c := range []struct {
		effect     fakes.Effect
		class      providers.Class
		code       string
		overloaded bool
		events     int
	}{
		{fakes.Refuse{RetryAfter: 1500 * ms}, providers.Throttled, "rate_limit_exceeded", false, 0},
		{refuse(fakes.ServiceQuotaExceeded), providers.HTTP4xx, "insufficient_quota", false, 0},
		{refuse(fakes.Validation), providers.HTTP4xx, "invalid_request_error", false, 0},
		{refuse(fakes.AccessDenied), providers.HTTP4xx, "invalid_request_error", false, 0},
		{refuse(fakes.UnrecognizedClient), providers.HTTP4xx, "invalid_api_key", false, 0},
		{refuse(fakes.ResourceNotFound), providers.HTTP4xx, "model_not_found", false, 0},
		{refuse(fakes.InternalServer), providers.HTTP5xx, "server_error", false, 0},
		{refuse(fakes.ModelTimeout), providers.HTTP5xx, "server_error", false, 0},
		{refuse(fakes.ServiceUnavailable), providers.HTTP5xx, "service_unavailable", true, 0},
		{refuse("SomethingNew"), providers.HTTP5xx, "SomethingNew", false, 0},
		{fakes.Throw{After: 3}, providers.Throttled, "rate_limit_exceeded", false, 3},
		{fakes.Throw{Exception: fakes.InternalServer, After: 2}, providers.StreamError, "server_error", false, 2},
		{fakes.Throw{Exception: fakes.ModelStreamError}, providers.StreamError, "server_error", false, 0},
		{fakes.ThrowUnmodelled{Message: "lost", After: 1}, providers.StreamError, "InternalFailure", false, 1},
		{fakes.ThrowUnmodelled{Code: "server_overloaded", After: 1}, providers.Throttled, "server_overloaded", true, 1},
		{fakes.Cut{After: 3}, providers.Truncated, "", false, 3},
		{fakes.Cut{At: fakes.InPrelude, After: 3}, providers.Truncated, "", false, 3},
		{fakes.Cut{At: fakes.InHeaders, After: 3}, providers.Truncated, "", false, 3},
		{fakes.Cut{At: fakes.InPayload, After: 3}, providers.Truncated, "", false, 3},
		{fakes.Cut{At: fakes.BeforeCRC, After: 3}, providers.Truncated, "", false, 3},
		{fakes.Cut{At: fakes.BadCRC, After: 3}, providers.Parse, "", false, 3},
		{fakes.Cut{At: fakes.Abort, After: 3}, providers.Truncated, "", false, 3},
		{fakes.Hang{}, providers.Timeout, "", false, 0},
		{fakes.Empty{}, providers.Empty, "", false, 0},
		{fakes.NoUsage{}, providers.OK, "", false, 32},
	} {
		for name, target := range openAITargets {
			t.Run(fmt.Sprintf("%s %T%v", name, c.effect, c.effect), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					script := fakes.Script{TTFT: fakes.Constant(100 * ms), Gap: fakes.Constant(10 * ms), Faults: []fakes.Fault{{Effect: c.effect}}}
					want := script.Schedule(0, 0)
					r := askThrough(t, fakes.OpenAI(script), target, endpoint.Options{}, askHello, 0)
					code := c.code
					refusal, refused := c.effect.(fakes.Refuse)
					if azure, known := map[fakes.Exception]string{"": "RateLimitReached", fakes.UnrecognizedClient: "401", fakes.ResourceNotFound: "DeploymentNotFound"}[refusal.Exception]; known && refused && name == "azure" {
						code = azure
					}
					assert.Equal(t, c.class, r.Class, r.Detail)
					assert.Equal(t, code, r.Code)
					assert.Equal(t, c.overloaded, r.Overloaded)
					assert.Len(t, r.Events, c.events)
					wantRetry := wire.Instant{}
					if refusal.RetryAfter > 0 {
						wantRetry = wire.At(refusal.RetryAfter)
					}
					assert.Equal(t, wantRetry, r.RetryAfter)
					if _, hangs := c.effect.(fakes.Hang); !hangs {
						assert.Equal(t, wire.At(want.End), r.End)
					}
					if _, none := c.effect.(fakes.NoUsage); none {
						assert.Equal(t, providers.Usage{}, r.Usage)
					}

					whole := askThrough(t, fakes.OpenAI(script), target, endpoint.Options{Unary: true}, askHello, 0)
					switch class := whole.Class; c.effect.(type) {
					case fakes.Throw, fakes.ThrowUnmodelled:
						assert.Contains(t, []providers.Class{providers.Throttled, providers.HTTP5xx}, class, "refused instead")
					case fakes.Cut:
						assert.Equal(t, providers.Truncated, class)
					default:
						assert.Equal(t, c.class, class, whole.Detail)
					}
				})
			})
		}
	}
}
