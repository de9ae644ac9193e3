package recorded

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

// CheckContent compares the content of a decoded stream with the manifest: which
// frames carry it, where they end, which read brought them, and the text.
func (r Response) CheckContent(t testing.TB, got *providers.Response, bytesPerRead int) {
	t.Helper()
	require.NotEmpty(t, got.Events)
	assert.Equal(t, r.Int(t, "first_any_token_event"), got.Events[0].Frame)
	assert.EqualValues(t, r.Int(t, "first_any_token_end_off"), got.Events[0].End)
	var texts []providers.Event
	reasoning, tools := 0, 0
	for _, e := range got.Events {
		switch e.Channel {
		case providers.Text:
			texts = append(texts, e)
		case providers.Reasoning:
			reasoning++
		case providers.Tool:
			tools++
		}
		if bytesPerRead <= 64 { // larger ones are split by the size of the buffer
			assert.Equal(t, (int(e.End)-1)/bytesPerRead, e.Read, "the read that brought the event's last byte")
		}
	}
	assert.Equal(t, r.Int(t, "text_deltas"), len(texts))
	assert.Equal(t, r.Int(t, "reasoning_deltas"), reasoning)
	assert.Equal(t, r.Int(t, "tool_deltas"), tools)
	if len(texts) > 0 {
		first, last := texts[0], texts[len(texts)-1]
		assert.Equal(t, r.Int(t, "first_text_event"), first.Frame)
		assert.EqualValues(t, r.Int(t, "first_text_end_off"), first.End)
		assert.Equal(t, r.Int(t, "last_text_event"), last.Frame)
		assert.EqualValues(t, r.Int(t, "last_text_end_off"), last.End)
	}
	sum := sha256.Sum256([]byte(got.Text))
	assert.Equal(t, r["sha256_text"], hex.EncodeToString(sum[:])[:len(r["sha256_text"])])
	assert.Equal(t, r.Int(t, "text_bytes"), len(got.Text))
	assert.Equal(t, r.Int(t, "text_runes"), utf8.RuneCountInString(got.Text))
	assert.GreaterOrEqual(t, got.Reasoning, r.Int(t, "reasoning_runes"))
}
