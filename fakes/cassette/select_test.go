package cassette_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes/cassette"
)

// What is taken out of a redacted cassette is still matched by what was recorded.
func TestSelectAndRedact(t *testing.T) {
	t.Parallel()
	c := assemble(t, request(at, `{"prompt":"one"}`, "1"), request(at, `{"prompt":"two"}`, "2"), request(at, `{"prompt":"six"}`, "3"))
	redacted, err := c.Redact()
	require.NoError(t, err)
	assert.True(t, redacted.Header.Redacted)
	assert.Equal(t, c.Header.Provenance, redacted.Header.Provenance)
	assert.Equal(t, c.Header.Started, redacted.Header.Started)
	assert.False(t, c.Header.Redacted, "the other stays")
	again, err := redacted.Redact()
	require.NoError(t, err)
	assert.Same(t, redacted, again)

	some := redacted.Select(func(n int, i *cassette.Interaction) bool { return n != 1 })
	path := temporary(t, "c.jsonl")
	require.NoError(t, cassette.Write(path, some))
	some, err = cassette.Read(path)
	require.NoError(t, err)
	assert.Equal(t, `{"prompt":"xxx"}`, string(some.At(1).Request.Body))
	synctest.Test(t, func(t *testing.T) {
		ask := func(prompt string) call { return call{url: "http://" + at, body: `{"prompt":"` + prompt + `"}`} }
		xs, player := replay(t, some, cassette.ReplayOptions{}, ask("six"), ask("one"), ask("two"))
		assert.Equal(t, []int{200, 200, 404}, []int{xs[0].Status, xs[1].Status, xs[2].Status})
		assert.Empty(t, player.Unused())
	})

	_, err = cassette.Assemble(cassette.Recording{}, some.At(0))
	assert.ErrorContains(t, err, "Select")
}
