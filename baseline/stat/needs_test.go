package stat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// flat is a comparison of equally long runs with a given a and τ.
func flat(unit, tau float64, n, k, r int) (effects, shift) {
	e := effects{
		base: make([]run, k), cand: make([]run, r), fresh: true,
		unit: unit, vBase: unit / float64(n), vCand: unit / float64(n),
	}
	return e, shift{tau: tau, se: math.Sqrt((e.vBase + tau*tau) * (1/float64(k) + 1/float64(r)))}
}

func TestNeeds(t *testing.T) {
	goal := math.Pow(math.Log(1.2), 2)
	e, s := flat(.5, .03, 100, 5, 1)
	n := e.needs(s, .20)
	assert.Equal(t, int(math.Ceil(8.56*.5*1.2/(goal-8.56*.0009*1.2))), n.Requests)

	// What is needed suffices, and one less does not.
	se2 := func(n, k, r int) float64 { return (.5/float64(n) + .0009) * (1/float64(k) + 1/float64(r)) }
	room := goal / 8.56
	assert.LessOrEqual(t, se2(n.Requests, 5, 1), room)
	assert.Greater(t, se2(n.Requests-1, 5, 1), room)
	assert.LessOrEqual(t, se2(100, 5, n.Sessions), room)
	assert.Greater(t, se2(100, 5, n.Sessions-1), room)
	assert.Zero(t, n.StoredRuns, "one session alone is too noisy")

	e, s = flat(.5, .03, 200, 4, 1)
	n = e.needs(s, .20)
	assert.LessOrEqual(t, se2(200, n.StoredRuns, 1), room)
	assert.Greater(t, se2(200, n.StoredRuns-1, 1), room)

	e, s = flat(.5, .10, 200, 5, 1)
	n = e.needs(s, .20)
	assert.Zero(t, n.Requests, "no number of requests averages the sessions out")
	assert.Positive(t, n.Sessions)

	e, s = flat(.5, .30, 200, 5, 1)
	assert.Equal(t, Needs{}, e.needs(s, .20))
}

func TestOutlook(t *testing.T) {
	for _, test := range []struct {
		needs Needs
		want  string
	}{
		{Needs{637, 2, 8}, "needs ≈ 640 requests, or 2 sessions, or 8 stored runs to settle +20 %"},
		{Needs{637, 0, 0}, "needs ≈ 640 requests to settle +20 %"},
		{Needs{0, 3, 0}, "needs 3 sessions to settle +20 % (not reachable with 1 session, however long)"},
		{Needs{}, "+20 % is out of reach: the runs differ too much from one another"},
		{Needs{150, 1, 3}, "there are enough requests to see +20 %, so the truth is likely close to it"},
	} {
		r := Result{Needs: test.needs, kernel: 200, K: 5, Sessions: 1, RuleOut: .20}
		assert.Equal(t, test.want, r.outlook())
	}
}

func TestRoundUp(t *testing.T) {
	for n, want := range map[int]int{7: 7, 99: 99, 100: 100, 101: 110, 637: 640, 1234: 1300, 640: 640} {
		assert.Equal(t, want, roundUp(n))
	}
}

func TestDetectable(t *testing.T) {
	assert.InDelta(t, math.Exp(2.9264*.2)-1, shift{se: .2}.detectable(.10), 1e-3, "significance is the bottleneck")
	assert.InDelta(t, 1.1*math.Exp(1.2816*.01)-1, shift{se: .01}.detectable(.10), 1e-9, "MinEffect is")
}
