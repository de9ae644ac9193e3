// Package latencytest measures language-model endpoints from ordinary Go tests.
//
//	func TestLatencySupportChat(t *testing.T) {
//		res := latencytest.Run(t, bedrock.ConverseStream(client, "us.anthropic.claude-haiku-4-5-20251001-v1:0"), latencytest.Plan{
//			Prompts:  latencytest.Prompts(t, "testdata/support.jsonl"),
//			Requests: 200,
//			Load:     latencytest.Closed(4),
//		})
//		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
//			assertions.NoRegression(latencytest.TTFT, latencytest.P90))
//	}
//
// A [Plan] says what to run, a [Sample] is one request as it was on the wire, a
// [Metric] is a number of a sample, and a [Result] is all of them. Gates are in
// package assertions.
//
// # What is measured
//
// [Run] measures a [providers.Target], an endpoint. [RunFunc] measures a team's
// own code through whatever SDK it uses: [Recorder.Client] is the HTTP client to
// give to that SDK. [Bench] writes the same numbers as a Go benchmark, for
// benchstat. [Measure] and [MeasureFunc] are the core of these and need no test.
//
// # Time
//
// All of it runs in real time or, inside a testing/synctest bubble with an
// endpoint of package fakes, in virtual time: thousands of requests pass in
// seconds and times come out exact. Go's tests run packages in parallel, and
// parallel packages are load on one another: give go test -p 1 where times are
// real, and do not call t.Parallel in such a test.
//
// # Files
//
// Samples are written as they come, next to where they will stay,
// testdata/latgate/<Test>/latest.samples.jsonl; [Load] reads them back. The file
// is also what keeps go test from reusing a cached result. Settings come from
// flags named -latgate.* or their twins in the environment, see [Settings].
package latencytest
