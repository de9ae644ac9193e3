package providers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

func TestClassOfStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   providers.Class
	}{
		{429, "", providers.Throttled},
		{429, "ThrottlingException", providers.Throttled},
		{400, "throttlingException", providers.Throttled},
		{429, "ModelNotReadyException", providers.HTTP4xx},
		{429, "insufficient_quota", providers.HTTP4xx},
		{529, "overloaded_error", providers.Throttled},
		{503, "overloaded_error", providers.Throttled},
		{429, "RESOURCE_EXHAUSTED", providers.Throttled},
		{429, "rate_limit_exceeded", providers.Throttled},
		{400, "LimitExceededException", providers.Throttled},
		{400, "ServiceQuotaExceededException", providers.HTTP4xx},
		{400, "ValidationException", providers.HTTP4xx},
		{403, "AccessDeniedException", providers.HTTP4xx},
		{500, "InternalServerException", providers.HTTP5xx},
		{503, "ServiceUnavailableException", providers.HTTP5xx},
		{400, "", providers.HTTP4xx},
		{499, "", providers.HTTP4xx},
		{301, "PermanentRedirect", providers.Parse},
		{307, "", providers.Parse},
		{304, "", providers.Parse},
		{302, "SlowDown", providers.Throttled},
	} {
		assert.Equal(t, c.want, providers.ClassOfStatus(c.status, c.code), "%d %s", c.status, c.code)
	}
}

func TestClassOfError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want providers.Class
	}{
		{errors.New("connection refused"), providers.Connect},
		{nil, providers.Connect},
		{fmt.Errorf("dialling: %w", context.DeadlineExceeded), providers.Timeout},
		{os.ErrDeadlineExceeded, providers.Timeout},
		{fmt.Errorf("asking: %w", context.Canceled), providers.Canceled},
	} {
		assert.Equal(t, c.want, providers.ClassOfError(c.err), "%v", c.err)
	}
}

func TestClassOfEnding(t *testing.T) {
	t.Parallel()
	deadline := wire.Exchange{Ending: wire.EndContext, Err: context.DeadlineExceeded}
	canceled := wire.Exchange{Ending: wire.EndContext, Err: context.Canceled}
	closed := wire.Exchange{Ending: wire.EndClosed}
	eof := wire.Exchange{Ending: wire.EndEOF}
	terminal := wire.Exchange{Ending: wire.EndTerminal}
	failed := wire.Exchange{Ending: wire.EndFailed, Err: errors.New("connection reset")}
	for _, c := range []struct {
		x                 wire.Exchange
		complete, content bool
		want              providers.Class
	}{
		{eof, true, true, providers.OK},
		{closed, true, true, providers.OK}, // the caller had what it wanted
		{deadline, true, true, providers.OK},
		{terminal, true, true, providers.OK},
		{terminal, true, false, providers.Empty},
		{terminal, false, true, providers.Truncated}, // the transport and the decoder disagree
		{eof, true, false, providers.Empty},
		{eof, false, true, providers.Truncated},
		{failed, false, true, providers.Truncated},
		{deadline, false, true, providers.Timeout},
		{canceled, false, false, providers.Canceled},
		{closed, false, true, providers.Canceled},
	} {
		assert.Equal(t, c.want, providers.ClassOfEnding(&c.x, c.complete, c.content), "%+v", c)
	}
}

func TestCountsAreTakenAsProvidersSendThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]providers.Count{
		`6`: providers.CountOf(6), `6.0`: providers.CountOf(6), `0`: providers.CountOf(0), `1e3`: providers.CountOf(1000),
		`"6"`: providers.CountOf(6), `null`: {}, `"six"`: {}, `""`: {}, `6.5`: {}, `-1`: {}, `1e300`: {}, `{}`: {}, `true`: {},
	} {
		var got struct{ N providers.Count }
		require.NoError(t, json.Unmarshal([]byte(`{"N":`+text+`}`), &got), text)
		assert.Equal(t, want, got.N, text)
	}
	data, err := json.Marshal(providers.Usage{Output: providers.CountOf(0)})
	require.NoError(t, err)
	assert.JSONEq(t, `{"output_tokens":0}`, string(data), "0 is a count, missing is not")
}

func TestUnknownProtocolIsReportedNotGuessed(t *testing.T) {
	t.Parallel()
	x := &wire.Exchange{
		Method: "POST", Host: "model.test", Path: "/generate", Status: 200, Ending: wire.EndEOF,
		Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body:   []byte("data: hello\n\n"), Marks: []wire.Mark{{End: 13, At: 5}}, End: wire.At(6),
	}
	r := providers.Decoders{}.Decode(x)
	assert.Equal(t, providers.Parse, r.Class)
	assert.Equal(t, "no decoder recognizes POST model.test/generate with content type text/event-stream: "+
		"its bytes are timed, but which of them are content is not known", r.Detail)
	assert.False(t, r.First().Known())
}
