package latencytest

import (
	"net/http"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A decoder is a [providers.Target], or the list of decoders of a [Recorder].
type decoder interface {
	Decode(*wire.Exchange) *providers.Response
}

// A call is one exchange of an operation, with its reply decoded.
type call struct {
	exchange *wire.Exchange
	reply    *providers.Response
}

// modelCalls returns those exchanges of an operation that ask a model: the others
// are token refreshes, searches and the like beside them. A call in no known
// protocol is one too where it asks what a known one asks, as its refusal does. Of
// an operation without any known call all are returned: one of them must be it.
func modelCalls(exchanges []*wire.Exchange, d decoder) []call {
	all := make([]call, len(exchanges))
	known := make(map[string]bool)
	for i, x := range exchanges {
		all[i] = call{x, d.Decode(x)}
		if all[i].reply.Provider != providers.Unknown {
			known[all[i].address()] = true
		}
	}
	var calls []call
	for _, c := range all {
		if known[c.address()] {
			calls = append(calls, c)
		}
	}
	if len(calls) == 0 {
		return all
	}
	return calls
}

// address is what an attempt has in common with its retries.
func (c call) address() string { return c.exchange.Method + " " + c.exchange.Host + c.exchange.Path }

// repeats returns which of the calls before it c makes again, −1 where that is none: as
// the SDK says in the request head, else the last one to the same address where that
// failed. A call that an SDK makes for the first time may still be one that the
// application makes again: it has the size of one that failed. Asking how far a reply
// has come is none.
func (c call) repeats(before []call) int {
	n, told := providers.Attempt(c.exchange)
	switch {
	case told && n > 0:
		return max(0, c.last(before, call.any))
	case c.exchange.Method == http.MethodGet:
		return -1
	case told:
		size := c.exchange.RequestBytes
		return c.last(before, func(b call) bool { return size > 0 && b.exchange.RequestBytes == size && b.failed() })
	}
	if i := c.last(before, call.any); i >= 0 && before[i].failed() {
		return i
	}
	return -1
}

func (c call) failed() bool {
	return c.reply.Class != providers.OK && c.reply.Provider != providers.Unknown || c.exchange.Status >= 400
}

// last returns the last of the calls to the same address for which is holds, −1 where
// there is none.
func (c call) last(before []call, is func(call) bool) int {
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].address() == c.address() && is(before[i]) {
			return i
		}
	}
	return -1
}

func (call) any() bool { return true }
