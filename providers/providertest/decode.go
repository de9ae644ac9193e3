package providertest

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// checkDecode decodes one exchange several times, at once and one after the other.
func checkDecode(t *trial) {
	for _, s := range []script{t.Stream.script(), t.Stream.script().gzipped()} {
		out := t.send(context.Background(), t.New, endpointURL, s)
		if len(out.exchanges) != 1 {
			return // reported by checkStream
		}
		x := out.exchanges[0]
		before := clone(x)
		first := t.decode("the stream", out.target, x)
		if first == nil {
			return
		}
		if !reflect.DeepEqual(before, x) {
			t.errorf("Decode changes the exchange")
			return
		}
		responses := make([]*providers.Response, 4)
		var group sync.WaitGroup
		for i := range responses {
			group.Go(func() { responses[i] = t.decode("one of several at once", out.target, x) })
		}
		group.Wait()
		for _, r := range responses {
			if r != nil && !reflect.DeepEqual(first, r) {
				t.errorf("Decode: the same exchange has two responses: %+v and %+v", first, r)
			}
		}
	}
}

// clone returns a copy of x that shares nothing that can be changed.
func clone(x *wire.Exchange) *wire.Exchange {
	c := *x
	c.RequestHeader, c.Header = x.RequestHeader.Clone(), x.Header.Clone()
	c.Body, c.Marks = bytes.Clone(x.Body), slices.Clone(x.Marks)
	return &c
}
