// Package providers is the vocabulary of one request to a language model: what
// is asked ([Prompt]), whom ([Target]), what came back ([Response], [Usage]) and
// how the attempt ended ([Class]).
//
// A provider is a [Target]: it sends a prompt through an HTTP client whose
// transport captures (see package wire), and afterwards decodes the captured
// bytes, never the events of its own SDK:
//
//	capture := wire.NewCapture(0)
//	err := target.Send(capture.Context(ctx), prompt)
//	for _, x := range capture.Exchanges() {
//		r := target.Decode(x)
//		first, ok := r.First().Get()
//		fmt.Println(r.Class, first, ok, r.Usage.Output)
//	}
//
// Whether a reply is complete is judged here, from its bytes: SDKs return no
// error for streams that were cut in the middle.
package providers
