package attribution_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/attribution"
	"github.com/latgate/latgate/internal/madeup"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

var identity = providers.Facts{{Name: "test", Value: "TestLatencyChat"}, {Name: "scenario", Value: "all"}}

// made is a made-up run of 100 requests of four prompts, with every metric there is.
func made(seed uint64, edits ...madeup.Edit) *baseline.Run {
	s := madeup.Scenario(identity, 100, seed, append([]madeup.Edit{four}, edits...)...)
	res := &latencytest.Result{
		Started:    time.Date(2026, 11, 20, 3, 17, int(seed), 0, time.UTC),
		Provenance: latencytest.Provenance{Commit: "4f1c2ab", Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4},
	}
	return baseline.NewRun(res, s, "", latencytest.Metrics...)
}

func four(i int, s *latencytest.Sample) {
	s.Prompt = fmt.Sprint("p", i%4)
	s.Model, s.Served = "m-1", "optimized"
	s.Gaps = latencytest.Gaps{N: 40, P50: wire.At(24 * ms), P90: wire.At(30 * ms), P99: wire.At(40 * ms), Longest: wire.At(40*ms + time.Duration(i%7)*ms)}
	s.Lag = wire.At(time.Duration(1+i%3) * ms)
	s.FirstVisible = s.First.Add(time.Duration(50+i%5) * ms)
	s.ServerLatency = wire.At(300 * ms)
}

func fiveOf(edits ...madeup.Edit) []*baseline.Run {
	var runs []*baseline.Run
	for seed := range uint64(5) {
		runs = append(runs, made(seed+1, edits...))
	}
	return runs
}

// later moves all that a request does from an instant on.
func later(by time.Duration, from ...*wire.Instant) {
	for _, i := range from {
		*i = i.Add(by)
	}
}

func content(s *latencytest.Sample) []*wire.Instant {
	return []*wire.Instant{&s.Body, &s.FirstEvent, &s.First, &s.FirstVisible, &s.Last, &s.End}
}

func explain(t *testing.T, candidate *baseline.Run, stored []*baseline.Run, m latencytest.Metric, q latencytest.Quantile) *attribution.Attribution {
	t.Helper()
	a, err := attribution.Explain(candidate, stored, baseline.Question{Metric: m, Quantile: q})
	require.NoError(t, err)
	return a
}

func TestPhasesOfMadeUpRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		edit   madeup.Edit
		metric latencytest.Metric
		at     latencytest.Quantile
		want   attribution.Phase
	}{
		{"load generator", func(_ int, s *latencytest.Sample) { s.Lag = s.Lag.Add(300 * ms) }, latencytest.TTFTSched, latencytest.P90, attribution.ScheduleLag},
		{"load generator, end", func(_ int, s *latencytest.Sample) { s.Lag = s.Lag.Add(600 * ms) }, latencytest.E2ESched, latencytest.P90, attribution.ScheduleLag},
		{"lag itself", func(_ int, s *latencytest.Sample) { s.Lag = s.Lag.Add(9 * ms) }, latencytest.ScheduleLag, latencytest.P50, attribution.ScheduleLag},
		{"upload", func(_ int, s *latencytest.Sample) {
			later(200*ms, append(content(s), &s.Wrote, &s.Header)...)
		}, latencytest.TTFT, latencytest.P90, attribution.Sending},
		{"reasoning", func(_ int, s *latencytest.Sample) { s.FirstVisible = s.FirstVisible.Add(300 * ms) }, latencytest.TTFTVisible, latencytest.P90, attribution.Reasoning},
		{"end", func(_ int, s *latencytest.Sample) { s.End = s.End.Add(700 * ms) }, latencytest.StreamEnd, latencytest.P90, attribution.StreamEnd},
		{"server", func(_ int, s *latencytest.Sample) {
			later(300*ms, append(content(s), &s.Header)...)
		}, latencytest.TTFB, latencytest.P90, attribution.FirstByte},
		{"gaps", func(_ int, s *latencytest.Sample) { s.Gaps.P90 = s.Gaps.P90.Add(20 * ms) }, latencytest.ICLP90, latencytest.P50, attribution.DecodeSpeed},
		{"stall itself", func(_ int, s *latencytest.Sample) { s.Gaps.Longest = s.Gaps.Longest.Add(200 * ms) }, latencytest.Stall, latencytest.P90, attribution.Stalls},
		{"speed", madeup.Longer(1.4), latencytest.ITL, latencytest.P90, attribution.DecodeSpeed},
		{"time limit", madeup.Failing(8, providers.Timeout), latencytest.TTFT, latencytest.P95, attribution.TimeLimit},
		{"time limit, end", madeup.Failing(8, providers.Timeout), latencytest.TTLT, latencytest.P95, attribution.TimeLimit},
		{"hung in the stream", func(i int, s *latencytest.Sample) {
			if i%12 == 0 {
				s.Class, s.Limit, s.End = providers.Timeout, wire.At(madeup.Limit), wire.At(madeup.Limit)
			}
		}, latencytest.TTLT, latencytest.P95, attribution.TimeLimit},
		{"retries of an unknown kind", func(i int, s *latencytest.Sample) { // a connection that failed: nothing says when it was repeated
			if i%5 == 0 {
				later(2*time.Second, append(content(s), &s.GotConn, &s.Wrote, &s.Header)...)
				s.Calls, s.Retries, s.Start = 2, 1, wire.At(2*time.Second)
			}
		}, latencytest.TTFT, latencytest.P90, attribution.Retries},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := explain(t, made(9, c.edit), fiveOf(), c.metric, c.at)
			assert.Equal(t, attribution.Named, a.Finding, "%v", a)
			assert.Equal(t, c.want, a.Phase, "%v", a)
		})
	}
}

