// Package convert reads the recordings that other tools made of HTTP, and returns them
// as cassettes: HAR 1.2, and the YAML or JSON of VCR.py, Ruby's VCR and go-vcr.
//
//	c, err := convert.File("tests/cassettes/chat.yaml", convert.Profile{TTFT: 400 * time.Millisecond, Gap: 20 * time.Millisecond},
//		cassette.Recording{Name: "chat"})
//	if err != nil {
//		return err
//	}
//	err = cassette.Write("testdata/latgate/chat.cassette.jsonl", c)
//
// These tools keep no times of events. What is missing is made up from a [Profile], and
// the cassette says so: it can be replayed, but no gate on times takes it.
package convert
