package attribution

import (
	"time"

	"github.com/latgate/latgate/baseline/stat"
	"github.com/latgate/latgate/latencytest"
)

// A Shape says which part of the distribution moved.
type Shape string

// The shapes.
const (
	Whole  Shape = "whole"  // the median and the tail
	Tail   Shape = "tail"   // the tail, and the median less than half as much
	Middle Shape = "middle" // the median, and the tail less than half as much
)

// A Movement is how far one quantile moved, from the stored runs to the candidate.
type Movement struct {
	Quantile string  `json:"quantile"`
	From     float64 `json:"from"` // in the metric's own unit
	To       float64 `json:"to"`
	Ratio    float64 `json:"ratio"` // To over From, and its 90 % interval
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Moved    bool    `json:"moved"` // beyond noise: the interval does not hold 1

	worse float64 // the log ratio, where more is worse
	shift float64 // in nanoseconds, where more is worse
	se    float64 // of shift
}

// movement measures a quantile as the gate does.
func (c *comparison) movement(q latencytest.Quantile) (Movement, error) {
	m := c.question.Metric
	question := stat.Comparison{
		Metric: m.Name(), Q: float64(q), HigherIsBetter: m.HigherIsBetter(),
		Candidate: [][]float64{c.candidate.Values(m)},
	}
	for _, run := range c.stored {
		question.Baseline = append(question.Baseline, run.Values(m))
	}
	out := Movement{Quantile: q.String()}
	results, err := stat.Judge([]stat.Comparison{question}, stat.Options{SingleSession: true})
	if err != nil {
		return out, err
	}
	r := results[0]
	out.From, out.To = r.Baseline.HarrellDavis, r.Candidate.HarrellDavis
	out.Ratio, out.Low, out.High = r.Ratio, r.Low, r.High
	from, to := out.From, out.To
	if m.HigherIsBetter() {
		out.Ratio, out.Low, out.High = 1/r.Ratio, 1/r.High, 1/r.Low
		from, to = float64(time.Second)/from, float64(time.Second)/to
	}
	out.Moved = r.Low > 1 || r.High < 1
	out.worse, out.shift, out.se = r.D, to-from, r.SE*from
	return out, nil
}

// shape compares the quantile that was asked for with the other end: a tail with
// the median, what is not in the tail with the P90.
func (c *comparison) shape(here Movement) ([]Movement, Shape, error) {
	if c.question.Quantile >= latencytest.P75 {
		median, err := c.movement(latencytest.P50)
		shape := Whole
		if median.worse/here.worse < .5 {
			shape = Tail
		}
		return []Movement{median, here}, shapeOf(here, shape), err
	}
	tail, err := c.movement(latencytest.P90)
	shape := Whole
	if tail.shift/here.shift < .5 { // a constant more is a smaller share of a tail
		shape = Middle
	}
	return []Movement{here, tail}, shapeOf(here, shape), err
}

// shapeOf is the shape of what moved, and none of what did not.
func shapeOf(here Movement, shape Shape) Shape {
	if !here.Moved {
		return ""
	}
	return shape
}
