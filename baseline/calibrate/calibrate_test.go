package calibrate_test

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/calibrate"
	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// measured runs sessions against an endpoint whose sessions vary by sd, an hour after
// one another, in virtual time.
func measured(t *testing.T, sessions, requests int, sd float64) []*latencytest.Result {
	t.Helper()
	var results []*latencytest.Result
	synctest.Test(t, func(t *testing.T) {
		for i := range sessions {
			handler := fakes.OpenAI(fakes.Script{
				Seed: uint64(i + 1), Session: sd, OutputTokens: 6,
				TTFT: fakes.Lognormal(400*time.Millisecond, .05), Gap: fakes.Lognormal(20*time.Millisecond, .1),
			})
			results = append(results, measure(t, handler, requests))
			time.Sleep(time.Hour)
		}
	})
	return results
}

func measure(t *testing.T, handler http.Handler, requests int) *latencytest.Result {
	t.Helper()
	network := fakes.NewNetwork(handler)
	defer network.Close()
	target := openai.Chat("m", endpoint.Options{BaseURL: "http://endpoint.test", Client: network.Client()})
	defer target.CloseIdleConnections()
	res, err := latencytest.Measure(context.Background(), target, latencytest.Plan{
		Prompts: []providers.Prompt{{ID: "p", Text: "Hello"}}, Requests: requests, Load: latencytest.Closed(4),
	})
	require.NoError(t, err)
	return res
}

// The noise that an endpoint is given comes back within two standard errors of what 24
// sessions tell: about a third of it or, where that is more, eight tenths of what the
// requests of a session add.
func TestKnownNoise(t *testing.T) {
	t.Parallel()
	speed := baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}
	for _, sd := range []float64{0, .03, .05, .10} {
		report, err := calibrate.Of(measured(t, 24, 40, sd), []baseline.Question{median, slowTail, speed}, stat.Options{})
		require.NoError(t, err)
		assert.Equal(t, 24, report.Sessions)
		require.Len(t, report.Noise, 3)
		for _, n := range report.Noise {
			assert.InDelta(t, sd, n.SD, max(sd/3, .8*n.RequestSD), "%v, sd %v", n.Question, sd)
			assert.LessOrEqual(t, n.Low, n.SD)
			assert.GreaterOrEqual(t, n.High, n.SD)
			assert.Less(t, n.Low, sd+.005)
			assert.Greater(t, n.High, sd-.005)
			assert.Len(t, n.Sessions, 24)
			assert.Equal(t, 24, n.Alarms.Of)
			assert.LessOrEqual(t, n.Alarms.Count, 2)
			assert.LessOrEqual(t, n.Alarms.Count, n.Suspects.Count)
		}
		assert.Equal(t, 24, report.Builds.Of)
		assert.LessOrEqual(t, report.Builds.Count, 3)
		assert.InEpsilon(t, 400e6*math.Exp(.05*1.2816), report.Noise[1].Quantile, .08)
		assert.InEpsilon(t, .05*1.71/math.Sqrt(40), report.Noise[1].RequestSD, .25)
		assert.InEpsilon(t, 48, report.Noise[2].Quantile, .15, "the slow end of 50 tok/s")
	}
}

func world8(sd float64) []*latencytest.Result {
	return world{sessions: 8, n: 100, sigma: .2, sd: sd}.results(rand.New(rand.NewPCG(7, 7)))
}

// The plan agrees with what the gate itself says of the same noise.
func TestNeedsAgreeWithTheGate(t *testing.T) {
	t.Parallel()
	results := world8(.05)
	values := make([][]float64, len(results))
	for i, res := range results {
		values[i] = res.Scenarios[0].Values(latencytest.TTFT)
	}
	for _, tolerance := range []float64{.10, .15, .20, .30, .50} {
		judged, err := stat.Judge([]stat.Comparison{{
			Scenario: "all", Metric: "ttft", Q: .9, Baseline: values[1:], Candidate: values[:1], RuleOut: tolerance,
		}}, stat.Options{})
		require.NoError(t, err)
		gate := judged[0]
		n := calibrate.Noise{Question: slowTail, Requests: 100, SD: gate.Tau, RequestVariance: gate.RunSE * gate.RunSE * 100}
		need := n.Needs(tolerance, calibrate.Design{StoredRuns: 7})
		if gate.Needs.Requests > 0 {
			gate.Needs.Requests = max(30, gate.Needs.Requests)
		}
		if gate.Needs.StoredRuns > 0 {
			gate.Needs.StoredRuns = max(3, gate.Needs.StoredRuns)
		}
		assert.Equal(t, gate.Needs, stat.Needs{Requests: need.Requests, Sessions: need.Sessions, StoredRuns: need.StoredRuns}, "%v", tolerance)
	}
}

