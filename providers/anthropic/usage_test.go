package anthropic_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
)

// Records are cumulative: of each count the last value is the one, and none is
// ever added to another's.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		start, delta string
		want         providers.Usage
	}{
		{
			"output in message_delta alone", `{"input_tokens":506,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5,"service_tier":"standard"}`, `{"output_tokens":153}`,
			providers.Usage{Input: count(506), Output: count(153), CachedRead: count(0), CachedWrite: count(0)},
		},
		{
			"input repeated", `{"input_tokens":92,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":88}`, `{"input_tokens":92,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":189}`,
			providers.Usage{Input: count(92), Output: count(189), CachedRead: count(0), CachedWrite: count(0)},
		},
		{
			"the cache read and written", `{"input_tokens":11,"cache_creation_input_tokens":20,"cache_read_input_tokens":1031,"output_tokens":1}`, `{"output_tokens":100}`,
			providers.Usage{Input: count(1062), Output: count(100), CachedRead: count(1031), CachedWrite: count(20)},
		},
		{
			"input grown by a server's tool", `{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":3}`, `{"input_tokens":2010,"cache_read_input_tokens":7,"output_tokens":40,"server_tool_use":{"web_search_requests":1}}`,
			providers.Usage{Input: count(2017), Output: count(40), CachedRead: count(7)},
		},
		{
			"thinking", `{"input_tokens":10,"output_tokens":3}`, `{"output_tokens":40,"output_tokens_details":{"thinking_tokens":30}}`,
			providers.Usage{Input: count(10), Output: count(40), Reasoning: count(30)},
		},
		{
			"thinking is null", `{"input_tokens":10,"output_tokens":3,"output_tokens_details":null}`, `{"output_tokens":40,"output_tokens_details":{"thinking_tokens":null}}`,
			providers.Usage{Input: count(10), Output: count(40)},
		},
		{
			"a proxy that counts at the end", `{"input_tokens":0,"output_tokens":0}`, `{"input_tokens":10,"output_tokens":40}`,
			providers.Usage{Input: count(10), Output: count(40)},
		},
		{
			"a proxy that counts at the start", `{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}`, `{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":40,"output_tokens_details":{"thinking_tokens":0}}`,
			providers.Usage{Input: count(14), Output: count(40), CachedRead: count(4), Reasoning: count(0)},
		},
		{
			"no count of input", `{"cache_read_input_tokens":5}`, `{"output_tokens":40}`,
			providers.Usage{Output: count(40), CachedRead: count(5)},
		},
		{
			"null after a count", `{"input_tokens":10,"output_tokens":3}`, `{"input_tokens":null,"output_tokens":40}`,
			providers.Usage{Input: count(10), Output: count(40)},
		},
		{
			"floats", `{"input_tokens":10.0,"output_tokens":3.0}`, `{"output_tokens":4e1}`,
			providers.Usage{Input: count(10), Output: count(40)},
		},
		{
			"no counts", `{"input_tokens":"ten","output_tokens":-3}`, `{"output_tokens":4.5}`,
			providers.Usage{},
		},
		{
			"what is no count does not undo one", `{"input_tokens":10,"output_tokens":3}`, `{"input_tokens":"many","output_tokens":40}`,
			providers.Usage{Input: count(10), Output: count(40)},
		},
		{"zero beside content", `{"input_tokens":0,"output_tokens":0}`, `{"output_tokens":0}`, providers.Usage{}},
		{"no objects", `[1]`, `"none"`, providers.Usage{}},
		{"details are no object", `{"input_tokens":10,"output_tokens_details":7,"output_tokens":3}`, `{"output_tokens":40}`, providers.Usage{Input: count(10), Output: count(40)}},
		{"null", `null`, `null`, providers.Usage{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := decode(t, stream(messageStart(c.start), hello, messageDelta(c.delta), stop))
			assert.Equal(t, c.want, r.Usage)
			assert.Equal(t, providers.OK, r.Class, "usage is no reason to lose a reply: %s", r.Detail)
			assert.False(t, r.FirstCount.Known())
		})
	}

	r := decode(t, stream(messageStart(`{"input_tokens":10,"output_tokens":3}`), hello))
	assert.Equal(t, count(3), r.Usage.Output, "as far as it went")
	r = decode(t, stream(begin, hello, finish, messageDelta(`{"output_tokens":7}`), stop))
	assert.Equal(t, count(7), r.Usage.Output, "the last of two")
	r = decode(t, stream(`{"type":"message_start","message":{"id":"msg_1","model":"m"}}`, hello, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, stop))
	assert.Equal(t, providers.Usage{}, r.Usage, "none at all")
	assert.Equal(t, providers.OK, r.Class)
}
