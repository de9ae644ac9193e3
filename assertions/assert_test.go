package assertions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// A minimalT is all that testify asks of a test.
type minimalT struct{ errors []string }

func (m *minimalT) Errorf(format string, args ...any) {
	m.errors = append(m.errors, fmt.Sprintf(format, args...))
}

func TestOneLiners(t *testing.T) {
	t.Parallel()
	store := fiveRuns(t)
	good, slow := result(scenario(200, 1)), result(scenario(200, 1, later(1.5)))
	for _, test := range []struct {
		name  string
		check func(t assert.TestingT, res *latencytest.Result, msgAndArgs ...any) bool
		says  string
	}{
		{"AssertNoRegression", func(t assert.TestingT, res *latencytest.Result, msgAndArgs ...any) bool {
			return assertions.AssertNoRegression(t, res, store, latencytest.TTFT, latencytest.P90, msgAndArgs...)
		}, "all: P90 ttft "},
		{"AssertBelow", func(t assert.TestingT, res *latencytest.Result, msgAndArgs ...any) bool {
			return assertions.AssertBelow(t, res, latencytest.TTFT, latencytest.P90, 550*ms, msgAndArgs...)
		}, "all: Below(ttft, P90, 550 ms): "},
		{"AssertAtLeast", func(t assert.TestingT, res *latencytest.Result, msgAndArgs ...any) bool {
			return assertions.AssertAtLeast(t, res, latencytest.OTPSEndToEnd, latencytest.P90, 25, msgAndArgs...)
		}, "all: AtLeast(otps_e2e, P90, 25 tok/s): "},
		{"AssertErrorRate", func(t assert.TestingT, res *latencytest.Result, msgAndArgs ...any) bool {
			if res == slow {
				res = result(scenario(200, 1, failing(19, "http_5xx")))
			}
			return assertions.AssertErrorRate(t, res, .01, msgAndArgs...)
		}, "all: ErrorRate(1 %): "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var m minimalT
			assert.True(t, test.check(&m, good, "the %s build", "new"))
			assert.Empty(t, m.errors)
			assert.False(t, test.check(&m, slow, "the %s build", "new"))
			require.Len(t, m.errors, 1)
			assert.Contains(t, m.errors[0], test.says)
			assert.Contains(t, m.errors[0], "again:    go test ./assertions -run '^TestLatencyChat$'")
			assert.Regexp(t, `Messages: +\tthe new build`, m.errors[0])
		})
	}
}

func TestOneLinersRefuseWhatCheckRefuses(t *testing.T) {
	t.Parallel()
	var m minimalT
	assert.False(t, assertions.AssertBelow(&m, nil, latencytest.TTFT, latencytest.P90, limit))
	assert.False(t, assertions.AssertBelow(&m, result(scenario(200, 1)), latencytest.OTPS, latencytest.P90, limit))
	assert.False(t, assertions.AssertNoRegression(&m, result(scenario(200, 1)), nil, latencytest.TTFT, latencytest.P90))
	assert.False(t, assertions.AssertErrorRate(&m, result(scenario(200, 1)), 7))
	assert.Len(t, m.errors, 4)
}

// What a check tells, its one-liner tells as well, where the test can be told.
func TestOneLinersTellWhatTheyPass(t *testing.T) {
	t.Parallel()
	var one, check fakeT
	res, store := result(scenario(200, 1, later(2))), stored(t, 2)
	assert.True(t, assertions.AssertNoRegression(&one, res, store, latencytest.TTFT, latencytest.P90))
	assert.True(t, assertions.Check(&check, res, store, ttft90, alone))
	assert.Equal(t, check.logs, one.logs)
	require.Len(t, one.logs, 1)
	assert.True(t, strings.HasPrefix(one.logs[0], warning))

	one = fakeT{}
	assert.True(t, assertions.AssertNoRegression(&one, res, baseline.Dir(t.TempDir()), latencytest.TTFT, latencytest.P90))
	require.Len(t, one.logs, 1)
	assert.Contains(t, one.logs[0], "there was no baseline: it was created as ")
}

// A failure is reported at the line of the test that asked.
func TestFailuresAreThoseOfTheCallersLine(t *testing.T) {
	t.Parallel()
	res, store := result(scenario(200, 1, later(1.5))), fiveRuns(t)
	for name, check := range map[string]func(f *fakeT) (line string){
		"Check": func(f *fakeT) string {
			line := nextLine()
			assertions.Check(f, res, store, ttft90, alone, assertions.ErrorRate(.5))
			return line
		},
		"AssertNoRegression": func(f *fakeT) string {
			line := nextLine()
			assertions.AssertNoRegression(f, res, store, latencytest.TTFT, latencytest.P90)
			return line
		},
		"AssertBelow": func(f *fakeT) string {
			line := nextLine()
			assertions.AssertBelow(f, res, latencytest.TTFT, latencytest.P90, ms)
			return line
		},
		"AssertAtLeast": func(f *fakeT) string {
			line := nextLine()
			assertions.AssertAtLeast(f, res, latencytest.OTPS, latencytest.P90, 999)
			return line
		},
		"AssertErrorRate": func(f *fakeT) string {
			line := nextLine()
			assertions.AssertErrorRate(f, res, .5)
			return line
		},
	} {
		var f fakeT
		want := check(&f)
		require.NotEmpty(t, f.lines, name)
		for _, line := range f.lines {
			assert.Equal(t, want, line, name)
		}
	}
}
