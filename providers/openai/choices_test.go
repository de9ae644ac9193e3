package openai_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// by is a chunk of a choice, null or a reason in its finish reason.
func by(index int, text, finish string) string {
	return `{"choices":[{"index":` + strconv.Itoa(index) + `,"delta":{"content":"` + text + `"},"finish_reason":` + finish + `}]}`
}

// A stream of several choices is whole when the last of them has finished.
func TestEndsOfSeveralChoices(t *testing.T) {
	t.Parallel()
	const null, stop = "null", `"stop"`
	for _, c := range []struct {
		name   string
		blocks []string
		class  providers.Class
	}{
		{"both finish", []string{by(0, "a", null), by(1, "b", null), by(0, "", stop), by(1, "", stop)}, providers.OK},
		{"one is still being written", []string{by(0, "a", null), by(1, "b", null), by(0, "", stop)}, providers.Truncated},
		{"and goes on", []string{by(0, "a", null), by(1, "b", null), by(0, "", stop), by(1, "b", null)}, providers.Truncated},
		{"one begins after the other has finished", []string{by(0, "a", null), by(0, "", stop), by(1, "b", null)}, providers.Truncated},
		{"and finishes too", []string{by(0, "a", null), by(0, "", stop), by(1, "b", null), by(1, "", stop)}, providers.OK},
		{"[DONE] ends them all", []string{by(0, "a", null), by(1, "b", null), by(0, "", stop), done}, providers.OK},
		{"usage does not", []string{by(0, "a", null), by(1, "b", null), by(0, "", stop), usage}, providers.Truncated},
		{"usage along the way", []string{role, counted("a", `"completion_tokens":1`), by(1, "b", null), by(0, "", stop)}, providers.Truncated},
		{"what follows the finish does not begin a choice again", []string{by(0, "a", stop), by(0, "", null)}, providers.OK},
		{"both in a chunk", []string{`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"},{"index":1,"delta":{"content":"b"}}]}`}, providers.Truncated},
		{"indexes that are none", []string{`{"choices":[{"index":"x","delta":{"content":"a"}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`}, providers.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(c.blocks...))
			assert.Equal(t, c.class, r.Class, r.Detail)

			want := c.class // to a caller who leaves
			if want == providers.Truncated {
				want = providers.Canceled
			}
			x := stream(c.blocks...)
			x.Ending, x.Err = wire.EndContext, context.Canceled
			assert.Equal(t, want, decode(t, x).Class)
			x.Ending, x.Err = wire.EndClosed, nil
			assert.Equal(t, want, decode(t, x).Class)
		})
	}
}