// The longer the prompt the longer its wait, within each run: so it is known what a
// prompt that has grown costs, and what is the server's own.
func TestLongerInput(t *testing.T) {
	t.Parallel()
	reading := func(grown int64) madeup.Edit {
		return func(i int, s *latencytest.Sample) {
			input := 1000 + 100*int64(i%11) + grown
			s.Usage.Input = providers.CountOf(input)
			later(time.Duration(input)*ms/5, append(content(s), &s.Header)...)
		}
	}
	a := explain(t, made(9, reading(800)), fiveOf(reading(0)), latencytest.TTFT, latencytest.P90)
	assert.Equal(t, attribution.InputTokens, a.Phase, "%v", a)
	assert.InDelta(t, 160*ms, a.Parts[0].Shift, float64(20*ms))
	assert.Empty(t, a.Unknown)
}

func TestSharesAddUpForEveryMetric(t *testing.T) {
	t.Parallel()
	operation := func(_ int, s *latencytest.Sample) {
		first, _ := s.First.Get()
		s.Operation = &latencytest.Operation{First: wire.At(first + 30*ms), Took: s.Last.Add(40 * ms), Before: wire.At(20 * ms), Held: wire.At(10 * ms)}
	}
	stored, candidate := fiveOf(operation), made(9, madeup.Later(1.3), four, operation)
	for _, m := range latencytest.Metrics {
		for _, q := range []latencytest.Quantile{.1, latencytest.P50, latencytest.P90, latencytest.P99} {
			a, err := attribution.Explain(candidate, stored, baseline.Question{Metric: m, Quantile: q})
			switch m {
			case latencytest.OTPSEndToEnd, latencytest.ServerLatency, latencytest.InputTokens, latencytest.OutputTokens,
				latencytest.OperationTime, latencytest.OperationWait, latencytest.OperationApp, latencytest.ModelCalls, latencytest.SerialCalls:
				require.ErrorIs(t, err, attribution.ErrNoPhases, "%v", m)
				continue
			}
			require.NoError(t, err, "%v %v", q, m)
			shares, shift := 0., 0.
			for _, p := range a.Parts {
				shares += p.Share
				shift += p.Shift
			}
			if math.Abs(a.Shift) > 1e-3 { // less is rounding
				assert.InDelta(t, 1, shares, 1e-6, "%v %v", q, m)
			}
			if a.Finding != attribution.Unmoved {
				assert.InDelta(t, a.Shift, shift, math.Abs(a.Shift)*1e-6+1e-3, "%v %v", q, m)
			}
			_, err = json.Marshal(a)
			require.NoError(t, err)
		}
	}
}

