package latencytest

import (
	"net/http"
	"time"

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

// repeats reports whether c makes one of the calls before it again: as the SDK
// says in the request head, else where the last one to the same address failed.
// Asking how far a reply has come is none.
func (c call) repeats(before []call) bool {
	if n, told := providers.Attempt(c.exchange); told {
		return n > 0
	}
	if c.exchange.Method == http.MethodGet {
		return false
	}
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].address() == c.address() {
			return before[i].reply.Class != providers.OK && before[i].reply.Provider != providers.Unknown ||
				before[i].exchange.Status >= 400
		}
	}
	return false
}

// sinceLast returns the time from the last call before c to the same address, or
// to any where there was none, until c.
func (c call) sinceLast(before []call) time.Duration {
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].address() == c.address() {
			return c.exchange.Call.Sub(before[i].exchange.Call)
		}
	}
	if len(before) == 0 {
		return 0
	}
	return c.exchange.Call.Sub(before[len(before)-1].exchange.Call)
}
