package assertions

import (
	"fmt"
	"time"

	"github.com/latgate/latgate/latencytest"
)

// A GateRecord is a gate as it is stored: the name of the function that makes it,
// and what that is given.
type GateRecord struct {
	Gate           string    `json:"gate"`
	Metric         string    `json:"metric,omitzero"`
	Unit           string    `json:"unit,omitzero"` // of a metric of the user's own
	HigherIsBetter bool      `json:"higher_is_better,omitzero"`
	Quantiles      []float64 `json:"quantiles,omitempty"`
	Limit          float64   `json:"limit,omitzero"` // in the metric's unit; of a setting, its value
	Policy         Policy    `json:"policy,omitzero"`
}

func recordGates(list []Gate) (records []GateRecord) {
	for _, gate := range list {
		if gate != nil {
			records = append(records, gate.record())
		}
	}
	return records
}

func recordOf(name string, m latencytest.Metric, limit float64, quantiles ...latencytest.Quantile) GateRecord {
	r := GateRecord{Gate: name, Metric: m.Name(), Limit: limit}
	if _, ok := latencytest.MetricNamed(m.Name()); !ok {
		r.Unit, r.HigherIsBetter = unitOf(m), m.HigherIsBetter()
	}
	for _, q := range quantiles {
		r.Quantiles = append(r.Quantiles, float64(q))
	}
	return r
}

// Gate returns the gate that was stored.
func (r GateRecord) gate() (Gate, error) {
	metric, known := latencytest.MetricNamed(r.Metric)
	if !known && r.Unit != "" {
		metric, known = latencytest.Custom(r.Metric, r.Unit, r.HigherIsBetter), true
	}
	switch r.Gate {
	case "NoRegression", "Below", "AtLeast":
		if len(r.Quantiles) == 0 {
			return nil, fmt.Errorf("%s: there is no quantile", r.Gate)
		}
		fallthrough
	case "SlowShare":
		if !known {
			return nil, fmt.Errorf("%s: there is no metric %.40q", r.Gate, r.Metric)
		}
	}
	var quantiles []latencytest.Quantile
	for _, q := range r.Quantiles {
		quantiles = append(quantiles, latencytest.Quantile(q))
	}
	switch r.Gate {
	case "NoRegression":
		return NoRegression(metric, quantiles...), nil
	case "Below":
		return Below(metric, quantiles[0], time.Duration(r.Limit)), nil
	case "AtLeast":
		return AtLeast(metric, quantiles[0], r.Limit), nil
	case "SlowShare":
		return SlowShare(metric), nil
	case "Calls":
		return Calls(int(r.Limit)), nil
	case "ErrorRate":
		return ErrorRate(r.Limit), nil
	case "MinEffect":
		return MinEffect(r.Limit), nil
	case "RuleOut":
		return RuleOut(r.Limit), nil
	case "Alpha":
		return Alpha(r.Limit), nil
	case "Strict":
		return Strict(), nil
	case "SingleSession":
		return SingleSession(), nil
	case "Inconclusive":
		return Inconclusive(r.Policy), nil
	}
	return nil, fmt.Errorf("there is no gate called %.40q: it was written by another version of latgate", r.Gate)
}

func (r regression) record() GateRecord {
	return recordOf("NoRegression", r.metric, 0, r.quantiles...)
}
func (b budget) record() GateRecord       { return recordOf(b.name, b.metric, b.limit, b.q) }
func (e errorRate) record() GateRecord    { return GateRecord{Gate: "ErrorRate", Limit: float64(e)} }
func (s setting) record() GateRecord      { return GateRecord{Gate: s.function, Limit: s.share} }
func (p inconclusive) record() GateRecord { return GateRecord{Gate: "Inconclusive", Policy: Policy(p)} }