// Two phases that moved alike: neither explains most of it.
func TestTwoPhasesAreUnclear(t *testing.T) {
	t.Parallel()
	both := func(_ int, s *latencytest.Sample) {
		later(120*ms, append(content(s), &s.GotConn, &s.Wrote, &s.Header)...)
		later(125*ms, content(s)...)
	}
	a := explain(t, made(9, both), fiveOf(), latencytest.TTFT, latencytest.P90)
	assert.Equal(t, attribution.Unclear, a.Finding)
	assert.Empty(t, a.Phase)
	for _, p := range a.Parts[:2] {
		assert.Contains(t, []attribution.Phase{attribution.Connection, attribution.FirstToken}, p.Phase)
		assert.InDelta(t, .5, p.Share, .15)
	}
	assert.Regexp(t, `phase:    unclear, no phase explains most of \+\d+ ms beyond noise: (connection set-up|first byte to first token) `, a.String())
}

// Files of earlier versions lack what stalls and earlier calls are told by.
func TestWhatOldFilesDoNotTell(t *testing.T) {
	t.Parallel()
	twice := func(_ int, s *latencytest.Sample) {
		later(time.Second, append(content(s), &s.GotConn, &s.Wrote, &s.Header)...)
		s.Calls, s.Start = 2, wire.At(time.Second)
	}
	stored := fiveOf(twice)
	for i := range stored[0].Entries {
		stored[0].Entries[i].Facts.LongestGap = wire.Instant{}
		stored[0].Entries[i].Facts.Start = wire.Instant{}
	}
	a := explain(t, made(9, twice), stored, latencytest.TTLT, latencytest.P90)
	assert.Contains(t, a.String(), "unknown:  not all runs tell the longest gap of a stream: stalls count as decode speed")
	assert.Contains(t, a.String(), "unknown:  not all runs tell when the last of several calls began: its connection counts as retries and earlier calls")
	for _, p := range a.Parts {
		assert.NotEqual(t, attribution.Stalls, p.Phase)
		assert.NotEqual(t, attribution.Connection, p.Phase, "1 ms of each request is not known to be that")
	}

	whole := explain(t, made(9, twice), fiveOf(twice), latencytest.TTLT, latencytest.P90)
	assert.Empty(t, whole.Unknown)
}

func TestRepliesWithoutTokenCounts(t *testing.T) {
	t.Parallel()
	silent := func(_ int, s *latencytest.Sample) { s.Usage = providers.Usage{} }
	a := explain(t, made(9, madeup.Longer(1.5), four, silent), fiveOf(silent), latencytest.TTLT, latencytest.P90)
	assert.Equal(t, attribution.DecodeSpeed, a.Phase)
	assert.Contains(t, a.Unknown, "not all runs tell output tokens: that answers are longer is not told from slower tokens")
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	stored := fiveOf()
	stored[4].Header.Provenance.Commit = "0000abc"
	candidate := made(9, madeup.Later(1.4), func(i int, s *latencytest.Sample) {
		s.Model, s.Served, s.Reused = "m-2\x1b[31m::error::", "optimized", false
		if i%5 < 2 {
			s.Served = "standard"
		}
	})
	candidate.Header.Provenance.Commit, candidate.Header.Provenance.CPUs = "9d03e77", 2
	a := explain(t, candidate, stored, latencytest.TTFT, latencytest.P90)
	assert.Equal(t, []attribution.Difference{
		{Name: "commit", Stored: []string{"0000abc", "4f1c2ab"}, Candidate: "9d03e77"},
		{Name: "cpus", Stored: []string{"4"}, Candidate: "2"},
		{Name: "served model", Stored: []string{"m-1"}, Candidate: candidate.Entries[0].Facts.Model},
		{Name: "served profile", Stored: []string{"optimized"}, Candidate: "optimized 60 %, standard 40 %"},
		{Name: "connections", Stored: []string{"reused"}, Candidate: "new"},
	}, a.Differences)
	assert.Contains(t, a.String(), "differs:  commit 0000abc | 4f1c2ab → 9d03e77; cpus 4 → 2; served model m-1 → m-2")
	assert.NotContains(t, a.String(), "\x1b")
	assert.NotContains(t, a.String(), "::")
}

