package latencytest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// tiny is a result of two scenarios with samples made by hand.
func tiny() *latencytest.Result {
	steady := &latencytest.Scenario{
		Name: "steady", Identity: providers.Facts{{Name: "model", Value: "m1"}, {Name: "region", Value: "us-east-1"}, {Name: "profile", Value: "optimized"}},
	}
	for i := range 4 {
		s := whole()
		s.Number = 2 * i
		s.Usage.Output = tokens(int64(101 + 20*i))
		s.Served = "optimized"
		if i == 3 {
			s.Served = "standard"
		}
		steady.Samples = append(steady.Samples, s)
	}
	buffered := &latencytest.Scenario{Name: "buffered"}
	for i := range 3 {
		s := latencytest.Sample{Number: 2*i + 1, Class: providers.OK, First: at(2000 * ms), FirstVisible: at(2000 * ms), Last: at(2000 * ms), ContentEvents: 1, Usage: providers.Usage{Output: tokens(50)}}
		if i == 2 {
			s.Class = providers.Throttled
		}
		buffered.Samples = append(buffered.Samples, s)
	}
	res := &latencytest.Result{
		Plan:      latencytest.Plan{Load: latencytest.Closed(2), Seed: 1, Environment: "virtual"},
		Scenarios: []*latencytest.Scenario{steady, buffered},
	}
	res.Samples = append(append(res.Samples, steady.Samples...), buffered.Samples...)
	return res
}

func TestResultTable(t *testing.T) {
	t.Parallel()
	want := `
7 requests after 0 of warm-up, closed(2), seed 1, virtual
steady: 4/4 ok, model m1, region us-east-1, profile optimized
          metric  n       min       P50       P90         P99       max
  operation_ttft  4    600 ms    600 ms    600 ms      600 ms    600 ms
  operation_time  4   2700 ms   2700 ms   2700 ms     2700 ms   2700 ms
   operation_app  4    200 ms    200 ms    200 ms      200 ms    200 ms
     model_calls  4   3 calls   3 calls   3 calls     3 calls   3 calls
            ttft  4    400 ms    400 ms    400 ms      400 ms    400 ms
      ttft_sched  4    405 ms    405 ms    405 ms      405 ms    405 ms
    ttft_visible  4    500 ms    500 ms    500 ms      500 ms    500 ms
            ttfb  4    280 ms    280 ms    280 ms      280 ms    280 ms
            ttlt  4   2400 ms   2400 ms   2400 ms     2400 ms   2400 ms
    schedule_lag  4      5 ms      5 ms      5 ms        5 ms      5 ms
            otps  4  50 tok/s  65 tok/s  77 tok/s  79.7 tok/s  80 tok/s
         icl_p50  4     20 ms     20 ms     20 ms       20 ms     20 ms
           stall  4     90 ms     90 ms     90 ms       90 ms     90 ms
    input_tokens  4        12        12        12          12        12
   output_tokens  4       101       131       155         160       161
bad tail of otps (its 10th percentile, otps_p10): 53 tok/s
optimized inference was asked for, 1 of 4 requests were served as standard
buffered: 2/3 ok, throttled 1
         metric  n      min      P50      P90      P99      max
           ttft  2  2000 ms  2000 ms  2000 ms  2000 ms  2000 ms
   ttft_visible  2  2000 ms  2000 ms  2000 ms  2000 ms  2000 ms
           ttlt  2  2000 ms  2000 ms  2000 ms  2000 ms  2000 ms
  output_tokens  2       50       50       50       50       50
otps_undefined: 2 replies were buffered, too short or without a token count: they have no speed
P90 ttft with the 1 failed attempts counted as endless (p90_adj): endless
`
	assert.Equal(t, strings.Trim(want, "\n"), tiny().String())
}

func TestResultWithoutSamples(t *testing.T) {
	t.Parallel()
	res := &latencytest.Result{Plan: latencytest.Plan{Load: latencytest.Closed(1), Environment: "virtual"}, Scenarios: []*latencytest.Scenario{{Name: "all"}}}
	assert.Equal(t, "0 requests after 0 of warm-up, closed(1), seed 0, virtual\nall: 0/0 ok\n  metric  n  min  P50  P90  P99  max", res.String())
}

// Names come from prompt files and servers. They must not end a line, nor start
// a command of a CI log: GitHub takes ::commands:: from any line, indented or not.
func TestHostileNamesAreHarmless(t *testing.T) {
	t.Parallel()
	hostile := "m\n::set-output name=x::y\r\n##[error]z\x1b[31m\u2028arn:aws:bedrock:us-east-1:123456789012:profile/x"
	res := tiny()
	res.Plan.Environment = hostile
	s := res.Scenarios[0]
	s.Name = hostile
	s.Identity = providers.Facts{{Name: "model", Value: hostile}, {Name: "region", Value: hostile}, {Name: "profile", Value: hostile}}
	for i := range s.Samples {
		s.Samples[i].Served, s.Samples[i].Model, s.Samples[i].Stop = hostile, hostile, hostile
	}
	plain := len(strings.Split(tiny().String(), "\n"))
	got := res.String()
	for _, bad := range []string{"::", "##[", "\r", "\x1b", "\u2028", "123456789012"} {
		assert.NotContains(t, got, bad)
	}
	assert.Len(t, strings.Split(got, "\n"), plain-1, "the line about the fall-back is gone, and none was added")
}

func TestScenarioOfAResult(t *testing.T) {
	t.Parallel()
	res := tiny()
	assert.Equal(t, "buffered", res.Scenario("buffered").Name)
	assert.Nil(t, res.Scenario("all"))
}
