package latencytest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

// promptSet is n prompts whose ids begin with a name.
func promptSet(name string, n int) []providers.Prompt {
	var ps []providers.Prompt
	for i := range n {
		ps = append(ps, providers.Prompt{ID: fmt.Sprint(name, i), Text: "text of " + name})
	}
	return ps
}

func twoGroups() []group {
	return []group{{name: "A", prompts: promptSet("a", 5)}, {name: "B", prompts: promptSet("b", 3)}}
}

// dealt is everything a run of so many requests is dealt, warm-up first.
func dealt(groups []group, seed uint64, warmup, requests int) []turn {
	d := newDealer(groups, seed)
	turns := slices.Collect(d.first(warmup, 1, d.turns(true)))
	return slices.AppendSeq(turns, d.first(requests, 1, d.turns(false)))
}

func ids(turns []turn, scenario string) []string {
	var out []string
	for _, t := range turns {
		if t.scenario == scenario {
			out = append(out, t.prompt.ID)
		}
	}
	return out
}

func TestSameSeedSameOrder(t *testing.T) {
	t.Parallel()
	a, b := dealt(twoGroups(), 7, 2, 40), dealt(twoGroups(), 7, 2, 40)
	assert.Equal(t, a, b)
	assert.NotEqual(t, a, dealt(twoGroups(), 8, 2, 40))
	assert.NotEqual(t, ids(a, "A")[2:7], ids(a, "A")[7:12], "each round is a fresh shuffle")
}

// Each prompt comes up once a round, so runs of the same length see the same mix,
// whatever their seeds: to one request in the last round, when it is not whole.
func TestEveryRoundIsAPermutation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		measured := dealt(twoGroups(), seed, 0, 15)
		for scenario, size := range map[string]int{"A": 5, "B": 3} {
			got := ids(measured, scenario)
			require.Len(t, got, 15)
			for round := range slices.Chunk(got, size) {
				slices.Sort(round)
				assert.Len(t, slices.Compact(slices.Clone(round)), size, "seed %d, scenario %s: %v", seed, scenario, round)
			}
		}
		counts := map[string]int{}
		for _, id := range ids(dealt(twoGroups(), seed, 3, 17), "A")[3:] {
			counts[id]++
		}
		for id, n := range counts {
			assert.True(t, n == 3 || n == 4, "17 requests of 5 prompts: %s came up %d times", id, n)
		}
	}
}

// Groups take turns, so that drift of the endpoint hits all alike.
func TestGroupsAreInterleaved(t *testing.T) {
	t.Parallel()
	turns := dealt(append(twoGroups(), group{name: "C", prompts: promptSet("c", 1)}), 1, 2, 10)
	require.Len(t, turns, 3*12)
	for i, turn := range turns {
		assert.Equal(t, string("ABC"[i%3]), turn.scenario)
		assert.Equal(t, i, turn.number, "numbers count over the whole run")
		assert.Equal(t, i < 6, turn.warmup)
	}
}

// The warm-up deals from rounds of its own: however many requests it takes, the
// measured ones begin with a whole round.
func TestWarmupTakesNothingFromTheMix(t *testing.T) {
	t.Parallel()
	for warmup := range 12 {
		got := ids(dealt(twoGroups(), 3, warmup, 10), "A")[warmup:]
		for round := range slices.Chunk(got, 5) {
			slices.Sort(round)
			assert.Equal(t, []string{"a0", "a1", "a2", "a3", "a4"}, round, "after %d warm-up requests", warmup)
		}
	}
}

func TestNoTurns(t *testing.T) {
	t.Parallel()
	assert.Empty(t, dealt(twoGroups(), 1, 0, 0))
	d := newDealer(twoGroups(), 1)
	for range d.first(5, 1, d.turns(false)) {
		break // a run that ends early takes no more
	}
	assert.Equal(t, 1, d.next)
}
