package assertions_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// slow makes every nth request four times as slow as it was.
func slow(every int) edit {
	return func(i int, s *latencytest.Sample) {
		if i%every == 0 {
			first, _ := s.First.Get()
			s.First = wire.At(4 * first)
		}
	}
}

func TestSlowShare(t *testing.T) {
	t.Parallel()
	gate := assertions.SlowShare(latencytest.TTFT)
	store := stored(t, 5, slow(20))
	for _, test := range []struct {
		every int
		want  string
		fails bool
	}{
		{20, "pass", false},
		{18, "pass", false}, // by chance
		{8, "regression", true},
	} {
		var f fakeT
		assert.Equal(t, !test.fails, assertions.Check(&f, result(scenario(200, 1, slow(test.every))), store, gate), "%d", test.every)
		text := append(f.errors, f.logs...)
		require.Len(t, text, 1)
		assert.Regexp(t, `all: SlowShare\(ttft\): `+test.want+`: [\d.]+ % of 200 requests are slow \(above \d+ ms\), of the stored ones [\d.]+ %`, text[0])
	}

	var f fakeT
	assert.True(t, assertions.Check(&f, result(scenario(50, 1)), baseline.Dir(t.TempDir()), gate))
	assert.Contains(t, f.logs[0], "WARNING: all: SlowShare(ttft): missing: there are no stored runs")
	assert.False(t, assertions.Check(&f, result(scenario(50, 1, failing(40, providers.HTTP5xx))), store, gate))
	assert.False(t, assertions.Check(&f, result(scenario(50, 1)), nil, gate))
	assert.Contains(t, f.errors[1], "SlowShare needs a store")
}
