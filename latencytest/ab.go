package latencytest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/latgate/latgate/providers"
)

// MeasureAB runs the plan against two targets in one session, by turns, in blocks
// A B B A of Plan.Blocks, and returns what was measured of each. It is two runs of
// [Measure] that wait for one another: Requests, Warmup and MaxTokens are those of
// each side, and there is a single warm-up of each before the first block. Duration,
// MaxTokens, Budget and RateLimit bound both together. The samples of A go to the
// plan's SampleFile with an a in its name, run.a.samples.jsonl, those of B with a b.
//
// Errors are as those of Measure, with the samples taken so far.
func MeasureAB(ctx context.Context, a, b providers.Target, plan Plan) (*Pair, error) {
	return measureAB(ctx, "", a, b, plan)
}

// Compare is [MeasureAB] in a test, as [Run] is [Measure]: what keeps the sides from
// being compared fails the test at once. Package assertions judges the pair.
//
//	pair := latencytest.Compare(t, standard, optimized, plan)
//	assertions.CheckAB(t, pair, assertions.NoRegression(latencytest.TTFT))
func Compare(tb testing.TB, a, b providers.Target, plan Plan) *Pair {
	tb.Helper()
	for _, target := range []providers.Target{a, b} {
		if c, ok := target.(interface{ CloseIdleConnections() }); ok {
			tb.Cleanup(c.CloseIdleConnections)
		}
	}
	ctx, stop, plan := prepare(tb, plan)
	defer stop()
	for _, side := range []string{"a", "b"} {
		tellUnfinished(tb, sideFile(plan.SampleFile, side))
	}
	pair, err := measureAB(ctx, tb.Name(), a, b, plan)
	if pair != nil {
		tb.Logf("[latgate] A: %s", pair.A)
		tb.Logf("[latgate] B: %s", pair.B)
	}
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	return pair
}

func measureAB(ctx context.Context, test string, targetA, targetB providers.Target, plan Plan) (*Pair, error) {
	progress := newCommonProgress(plan.Progress)
	side := func(name string, target providers.Target, report func(Progress)) job {
		p := plan
		p.Progress = report
		return job{plan: p, op: sending(target), test: test, side: name}
	}
	a, err := side("a", targetA, progress.of(0)).begin()
	if err != nil {
		return nil, err
	}
	b, err := side("b", targetB, progress.of(1)).begin()
	if err != nil {
		_, endErr := a.end(true)
		return nil, errors.Join(err, endErr)
	}
	b.run.bounds, b.run.limiter = a.run.bounds, a.run.limiter
	err = byTurns(ctx, a, b)
	pair := &Pair{Blocks: a.plan.Repetitions / 2}
	var errA, errB error
	pair.A, errA = a.end(err != nil)
	pair.B, errB = b.end(err != nil)
	return pair, errors.Join(err, errA, errB)
}

// byTurns warms both sides up and has them take turns: A B, B A, A B and so on. A
// turn begins when all requests of the one before have ended.
func byTurns(ctx context.Context, a, b *measurement) error {
	for _, m := range []*measurement{a, b} {
		if err := m.warm(ctx); err != nil {
			return m.named(err)
		}
	}
	turns := make(map[*measurement]func() (turn, bool))
	for _, m := range []*measurement{a, b} {
		m.measuring()
		next, stop := iter.Pull(m.measured(m.dealer, m.plan))
		defer stop()
		turns[m] = next
	}
	for pair := range a.plan.Repetitions {
		order := []*measurement{a, b}
		if pair%2 == 1 {
			order = []*measurement{b, a}
		}
		for _, m := range order {
			if err := m.run.all(ctx, some(m.plan.Requests*len(m.groups), turns[m])); err != nil {
				return m.named(err)
			}
			if m.run.bounds.end != "" {
				return nil
			}
		}
	}
	return nil
}

// named tells of which side an error is.
func (m *measurement) named(err error) error {
	return fmt.Errorf("%s: %w", strings.ToUpper(m.side), err)
}

// some is the next n turns.
func some(n int, next func() (turn, bool)) iter.Seq[turn] {
	return func(yield func(turn) bool) {
		for range n {
			t, more := next()
			if !more || !yield(t) {
				return
			}
		}
	}
}

// divided is the plan of one side: what Requests says is shared out among two
// repetitions a block.
func (p Plan) divided(side string) (Plan, error) {
	switch {
	case p.Requests == 0:
		return p, errors.New("Plan.Requests: two sides that take turns need a number of requests; a Duration may end them early")
	case p.Requests > 0 && p.Repetitions != 1:
		return p, errors.New("Plan.Repetitions: two sides that take turns repeat each other already, see Plan.Blocks")
	case p.Enough != nil:
		return p, errors.New("Plan.Enough: a scenario cannot end on one side and go on on the other")
	}
	if p.Blocks == 0 {
		p.Blocks = 10
	}
	if p.Requests > 0 && p.Blocks > 0 {
		p.Blocks = min(p.Blocks, (p.Requests+1)/2)
		p.Repetitions = 2 * p.Blocks
		p.Requests = (p.Requests + p.Repetitions - 1) / p.Repetitions
	}
	if p.SampleFile != "" {
		p.SampleFile = sideFile(p.SampleFile, side)
	}
	return p, nil
}

// sideFile is "latest.a.samples.jsonl" for "latest.samples.jsonl".
func sideFile(path, side string) string {
	dir, name := filepath.Split(path)
	stem, extension, _ := strings.Cut(name, ".")
	if before, whole := strings.CutSuffix(name, ".samples.jsonl"); whole {
		stem, extension = before, "samples.jsonl"
	}
	return dir + strings.TrimSuffix(stem+"."+side+"."+extension, ".")
}

// commonProgress puts the progress of both sides together.
type commonProgress struct {
	report func(Progress) // nil where nobody wants to hear

	mu   sync.Mutex
	last [2]Progress
}

func newCommonProgress(report func(Progress)) *commonProgress { return &commonProgress{report: report} }

// of returns what a side reports to. B's reports are passed on, as those of both; A
// ends first.
func (c *commonProgress) of(side int) func(Progress) {
	if c.report == nil {
		return nil
	}
	return func(p Progress) {
		c.mu.Lock()
		for i := range p.Scenarios {
			p.Scenarios[i].Name = string(rune('A'+side)) + " " + p.Scenarios[i].Name
		}
		c.last[side] = p
		a := c.last[0]
		c.mu.Unlock()
		if side == 0 {
			return
		}
		p.Done += a.Done
		p.Planned += a.Planned
		p.Left = max(p.Left, a.Left)
		p.Scenarios = append(append([]Running{}, a.Scenarios...), p.Scenarios...)
		c.report(p)
	}
}
