// Package wire records what an HTTP exchange with a language-model endpoint
// looked like on the wire: when each piece of the reply arrived, and its bytes.
//
// Its one idea is to capture first and decode afterwards. While a response
// streams, [Transport] does nothing but note the time at which each read of the
// body returned and keep the bytes. Framing, JSON and statistics happen after
// the stream has ended, from the finished [Exchange]. The instrument therefore
// costs next to nothing while the clock runs, and a slow consumer cannot falsify
// the times: a pump drains the network eagerly into bounded memory and the
// caller is served from there.
//
//	capture := wire.NewCapture(0)
//	client := &http.Client{Transport: &wire.Transport{}}
//	req, _ := http.NewRequestWithContext(capture.Context(ctx), "POST", url, body)
//	resp, err := client.Do(req) // any SDK that takes an http.Client will do
//	...                         // read and close resp.Body as ever
//	for _, x := range capture.Exchanges() { // waits until each one has ended
//		fmt.Println(x.Status, x.BodyStart(), len(x.Body))
//	}
//
// A stream ends at the first of these: the server ends the body, the caller closes
// it, the context is done, or the protocol's terminal event has come and the server
// leaves the body open (where [Transport.Terminal] knows that event). Which one it
// was is the exchange's [Ending]. The operation ends when its exchanges are handed
// out: later requests under the same capture fail with [ErrOperationEnded], so that
// what is handed out is complete and stays as it is.
//
// The frame readers [SSEReader], [EventStreamReader] and [LineReader] cut a body
// into events and say at which byte each one ends; [Exchange.ReadOf] turns that
// offset into the time of the read that completed the event. A read is not an event
// and an event is not a token: an event happened when its last byte arrived. Where a
// body came compressed, [Exchange.Identity] decompresses it first and keeps the times.
// [SSEEnd] and [LinesEnd] look for the terminal event while a stream still runs.
//
// The package imports only the standard library.
package wire
