package latencytest

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/latgate/latgate/providers"
)

// A Progress is how far a run has come. What it says of the samples so far is what
// the result and its sample file say once there are no more.
type Progress struct {
	Elapsed time.Duration // of the measured part
	Left    time.Duration // an estimate; 0 where nothing tells
	Done    int           // measured requests that have ended
	Planned int           // 0 where their number is not limited
	Warmup  bool          // the warm-up still goes on
	Last    bool          // there are no more requests

	Scenarios []Running
}

// Running are the statistics of one scenario while it runs.
type Running struct {
	Name   string
	Counts map[providers.Class]int
	Rates  Rates
	Cost   float64 // dollars, as far as known

	// Quantiles holds P50 and P90 of the plan's Live metrics that have a value.
	Quantiles []RunningQuantiles
}

// RunningQuantiles are the quantiles of a metric over the samples so far.
type RunningQuantiles struct {
	Metric   Metric
	P50, P90 float64
}

// String is one line for each scenario:
//
//	120/400, 34 s left: 178 requests/min, 42.1 tok/s, ttft P50 402 ms P90 633 ms, throttled 2
func (p Progress) String() string {
	var b strings.Builder
	switch {
	case p.Warmup:
		return "warming up"
	case p.Planned > 0:
		fmt.Fprintf(&b, "%d/%d", p.Done, p.Planned)
	default:
		fmt.Fprintf(&b, "%d requests", p.Done)
	}
	if p.Left > 0 {
		fmt.Fprintf(&b, ", %v left", p.Left.Round(time.Second))
	}
	for _, s := range p.Scenarios {
		if len(p.Scenarios) > 1 {
			b.WriteString("\n  " + providers.Scrub(s.Name))
		}
		b.WriteString(": " + s.String())
	}
	return b.String()
}

func (s Running) String() string {
	parts := []string{fmt.Sprintf("%.4g requests/min, %.4g tok/s", s.Rates.Completed, s.Rates.Tokens)}
	for _, q := range s.Quantiles {
		parts = append(parts, fmt.Sprintf("%v P50 %s P90 %s", q.Metric, q.Metric.Format(q.P50), q.Metric.Format(q.P90)))
	}
	if s.Cost > 0 {
		parts = append(parts, fmt.Sprintf("$%.4g", s.Cost))
	}
	for _, class := range providers.Classes[1:] {
		if n := s.Counts[class]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", class, n))
		}
	}
	return strings.Join(parts, ", ")
}

// A monitor keeps running statistics and reports them to the plan's Progress.
type monitor struct {
	plan Plan

	mu        sync.Mutex
	began     time.Time // of the measured part; zero while warming up
	scenarios []*watched
}

type watched struct {
	name  string
	tally tally
	live  []distribution // of the plan's Live metrics
}

// newMonitor returns nil where nobody wants to hear.
func newMonitor(p Plan, scenarios []*Scenario) *monitor {
	if p.Progress == nil {
		return nil
	}
	m := &monitor{plan: p}
	for _, s := range scenarios {
		w := &watched{name: s.Name}
		for _, metric := range p.Live {
			var d distribution = new(exact)
			if p.LowMemory {
				d = newHDR(metric)
			}
			w.live = append(w.live, d)
		}
		m.scenarios = append(m.scenarios, w)
	}
	return m
}

// watch reports every so often until the returned function is called, which
// reports for the last time.
func (m *monitor) watch() (stop func()) {
	if m == nil {
		return func() {}
	}
	quit := make(chan struct{})
	var reporter sync.WaitGroup
	reporter.Go(func() {
		ticker := time.NewTicker(m.plan.ProgressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				m.plan.Progress(m.progress())
			case <-quit:
				return
			}
		}
	})
	return func() {
		close(quit)
		reporter.Wait()
		p := m.progress()
		p.Last, p.Left = true, 0
		m.plan.Progress(p)
	}
}

func (m *monitor) begin() {
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.began = time.Now()
	}
}

func (m *monitor) add(s *Sample) {
	if m == nil || s.Warmup {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.scenarios {
		if w.name != s.Scenario {
			continue
		}
		w.tally.add(s)
		for i, metric := range m.plan.Live {
			if v, ok := metric.Of(s); ok && s.OK() {
				w.live[i].add(v)
			}
		}
	}
}

func (m *monitor) progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Progress{Planned: m.plan.Requests * m.plan.Repetitions * len(m.scenarios), Warmup: m.began.IsZero()}
	if !p.Warmup {
		p.Elapsed = time.Since(m.began)
	}
	for _, w := range m.scenarios {
		p.Done += w.tally.attempts
		r := Running{Name: w.name, Counts: make(map[providers.Class]int), Rates: w.tally.rates(), Cost: w.tally.dollars}
		for class, n := range w.tally.classes {
			r.Counts[class] = n
		}
		for i, metric := range m.plan.Live {
			if d := w.live[i]; d.n() > 0 {
				r.Quantiles = append(r.Quantiles, RunningQuantiles{metric, d.quantile(P50.Rank(metric)), d.quantile(P90.Rank(metric))})
			}
		}
		p.Scenarios = append(p.Scenarios, r)
	}
	p.Left = m.left(p)
	return p
}

// left estimates the rest of the run: what the requests so far took, scaled to
// those that are left, and never more than the plan's duration.
func (m *monitor) left(p Progress) time.Duration {
	left := math.Inf(1)
	if p.Planned > 0 && p.Done > 0 {
		left = float64(p.Elapsed) * float64(p.Planned-p.Done) / float64(p.Done)
	}
	if m.plan.Duration > 0 {
		left = min(left, float64(m.plan.Duration-p.Elapsed))
	}
	if math.IsInf(left, 0) {
		return 0
	}
	return max(0, time.Duration(left))
}
