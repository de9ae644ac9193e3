// Package cassette records endpoints and replays them: the same bytes at the same
// times, without a network, a key or a bill.
//
// # Recording
//
// A [Recorder] writes exchanges to a file as they end. Its transport goes below the
// capturing one, because an exchange does not hold the request's body:
//
//	recorder, err := cassette.Create("testdata/latgate/answer.cassette.jsonl", cassette.Recording{Name: "answer"})
//	...
//	client := &http.Client{Transport: &wire.Transport{Base: recorder.Transport(http.DefaultTransport)}}
//	...
//	for _, x := range capture.Exchanges() {
//		err = recorder.Add(x)
//	}
//	err = recorder.Close() // only now is the file in its place
//
// Package convert reads what other tools have recorded: HAR, VCR.py, VCR and go-vcr.
//
// # Replaying
//
// A [Player] is an [net/http.Handler]. On a network in memory, inside a
// [testing/synctest] bubble, each read comes at the nanosecond at which it was recorded,
// and hours pass in seconds:
//
//	func TestReplay(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			c, err := cassette.Read("testdata/answer.cassette.jsonl")
//			if err != nil {
//				t.Fatal(err)
//			}
//			player, err := c.Handler(cassette.ReplayOptions{Pace: cassette.Pace{TTFT: 1.5}})
//			if err != nil {
//				t.Fatal(err)
//			}
//			network := fakes.NewNetwork(player)
//			defer network.Close()
//
//			start := time.Now()
//			resp, err := network.Client().Post("https://api.openai.com/v1/chat/completions", "application/json",
//				strings.NewReader(`{"model":"gpt-test","stream":true,"messages":[{"role":"user","content":"Hello"}]}`))
//			if err != nil {
//				t.Fatal(err)
//			}
//			defer resp.Body.Close()
//			if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
//				t.Fatal(err)
//			}
//			if got, want := time.Since(start), 3*c.At(0).Response.Reads[0].At/2; got != want {
//				t.Errorf("the first byte came after %v, want %v", got, want)
//			}
//			if err := player.Err(); err != nil {
//				t.Error(err) // the code asks something else than it did
//			}
//		})
//	}
//
// Any SDK takes network.Client() as its HTTP client. A fakes.NewServer(player) replays in
// real time.
//
// What-if questions are a [Pace] (a slower first token, longer gaps) and a [Fault] (a
// stall, a cut, a throttle, a slow connection).
//
// A recording can be of no use to a gate on times: see [Cassette.Synthesised] and
// [Cassette.Buffered].
//
// # Matching
//
// A request is answered by a recording of the same method, path, query and body, see
// [Matching] for what does not count. Where several recordings match, they are taken in
// turn, in the order in which they were recorded; there is no other rule. A request
// after the last of them, and one that matches none, is a [MissError]: exit code 17. It
// names what changed, against the nearest recording.
//
// # What is not written
//
// Credentials never are: request headers are kept by a list of names, as are response
// headers; of queries, paths, bodies and error texts, what looks like a key, a token, a
// signature, an ARN or an account id is replaced by filler of the same length. Bodies
// are decompressed for that, and a reply in an encoding that cannot be undone is
// refused. With [Recording.Redact] all text is replaced: what a model and a user wrote
// becomes xxx of the same shape, so that each event stays where it was and what it was.
// A secret that a model spreads over several events is found only then.
//
// # The file
//
// A cassette is JSON, one object a line: a header, the interactions in the order in
// which they ended, an end. It can be read and compared by people:
//
//	{"n":0,"sum":"…","cassette":{"schema":"latgate.cassette/1","name":"answer",…}}
//	{"n":1,"sum":"…","exchange":{"call":0,"order":0,"sample":0,"timing":"recorded",
//	  "request":{"method":"POST","host":"api.openai.com","path":"/v1/chat/completions","body":"{…}"},
//	  "response":{"proto":"HTTP/1.1","status":200,"header":{…},"phases":{…},"body":"data: …",
//	    "reads":[[61,412000000],[122,433000000]],"end":433000000,"ending":"eof"}}}
//	{"n":2,"sum":"…","end":{"exchanges":1}}
//
// All times are nanoseconds: "call" since the start of the recording, the others since
// the call. A read is the offset just past its last byte and its time. A body that is
// not UTF-8 is in "body64". Each line has a number, and a sum over itself and the sum
// before, so that [Read] tells a file that was cut, edited or reordered from a whole one
// and says where; [Reseal] accepts an edit that is meant. A name that ends in .gz has
// the file compressed.
//
// Files are written whole or not at all; while a recording runs, it is a .partial
// beside its place, to which each exchange is added as one line.
package cassette
