package baseline

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A Run is one run of one scenario as it is stored.
type Run struct {
	Key     Key
	Header  Header
	Entries []Entry // one a measured request, in request order

	file string // where it was read from; the format's reader sets it
}

// Header is where a run came from. It decides nothing: what must be equal is in
// the key.
type Header struct {
	Schema     string                 `json:"schema"`
	Time       time.Time              `json:"time"` // UTC
	Reason     string                 `json:"reason"`
	Seed       uint64                 `json:"seed"`
	Provenance latencytest.Provenance `json:"provenance"`
}

// An Entry is one request of a stored run.
type Entry struct {
	// Values are the request's metrics in their own units, of a request that ended
	// OK, or counts against the latency of one that hit its time limit.
	Values map[latencytest.Metric]float64

	Facts EntryFacts
}

// EntryFacts are what benchstat must not see of a request.
type EntryFacts struct {
	Number  int             `json:"n"`
	Prompt  string          `json:"prompt"`
	Class   providers.Class `json:"class,omitzero"` // empty means ok
	Code    string          `json:"code,omitzero"`
	Wrote   wire.Instant    `json:"wrote,omitzero"`
	Header  wire.Instant    `json:"header,omitzero"`
	Connect wire.Instant    `json:"got_conn,omitzero"`
	New     bool            `json:"new_conn,omitzero"`
	Retries int             `json:"retries,omitzero"`
	Calls   int             `json:"calls,omitzero"` // left out when 1
	Events  int             `json:"events,omitzero"`
	Served  string          `json:"served,omitzero"`

	// These came later: files that were written before hold none of them.
	Model      string       `json:"model,omitzero"`       // as the reply names it
	Start      wire.Instant `json:"start,omitzero"`       // of the last of several calls
	Retrying   wire.Instant `json:"retrying,omitzero"`    // the part of Start that went into retries
	LongestGap wire.Instant `json:"longest_gap,omitzero"` // between content events, of replies with two gaps or more

	// Of an operation: until its first request, while its first token was held back,
	// and the model calls on its critical path.
	Before wire.Instant `json:"before,omitzero"`
	Held   wire.Instant `json:"held,omitzero"`
	Serial int          `json:"serial,omitzero"`

	providers.Usage

	// Values of a request that hit its time limit, by unit: no benchmark line holds them.
	Values map[string]float64 `json:"values,omitempty"`
}

// alwaysStored are the metrics that a run holds whether they are gated or not.
var alwaysStored = []latencytest.Metric{latencytest.TTFT, latencytest.TTLT, latencytest.OTPS}

// NewRun returns the run of a scenario as it would be stored: with its usual
// metrics, and the gated ones.
func NewRun(res *latencytest.Result, s *latencytest.Scenario, reason string, gated ...latencytest.Metric) *Run {
	metrics := slices.Clone(alwaysStored)
	for _, m := range gated {
		if !slices.Contains(metrics, m) {
			metrics = append(metrics, m)
		}
	}
	run := &Run{
		Key: KeyOf(s),
		Header: Header{
			Schema: Schema, Time: res.Started.UTC().Truncate(time.Second), Reason: oneLine(reason),
			Seed: res.Plan.Seed, Provenance: res.Provenance,
		},
	}
	for i := range s.Samples {
		run.Entries = append(run.Entries, newEntry(&s.Samples[i], metrics))
	}
	return run
}

func newEntry(s *latencytest.Sample, metrics []latencytest.Metric) Entry {
	e := Entry{
		Values: make(map[latencytest.Metric]float64),
		Facts: EntryFacts{
			Number: s.Number, Prompt: s.Prompt, Code: s.Code,
			Connect: s.GotConn, Wrote: s.Wrote, Header: s.Header, New: !s.Reused,
			Retries: s.Retries, Events: s.ContentEvents, Served: s.Served, Usage: s.Usage,
			Model: s.Model, Start: s.Start, Retrying: s.Retrying,
		},
	}
	if o := s.Operation; o != nil {
		e.Facts.Before, e.Facts.Held, e.Facts.Serial = o.Before, o.Held, o.Serial
	}
	if s.Gaps.N > 1 {
		e.Facts.LongestGap = s.Gaps.Longest
	}
	if s.Class != providers.OK {
		e.Facts.Class = s.Class
	}
	if s.Calls != 1 {
		e.Facts.Calls = s.Calls
	}
	for _, m := range metrics {
		if v, ok := gateValue(s, m); ok {
			e.Values[m] = v
		}
	}
	return e
}

