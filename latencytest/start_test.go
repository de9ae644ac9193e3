package latencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers/wire"
)

// The time before the last call is divided into that of the attempts which failed
// and that of the operation's earlier calls.
func TestWhenTheLastCallBegan(t *testing.T) {
	t.Parallel()
	const throttled = `{"error":{"code":"rate_limit_exceeded"}}`
	after := func(seconds int) time.Duration { return time.Duration(seconds) * time.Second }
	for _, c := range []struct {
		name            string
		statuses        []int // of calls at 0, 1, 3 and 7 s
		start, retrying wire.Instant
	}{
		{"one call", []int{200}, wire.Instant{}, wire.Instant{}},
		{"a call before", []int{200, 200}, wire.At(after(1)), wire.Instant{}},
		{"a retry", []int{429, 200}, wire.At(after(1)), wire.At(after(1))},
		{"two retries", []int{429, 429, 200}, wire.At(after(3)), wire.At(after(3))},
		{"a retry of the second call", []int{200, 429, 200}, wire.At(after(3)), wire.At(after(2))},
		{"a retry of the first call", []int{429, 200, 200}, wire.At(after(3)), wire.At(after(1))},
		{"both", []int{429, 200, 429, 200}, wire.At(after(7)), wire.At(after(1) + after(4))},
		{"in vain", []int{429, 429}, wire.At(after(1)), wire.At(after(1))},
	} {
		calls := exchangesAt(c.statuses, throttled, 0, after(1), after(3), after(7))
		s := observed(nil, calls...)
		assert.Equal(t, c.start, s.Start, c.name)
		assert.Equal(t, c.retrying, s.Retrying, c.name)
	}
}

// Calls side by side may be retried at the same time: no more time than there was
// went into that.
func TestRetriesSideBySide(t *testing.T) {
	t.Parallel()
	const other = "/other/chat/completions"
	s := observed(nil,
		attempt(0, chat, 500, ``), attempt(time.Second, other, 500, ``),
		attempt(8*time.Second, chat, 200, reply), attempt(9*time.Second, other, 200, reply))
	assert.Equal(t, 2, s.Retries)
	assert.Equal(t, wire.At(9*time.Second), s.Start)
	assert.Equal(t, wire.At(9*time.Second), s.Retrying)
}

// What is no model call is no retry either, but it takes time.
func TestACallBesideTheModel(t *testing.T) {
	t.Parallel()
	search := attempt(0, "/search", 200, `{}`)
	search.Host = "search.example.com"
	s := observed(nil, search, attempt(2*time.Second, chat, 200, reply))
	assert.Equal(t, 2, s.Calls)
	assert.Equal(t, wire.At(2*time.Second), s.Start)
	assert.Equal(t, wire.Instant{}, s.Retrying)
}

func exchangesAt(statuses []int, refusal string, times ...time.Duration) []*wire.Exchange {
	var calls []*wire.Exchange
	for i, status := range statuses {
		body := reply
		if status != 200 {
			body = refusal
		}
		calls = append(calls, attempt(times[i], chat, status, body))
	}
	return calls
}
