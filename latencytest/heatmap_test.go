package latencytest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

func TestHeatMap(t *testing.T) {
	t.Parallel()
	script := steady
	script.OutputTokens = 300 // the prompts' own limits decide
	res := measured(t, script, latencytest.Plan{
		Prompts: latencytest.LengthGrid([]int{100, 500}, []int{16, 64, 256}), Requests: 24, Seed: 1,
	})
	h := res.Scenarios[0].HeatMap(latencytest.TTLT, latencytest.P90)
	require.Equal(t, []int64{16, 64, 256}, h.Outputs)
	require.Len(t, h.Inputs, 2)
	for _, row := range h.Cells {
		require.Len(t, row, 3)
		for i, c := range row {
			assert.Equal(t, 4, c.N)
			if i > 0 {
				assert.Greater(t, c.Value, 3*row[i-1].Value/2, "longer answers take longer")
			}
		}
	}
	lines := strings.Split(h.String(), "\n")
	assert.Equal(t, "P90 ttlt by input tokens (down) and output tokens (right)", lines[0])
	require.Len(t, lines, 4)
	assert.Contains(t, lines[1], "≤ 256")
	assert.Contains(t, lines[2], "(4)")

	failing := script
	failing.Faults = []fakes.Fault{{On: fakes.Share(1), Effect: fakes.Refuse{}}}
	res = measured(t, failing, latencytest.Plan{Prompts: promptSet(1), Requests: 5, Storm: -1})
	assert.Empty(t, res.Scenarios[0].HeatMap(latencytest.TTFT, latencytest.P50).Cells)
}