// The floor is where the requests that are needed grow beyond any number.
func TestFloor(t *testing.T) {
	t.Parallel()
	n := calibrate.Noise{Scenario: "all", Question: slowTail, Requests: 100, SD: .03, Low: .02, High: .06, RequestVariance: .5}
	floor, low, high := n.Floor(calibrate.Design{})
	assert.InDelta(t, math.Exp(math.Sqrt(8.56*1.2)*.03)-1, floor, 1e-12)
	assert.InDelta(t, .1009, floor, 1e-4)
	assert.Less(t, low, floor)
	assert.Greater(t, high, floor)
	assert.Zero(t, n.Needs(floor-1e-6, calibrate.Design{}).Requests)
	assert.Greater(t, n.Needs(floor+1e-3, calibrate.Design{}).Requests, 5000)
	assert.Less(t, n.Needs(.5, calibrate.Design{}).Requests, 100)
	assert.Equal(t, 30, n.Needs(3, calibrate.Design{}).Requests, "the gate judges no shorter run")
	two, _, _ := n.Floor(calibrate.Design{Sessions: 2, StoredRuns: 10})
	assert.Less(t, two, floor)

	require.NoError(t, n.Check(floor+.001, calibrate.Design{}))
	require.EqualError(t, n.Check(.05, calibrate.Design{}),
		"all: P90 ttft: tolerance 5 %, floor 10 % (1 session against 5 stored runs, sd between runs 3 %): no number of requests sees less; raise the tolerance, or let two builds take turns in one run")
	n.TooFew = "2 of the sessions say something, want 3 or more"
	require.EqualError(t, n.Check(.05, calibrate.Design{}), "all: P90 ttft: the noise floor is not known: 2 of the sessions say something, want 3 or more")
}

// A session that failed is left out, of its questions only.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	results := world8(.03)
	for i := range 30 {
		results[2].Scenarios[0].Samples[i].Class = providers.Throttled
	}
	speed := baseline.Question{Metric: latencytest.OTPS, Quantile: latencytest.P90}
	report, err := calibrate.Of(results, []baseline.Question{slowTail, speed}, stat.Options{})
	require.NoError(t, err)
	assert.Equal(t, []time.Time{started, started.Add(7 * time.Hour)}, []time.Time{report.First, report.Last})
	n := report.Noise[0]
	assert.Len(t, n.Sessions, 7)
	require.Len(t, n.LeftOut, 1)
	require.ErrorContains(t, n.LeftOut[0], "session 3: 30 of 100 requests failed")
	assert.Equal(t, 7, n.Alarms.Of)
	assert.Equal(t, "0 of the sessions say something, want 3 or more", report.Noise[1].TooFew)
	assert.Len(t, report.Noise[1].LeftOut, 8)
	assert.Zero(t, report.Noise[1].Alarms.Of)
}

// With three or four sessions there is an sd, and no baseline to judge them against.
func TestFewSessions(t *testing.T) {
	t.Parallel()
	report, err := calibrate.Of(world8(.03)[:4], []baseline.Question{slowTail}, stat.Options{})
	require.NoError(t, err)
	assert.Positive(t, report.Noise[0].High)
	assert.Equal(t, calibrate.Rate{High: 1}, report.Noise[0].Alarms)
	assert.Equal(t, calibrate.Rate{High: 1}, report.Builds)
	short := world{sessions: 8, n: 20, sigma: .2}.results(rand.New(rand.NewPCG(1, 1)))
	report, err = calibrate.Of(short, []baseline.Question{slowTail}, stat.Options{})
	require.NoError(t, err)
	assert.Zero(t, report.Builds.Of, "the gate would not decide")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	questions := []baseline.Question{slowTail}
	_, err := calibrate.Of(world8(0)[:2], questions, stat.Options{})
	require.EqualError(t, err, "2 sessions say nothing about how much sessions vary: want 3 or more, better 8")
	_, err = calibrate.Of(world8(0), []baseline.Question{{Quantile: .5}}, stat.Options{})
	require.EqualError(t, err, "a question wants a metric, and a quantile between 0 and 1")
	_, err = calibrate.Of(world8(0), questions, stat.Options{Alpha: 3})
	require.ErrorContains(t, err, "alpha is 3")
	results := world8(0)
	results[6] = results[2]
	_, err = calibrate.Of(results, questions, stat.Options{})
	require.EqualError(t, err, "sessions 3 and 4 have the same values of ttft throughout: they are one measurement, or replays, which have no noise")
	results = world8(0)
	results[3].Scenarios[0].Identity = providers.Facts{{Name: "scenario", Value: "all"}, {Name: "model", Value: "other"}}
	_, err = calibrate.Of(results, questions, stat.Options{})
	require.EqualError(t, err, `session 4 measured "all" otherwise than the first: model: "m" and "other"`)
	results[3].Scenarios[0].Name = "some"
	_, err = calibrate.Of(results, questions, stat.Options{})
	require.EqualError(t, err, `session 4 has no scenario "all", which the first has: sessions are repetitions of one run`)
	results[3].Scenarios = nil
	_, err = calibrate.Of(results, questions, stat.Options{})
	require.EqualError(t, err, "session 4 has 0 scenarios, the first has 1: sessions are repetitions of one run")
}
