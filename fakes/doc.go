// Package fakes stands in for language-model endpoints. A fake is an
// [net/http.Handler] that follows a [Script]: how long it waits, what it answers
// and what goes wrong. It speaks the protocol of the real endpoint, errors and
// oddities included, so that any client can be pointed at it.
//
// # In virtual time
//
// On a [Network], inside a [testing/synctest] bubble, hours of streaming pass in
// milliseconds and every event is sent and received at the nanosecond that the
// script says. [Script.Schedule] tells beforehand when that is.
//
//	func TestFirstToken(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			script := fakes.Script{
//				Seed: 1,
//				TTFT: fakes.Mixture(fakes.Lognormal(400*time.Millisecond, 0.35), 0.05, 4), // 5 % of requests 4x slower
//				Gap:  fakes.Lognormal(20*time.Millisecond, 0.3),
//				Faults: []fakes.Fault{
//					{On: fakes.Every(50), Attempts: 1, Effect: fakes.Refuse{Exception: fakes.Throttling}},
//				},
//			}
//			network := fakes.NewNetwork(fakes.Bedrock(script))
//			defer network.Close()
//
//			start := time.Now()
//			resp, err := network.Client().Post("http://bedrock.test/model/any/converse-stream", "application/json",
//				strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
//			if err != nil {
//				t.Fatal(err)
//			}
//			defer resp.Body.Close()
//			want, _ := script.Schedule(0, 0).TTFT()
//			if got := time.Since(start); got != want {
//				t.Errorf("the first event came after %v, want %v", got, want)
//			}
//		})
//	}
//
// An AWS SDK client takes network.Client() as its HTTPClient and needs nothing
// else but a region and any credentials.
//
// # In real time
//
// [NewServer] and [NewTLSServer] serve the same handlers on the loopback
// interface, over HTTP/1.1 and HTTP/2. Nothing is sent before its time there,
// and nothing later than the machine is busy.
//
// # Randomness
//
// The same seed gives the same times and the same bytes, whatever order
// goroutines run in: all that is random about an attempt follows from the seed,
// the number of its request and the number of the attempt; see [Script]. Each
// duration is drawn by inverting its distribution at one uniform number. That
// makes slow-downs comparable request by request: with [Scale] or [StretchTail]
// in it, the same seed makes the same requests slower.
package fakes