// sameMeasurement reports whether two runs hold one and the same measurement: one
// result may be checked, and stored, more than once.
func (r *Run) sameMeasurement(o *Run) bool {
	return r.Header.Time.Equal(o.Header.Time) && r.Header.Seed == o.Header.Seed &&
		slices.EqualFunc(r.Entries, o.Entries, func(a, b Entry) bool {
			for m, v := range a.Values {
				if w, ok := b.Values[m]; ok && v != w {
					return false
				}
			}
			return a.Facts.Number == b.Facts.Number
		})
}

// adopt takes the values of metrics that r does not hold from another record of
// the same measurement, and reports whether there were any.
func (r *Run) adopt(o *Run) bool {
	more := false
	for i, e := range o.Entries {
		for m, v := range e.Values {
			if _, ok := r.Entries[i].Values[m]; !ok {
				r.Entries[i].Values[m] = v
				more = true
			}
		}
	}
	return more
}

// gateValue is what a request counts in a comparison. One that hit its time
// limit counts at the limit in the times it never reached: leaving it out would
// make an endpoint that hangs look faster.
func gateValue(s *latencytest.Sample, m latencytest.Metric) (float64, bool) {
	v, ok := m.Of(s)
	timeout := s.Class == providers.Timeout
	switch {
	case s.Class == providers.OK, timeout && ok && slices.Contains(toFirst, m):
		return v, ok
	case timeout && (slices.Contains(toFirst, m) || slices.Contains(toLast, m)):
		limit, ok := s.Limit.Get()
		return float64(limit), ok
	}
	return 0, false
}

// The times that run from t_call, and so can hit the limit: those that a request
// may have reached before it hung, and those that it never did.
var (
	toFirst = []latencytest.Metric{latencytest.TTFT, latencytest.TTFTVisible}
	toLast  = []latencytest.Metric{latencytest.TTLT, latencytest.StreamEnd}
)

// Values returns the metric's values in request order.
func (r *Run) Values(m latencytest.Metric) []float64 {
	var values []float64
	for _, e := range r.Entries {
		if v, ok := e.Values[m]; ok {
			values = append(values, v)
		}
	}
	return values
}

// Failed returns how many of the run's requests did not end OK.
func (r *Run) Failed() int {
	failed := 0
	for _, e := range r.Entries {
		if e.Facts.Class != "" {
			failed++
		}
	}
	return failed
}

// content returns the run's file, and refuses a run that would make a bad baseline.
func (r *Run) content() ([]byte, error) {
	n, failed := len(r.Entries), r.Failed()
	switch {
	case n == 0:
		return nil, errors.New("no requests were measured, there is nothing to store")
	case tooManyFailed(failed, n):
		return nil, fmt.Errorf("%d of %d requests failed: such a run is no baseline", failed, n)
	}
	values := 0
	for _, e := range r.Entries {
		for m, v := range e.Values {
			if _, err := measured(m.Unit(), v); err != nil {
				return nil, fmt.Errorf("request %d has a %v of %v: a measurement must be positive", e.Facts.Number, m, v)
			}
		}
		if e.Facts.Class == "" {
			values += len(e.Values)
		}
	}
	if values == 0 {
		return nil, fmt.Errorf("none of %d requests has a value, there is nothing to compare with", n)
	}
	data, err := r.Format()
	if err != nil {
		return nil, err
	}
	return data, r.readable(data)
}

// readable reads the run's file before it is stored: one that cannot be read
// would stop every later run.
func (r *Run) readable(data []byte) error {
	again, err := Parse(data, "")
	if err != nil {
		return errors.New("the Go benchmark format cannot hold this run: a line of it would be longer than 64 KiB")
	}
	if lost := r.Key.Mismatches(again.Key); len(lost) > 0 {
		return fmt.Errorf("the Go benchmark format cannot hold the fact %q: names start with a lower-case letter, have no capitals, spaces or colons, and do not repeat", lost[0].Name)
	}
	return nil
}

// invalidShare is the share of failed requests from which latencies say nothing
// about the endpoint any more.
const invalidShare = 0.10

func tooManyFailed(failed, n int) bool { return float64(failed)/float64(n) >= invalidShare }