func TestPromptsAreEscaped(t *testing.T) {
	t.Parallel()
	hostile := func(i int, s *latencytest.Sample) {
		if s.Prompt == "p1" {
			s.Prompt = "p1\n::error::\x1b[2J"
		}
	}
	slow := func(i int, s *latencytest.Sample) {
		if i%4 == 1 {
			later(400*ms, append(content(s), &s.Header)...)
		}
	}
	a := explain(t, made(9, slow, hostile), fiveOf(hostile), latencytest.TTFT, latencytest.P90)
	require.Len(t, a.Prompts.Few, 1)
	assert.Regexp(t, `prompts:  "p1 : :error: : \[2J" carries \d+ % of it \(\+\d+ %; the other 3 of 4 [+-]\d+ %\)`, a.String())
	assert.NotContains(t, a.String(), "\x1b")
}

func TestTooFewRequestsOfAPromptToTell(t *testing.T) {
	t.Parallel()
	many := func(i int, s *latencytest.Sample) { s.Prompt = fmt.Sprint("p", i/3) }
	a := explain(t, made(9, madeup.Later(1.4), many), fiveOf(many), latencytest.TTFT, latencytest.P90)
	assert.Zero(t, a.Prompts)
	assert.NotContains(t, a.String(), "prompts:")
}

func TestOneStoredRun(t *testing.T) {
	t.Parallel()
	stored := fiveOf()[:1]
	a := explain(t, made(9, madeup.Later(1.5)), stored, latencytest.TTFT, latencytest.P90)
	assert.Equal(t, attribution.FirstByte, a.Phase, "%v", a)
	same := explain(t, stored[0], stored, latencytest.TTFT, latencytest.P90)
	assert.Equal(t, attribution.Unmoved, same.Finding)
	assert.Zero(t, same.Shift)
}

// The runs stay as they are, and the answer does not depend on anything else.
func TestExplainIsPure(t *testing.T) {
	t.Parallel()
	candidate, stored := made(9, madeup.Later(1.4)), fiveOf()
	want := explain(t, candidate, stored, latencytest.TTLT, latencytest.P90)
	again := explain(t, candidate, stored, latencytest.TTLT, latencytest.P90)
	assert.Equal(t, want, again)
	runs := cmp.Options{
		cmpopts.IgnoreUnexported(baseline.Run{}), cmpopts.EquateComparable(latencytest.Metric{}, wire.Instant{}, providers.Count{}),
		cmp.Comparer(func(a, b baseline.Key) bool { return a.Hash() == b.Hash() }),
	}
	assert.Empty(t, cmp.Diff(fiveOf(), stored, runs))

	data, err := json.Marshal(want)
	require.NoError(t, err)
	var read attribution.Attribution
	require.NoError(t, json.Unmarshal(data, &read))
	assert.Equal(t, want.String(), read.String(), "verdict.json holds all that is printed")
}

func TestNothingToExplain(t *testing.T) {
	t.Parallel()
	run := made(9)
	short := made(8)
	short.Entries = short.Entries[:4]
	p90 := baseline.Question{Metric: latencytest.TTFT, Quantile: latencytest.P90}
	for _, c := range []struct {
		candidate *baseline.Run
		stored    []*baseline.Run
		q         baseline.Question
		want      string
	}{
		{run, nil, p90, "none of 0 stored runs has 5 or more requests with a value of ttft"},
		{run, []*baseline.Run{short}, p90, "none of 1 stored runs has 5 or more requests with a value of ttft"},
		{short, fiveOf(), p90, "the candidate has 4 requests with a value of ttft, want 5 or more"},
		{run, fiveOf(), baseline.Question{Metric: latencytest.TTFT, Quantile: 90}, "the quantile is 90, want a number between 0 and 1"},
		{run, fiveOf(), baseline.Question{Metric: latencytest.Custom("rows", "row", false), Quantile: .5}, "rows: the metric is not made of phases"},
	} {
		_, err := attribution.Explain(c.candidate, c.stored, c.q)
		assert.EqualError(t, err, c.want)
	}
}
