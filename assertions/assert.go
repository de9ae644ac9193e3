package assertions

import (
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// AssertNoRegression is [Check] with one [NoRegression] gate.
func AssertNoRegression(t assert.TestingT, res *latencytest.Result, store baseline.Store, m latencytest.Metric, q latencytest.Quantile, msgAndArgs ...any) bool {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	return one(t, res, store, NoRegression(m, q), msgAndArgs)
}

// AssertBelow asserts that a quantile of a time is at most limit, see [Below].
func AssertBelow(t assert.TestingT, res *latencytest.Result, m latencytest.Metric, q latencytest.Quantile, limit time.Duration, msgAndArgs ...any) bool {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	return one(t, res, nil, Below(m, q, limit), msgAndArgs)
}

// AssertAtLeast asserts that a quantile's share of requests reach at least
// limit, see [AtLeast].
func AssertAtLeast(t assert.TestingT, res *latencytest.Result, m latencytest.Metric, q latencytest.Quantile, limit float64, msgAndArgs ...any) bool {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	return one(t, res, nil, AtLeast(m, q, limit), msgAndArgs)
}

// AssertErrorRate asserts that the share of failed requests is at most limit.
func AssertErrorRate(t assert.TestingT, res *latencytest.Result, limit float64, msgAndArgs ...any) bool {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	return one(t, res, nil, ErrorRate(limit), msgAndArgs)
}

func one(t assert.TestingT, res *latencytest.Result, store baseline.Store, gate Gate, msgAndArgs []any) bool {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	l, ok := t.(listener)
	if !ok {
		l = deaf{}
	}
	if failure := tell(l, res, store, []Gate{gate}); failure != "" {
		return assert.Fail(t, failure, msgAndArgs...)
	}
	return true
}

// deaf stands in for a TestingT that can only fail.
type deaf struct{}

func (deaf) Helper()             {}
func (deaf) Logf(string, ...any) {}
