// Package latgate documents the module: a plug-in for Go's own testing package
// that gates a build on the latency of language-model endpoints.
//
// A team writes an ordinary go test. latgate asks an endpoint, real or fake,
// times what comes back on the wire, compares the run with stored baselines by a
// statistical test, and fails the build when the slow tail got slower:
//
//	func TestLatencySupportChat(t *testing.T) {
//		client := bedrockruntime.NewFromConfig(cfg)
//		res := latencytest.Run(t, bedrock.ConverseStream(client, "us.anthropic.claude-haiku-4-5-20251001-v1:0"), latencytest.Plan{
//			Prompts:  latencytest.Prompts(t, "testdata/support.jsonl"),
//			Requests: 200,
//			Load:     latencytest.Closed(4),
//		})
//		assertions.Check(t, res, baseline.Dir(latencytest.Dir),
//			assertions.NoRegression(latencytest.TTFT, latencytest.P90),         // against stored runs
//			assertions.Below(latencytest.TTFT, latencytest.P99, 3*time.Second), // an absolute budget
//			assertions.ErrorRate(0.01),
//		)
//	}
//
// On a laptop the first run stores the baseline, which is committed and reviewed
// like code; in CI a missing baseline fails. A run fails where P90 of the time to
// first token got worse than in the stored runs by more than chance explains and
// the gate allows. Bytes are captured first and decoded after the stream has
// ended, so measuring does not disturb the times, and code that uses any SDK can
// be measured through its HTTP client.
//
// # Packages
//
// Packages in the order of their floors; one imports only what stands above it:
//
//   - [github.com/latgate/latgate/providers/wire] captures HTTP exchanges, with
//     the time of each piece of the body, and cuts bodies into events.
//   - [github.com/latgate/latgate/providers] is the vocabulary of one request:
//     what is asked, what came back, how the attempt ended.
//   - [github.com/latgate/latgate/providers/bedrock] and
//     [github.com/latgate/latgate/providers/openai] speak the protocols, one
//     package a vendor.
//   - [github.com/latgate/latgate/fakes] has endpoints that do what a script says,
//     over a real socket or in virtual time.
//   - [github.com/latgate/latgate/latencytest] runs a plan against an endpoint or
//     against a team's own code, and returns the samples.
//   - [github.com/latgate/latgate/baseline] stores runs and compares a new one with
//     them; the statistics are in [github.com/latgate/latgate/baseline/stat].
//   - [github.com/latgate/latgate/assertions] states gates and fails tests.
//
// The directory examples has gates to copy. They run against fakes, without a
// key or a network:
//
//	go test ./examples/... -run Latency -v
package latgate
