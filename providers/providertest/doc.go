// Package providertest checks that a provider measures right: that it times the
// piece of a reply that completes the first content, that it counts what is content
// and nothing else, and that whatever an endpoint does, the attempt ends up in the
// right class. A provider states how to reach it and what one reply says:
//
//	func TestConformance(t *testing.T) {
//		providertest.Run(t, providertest.Case{
//			New: func(url string, client *http.Client) providers.Target {
//				return acme.Chat("acme-large", endpoint.Options{BaseURL: url, Client: client})
//			},
//			Stream: providertest.SSE(`{"role":"assistant"}`, `{"text":"Hel"}`, `{"text":"lo"}`, `{"stop":"end"}`),
//			Want:   providertest.Want{Text: "Hello", First: 1, Last: 2, Stop: "end"},
//		})
//	}
//
// The reply is then sent over a network in memory, in virtual time: piece i comes
// (i+1)·10 ms after the request. It comes in other pieces too, compressed, cut
// after every byte, with bytes changed at random, from a connection that breaks or
// stays open, and instead of it come refusals and pages of HTML. What should come
// of each follows from the one reply.
//
// What the suite cannot know is in the fields of [Case] that may be left out: a
// reply without content, the protocol's own errors, and a reply in one piece. A
// provider that has them should give them.
package providertest
