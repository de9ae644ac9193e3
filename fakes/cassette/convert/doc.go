// Package convert makes cassettes of what is there already: of the recordings that other
// tools made of HTTP (HAR 1.2, and the YAML or JSON of VCR.py, Ruby's VCR and go-vcr),
// and of latgate's own sample files.
//
//	c, err := convert.File("tests/cassettes/chat.yaml", convert.Profile{TTFT: 400 * time.Millisecond, Gap: 20 * time.Millisecond},
//		cassette.Recording{Name: "chat"})
//	if err != nil {
//		return err
//	}
//	err = cassette.Write("testdata/latgate/chat.cassette.jsonl", c)
//
// Other tools keep what was said and no times of events. What is missing is made up from a
// [Profile]. Samples are the reverse of it: they hold the times of each request, and
// nothing of what was said, which [Samples] has a fake make up:
//
//	res, err := latencytest.Load("testdata/latgate/TestLatencyChat/latest.samples.jsonl")
//	if err != nil {
//		return err
//	}
//	c, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
//
// Either cassette says what is made up: it can be replayed, but no gate on times takes
// it.
package convert
