package baseline_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An event is something that is counted over replications.
type event string

// A tally is how often events happened in so many replications.
type tally struct {
	replications int
	events       map[event]int
}

func (t tally) note(e event, happened bool) {
	if happened {
		t.events[e]++
	}
}

// rate is in percent.
func (t tally) rate(e event) float64 { return 100 * float64(t.events[e]) / float64(t.replications) }

// A trial is one replication. It draws from rng alone.
type trial func(rng *rand.Rand, counted tally) error

// replicate counts events over many trials. Trials come in chunks, each with a
// generator of its own, seeded by the name of the cell and the number of the chunk:
// the counts do not depend on how many processors share the chunks.
func replicate(name string, replications, processors int, one trial) (tally, error) {
	const chunk = 50
	hash := fnv.New64a()
	fmt.Fprint(hash, name)
	seed := hash.Sum64()

	chunks := (replications + chunk - 1) / chunk
	counts, errs := make([]tally, chunks), make([]error, chunks)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(processors, chunks) {
		wg.Go(func() {
			for i := range next {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				counts[i] = tally{min(chunk, replications-i*chunk), map[event]int{}}
				for range counts[i].replications {
					errs[i] = errors.Join(errs[i], one(rng, counts[i]))
				}
			}
		})
	}
	for i := range chunks {
		next <- i
	}
	close(next)
	wg.Wait()

	sum := tally{0, map[event]int{}}
	for _, c := range counts {
		sum.replications += c.replications
		for e, n := range c.events {
			sum.events[e] += n
		}
	}
	return sum, errors.Join(errs...)
}

// replications is how many a cell of the benchmark takes.
func replications(b *testing.B) int {
	n := 2000
	if text := os.Getenv("LATGATE_CALIBRATION"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			b.Fatalf("LATGATE_CALIBRATION is %q, want a number of replications", text)
		}
	}
	if testing.Short() {
		n = min(n, 50)
	}
	return n
}

func TestCountsDoNotDependOnProcessors(t *testing.T) {
	t.Parallel()
	half := func(rng *rand.Rand, counted tally) error {
		counted.note("low", rng.Float64() < .5)
		return nil
	}
	want, err := replicate("cell", 1010, 1, half)
	require.NoError(t, err)
	assert.Equal(t, 1010, want.replications)
	assert.InDelta(t, 50, want.rate("low"), 6)
	for _, processors := range []int{2, 7, runtime.NumCPU()} {
		got, err := replicate("cell", 1010, processors, half)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	other, err := replicate("another cell", 1010, 1, half)
	require.NoError(t, err)
	assert.NotEqual(t, want, other)

	_, err = replicate("cell", 100, 2, func(*rand.Rand, tally) error { return os.ErrInvalid })
	assert.ErrorIs(t, err, os.ErrInvalid)
}
