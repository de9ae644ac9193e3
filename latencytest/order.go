package latencytest

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/latgate/latgate/providers"
)

// A turn is one request to be made: a sample's number, scenario and prompt.
type turn struct {
	number   int
	warmup   bool
	repeated int // which of the plan's repetitions, from 0
	scenario string
	prompt   providers.Prompt
	due      time.Time // the intended start in an open load; zero in a closed one

	provider, model string // as far as they are known beforehand
}

// A group is the prompts of one scenario.
type group struct {
	name    string
	facts   providers.Facts
	prompts []providers.Prompt
}

// A dealer hands out turns. Groups take turns one by one, so that drift of the
// endpoint hits all alike. Within a group each round is a fresh shuffle of all
// its prompts: two runs of the same length see the same mix, whatever their
// seeds, but for one request a prompt where the last round is not whole.
type dealer struct {
	groups []group
	random []*rand.Rand
	rounds [][]providers.Prompt // what is left of each group's round
	next   int                  // number of the next turn
}

func newDealer(groups []group, seed uint64) *dealer {
	d := &dealer{groups: groups, rounds: make([][]providers.Prompt, len(groups))}
	for g := range groups {
		d.random = append(d.random, rand.New(rand.NewPCG(seed, uint64(g))))
	}
	return d
}

// turns hands out turns without end, and starts the rounds anew: the warm-up
// takes nothing from the mix of the measured requests.
func (d *dealer) turns(warmup bool) iter.Seq[turn] {
	clear(d.rounds)
	return func(yield func(turn) bool) {
		for g := 0; ; g = (g + 1) % len(d.groups) {
			if len(d.rounds[g]) == 0 {
				d.rounds[g] = slices.Clone(d.groups[g].prompts)
				d.random[g].Shuffle(len(d.rounds[g]), func(i, j int) {
					d.rounds[g][i], d.rounds[g][j] = d.rounds[g][j], d.rounds[g][i]
				})
			}
			t := turn{
				number: d.next, warmup: warmup, scenario: d.groups[g].name, prompt: d.rounds[g][0],
				provider: d.groups[g].facts.Get("provider"), model: d.groups[g].facts.Get("model"),
			}
			d.rounds[g] = d.rounds[g][1:]
			d.next++
			if !yield(t) {
				return
			}
		}
	}
}

// first limits turns to n of each group, so many times.
func (d *dealer) first(n, times int, turns iter.Seq[turn]) iter.Seq[turn] {
	n *= len(d.groups)
	return func(yield func(turn) bool) {
		if n == 0 {
			return
		}
		made := 0
		for t := range turns {
			t.repeated = made / n
			made++
			if !yield(t) || made == n*times {
				return
			}
		}
	}
}
