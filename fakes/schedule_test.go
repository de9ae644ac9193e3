package fakes

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sendTimes returns when the content events of s are sent.
func sendTimes(s Schedule) []time.Duration {
	var times []time.Duration
	for _, c := range s.Content {
		times = append(times, c.At)
	}
	return times
}

func TestZeroScriptAnswersAtOnce(t *testing.T) {
	s := Script{}.Schedule(0, 0)
	assert.Len(t, s.Content, 32)
	assert.Equal(t, 32, s.Tokens())
	assert.Zero(t, s.Head)
	assert.Zero(t, s.End)
	assert.Equal(t, make([]time.Duration, 32), sendTimes(s))
}

func TestScheduleFollowsTheSeedAlone(t *testing.T) {
	script := Script{Seed: 1, TTFT: Lognormal(400*ms, 0.45), Gap: Lognormal(20*ms, 0.3), Session: 0.05, Faults: []Fault{{On: Share(0.5), Effect: Stall{At: 3, For: time.Second}}}}
	same := func(a, b Schedule) bool {
		return slices.Equal(sendTimes(a), sendTimes(b)) && a.End == b.End && len(a.Effects) == len(b.Effects)
	}
	for request := range 50 {
		first := script.Schedule(request, 0)
		assert.True(t, same(first, script.Schedule(request, 0)))
		assert.False(t, same(first, script.Schedule(request, 1)), "another attempt draws anew")
		assert.False(t, same(first, script.Schedule(request+1, 0)))
		other := script
		other.Seed = 2
		assert.False(t, same(first, other.Schedule(request, 0)))
	}
}

// What is added to a script leaves the luck of its requests alone.
func TestDrawsAreIndependent(t *testing.T) {
	plain := Script{Seed: 1, TTFT: Lognormal(400*ms, 0.45), Gap: Lognormal(20*ms, 0.3)}
	for name, changed := range map[string]func(*Script){
		"padding":     func(s *Script) { s.Padding = true },
		"empty delta": func(s *Script) { s.EmptyDelta = true },
		"reasoning":   func(s *Script) { s.Reasoning = 5 },
		"tool calls":  func(s *Script) { s.ToolCalls = 2 },
		"head":        func(s *Script) { s.Head = Uniform(0, 50*ms) },
		"a fault":     func(s *Script) { s.Faults = []Fault{{On: Share(0.9), Effect: NoUsage{}}} },
	} {
		script := plain
		changed(&script)
		for request := range 20 {
			assert.Equal(t, sendTimes(plain.Schedule(request, 0)), sendTimes(script.Schedule(request, 0)), name)
		}
	}
	slower := plain
	slower.Gap = Scale(plain.Gap, 2)
	for request := range 20 {
		a, b := plain.Schedule(request, 0), slower.Schedule(request, 0)
		assert.Equal(t, a.Content[0].At, b.Content[0].At, "another gap leaves the TTFT alone")
		assert.InDelta(t, 2*float64(a.End-a.Content[0].At), float64(b.End-b.Content[0].At), 64, "ns, one rounding a gap")
	}
}

func TestSessionIsOneFactorOnAllTimes(t *testing.T) {
	calm := Script{TTFT: Lognormal(400*ms, 0.45), Gap: Lognormal(20*ms, 0.3)}
	var logs []float64
	for seed := range uint64(400) {
		calm.Seed = seed
		windy := calm
		windy.Session = 0.05
		factor := math.NaN()
		for request := range 5 {
			a, b := calm.Schedule(request, 0), windy.Schedule(request, 0)
			if request == 0 {
				factor = float64(b.Content[0].At) / float64(a.Content[0].At)
			}
			for i := range a.Content {
				require.InDelta(t, factor, float64(b.Content[i].At)/float64(a.Content[i].At), 1e-6)
			}
		}
		logs = append(logs, math.Log(factor))
	}
	var sum, squares float64
	for _, l := range logs {
		sum += l
		squares += l * l
	}
	n := float64(len(logs))
	assert.InDelta(t, 0, sum/n, 4*0.05/math.Sqrt(n))
	assert.InDelta(t, 0.05, math.Sqrt(squares/n), 4*0.05/math.Sqrt(2*n))
}

func TestHeadComesBeforeContent(t *testing.T) {
	script := Script{TTFT: Constant(300 * ms), Head: Constant(100 * ms)}
	assert.Equal(t, 100*ms, script.Schedule(0, 0).Head)
	script.Head = Constant(time.Second)
	assert.Equal(t, 300*ms, script.Schedule(0, 0).Head, "never after the first content event")
	script.Head = nil
	assert.Equal(t, 300*ms, script.Schedule(0, 0).Head)
}

func TestAnswerLayout(t *testing.T) {
	s := Script{OutputTokens: 24, TokensPerChunk: 2, Reasoning: 2, ToolCalls: 2}.Schedule(0, 0)
	var channels []Channel
	text := map[Channel]string{}
	for _, c := range s.Content {
		channels = append(channels, c.Channel)
		text[c.Channel] += c.Text
		assert.Equal(t, 2, c.Tokens)
	}
	assert.Equal(t, slices.Concat(slices.Repeat([]Channel{Reasoning}, 2), slices.Repeat([]Channel{Text}, 4), slices.Repeat([]Channel{ToolInput}, 6)), channels)
	assert.Equal(t, "a request that waits", text[Reasoning])
	assert.Equal(t, "a request that waits is a request that", text[Text])
	assert.Equal(t, `{"city":"Reykjavík"}{"city":"Reykjavík"}`, text[ToolInput])
	assert.Equal(t, 1, s.Content[9].Call)

	odd := Script{OutputTokens: 7, TokensPerChunk: 3}.Schedule(0, 0)
	assert.Len(t, odd.Content, 3)
	assert.Equal(t, 1, odd.Content[2].Tokens)
	assert.Equal(t, 7, odd.Tokens())

	only := Script{OutputTokens: 1, ToolCalls: 1}.Schedule(0, 0)
	assert.Len(t, only.Content, 3, "raised to what a tool call needs: an answer without text")
	assert.Equal(t, ToolInput, only.Content[0].Channel)
}

func TestLimit(t *testing.T) {
	whole := Script{TTFT: Constant(100 * ms), Gap: Constant(10 * ms), OutputTokens: 9, TokensPerChunk: 3}.Schedule(0, 0)
	assert.Equal(t, 130*ms, whole.End)
	for maxTokens, want := range map[int]struct {
		events  int
		end     time.Duration
		limited bool
		last    string
	}{
		100: {3, 130 * ms, false, " request that costs"},
		9:   {3, 130 * ms, false, " request that costs"},
		8:   {3, 130 * ms, true, " request that"},
		7:   {3, 130 * ms, true, " request"},
		6:   {2, 120 * ms, true, " waits is a"},
		4:   {2, 120 * ms, true, " waits"},
		3:   {1, 110 * ms, true, "a request that"},
		1:   {1, 110 * ms, true, "a"},
	} {
		s := whole.Limit(maxTokens)
		require.Len(t, s.Content, want.events, "max %d", maxTokens)
		assert.Equal(t, min(maxTokens, 9), s.Tokens())
		assert.Equal(t, want.end, s.End, "max %d", maxTokens)
		assert.Equal(t, want.limited, s.Limited, "max %d", maxTokens)
		assert.Equal(t, want.last, s.Content[len(s.Content)-1].Text, "max %d", maxTokens)
	}
	assert.Len(t, whole.Content, 3, "the schedule itself is as it was")
	assert.Equal(t, 9, whole.Tokens())
}

func TestEffectsOnTheSchedule(t *testing.T) {
	script := Script{TTFT: Constant(100 * ms), Head: Constant(40 * ms), Gap: Constant(10 * ms), OutputTokens: 3}
	type times struct {
		Head    time.Duration
		Content []time.Duration
		End     time.Duration
	}
	all := []time.Duration{100 * ms, 110 * ms, 120 * ms}
	for _, test := range []struct {
		effects []Effect
		want    times
	}{
		{nil, times{40 * ms, all, 130 * ms}},
		{[]Effect{Refuse{}}, times{}},
		{[]Effect{Refuse{Exception: ModelTimeout, Delay: time.Minute}}, times{time.Minute, nil, time.Minute}},
		{[]Effect{Hang{}}, times{Never, nil, Never}},
		{[]Effect{Throw{}}, times{40 * ms, nil, 100 * ms}},
		{[]Effect{Throw{After: 2}}, times{40 * ms, all[:2], 120 * ms}},
		{[]Effect{ThrowUnmodelled{After: 3}}, times{40 * ms, all, 130 * ms}},
		{[]Effect{Cut{After: 9}}, times{40 * ms, all, 130 * ms}},
		{[]Effect{Cut{After: -1}}, times{40 * ms, nil, 100 * ms}},
		{[]Effect{Empty{}}, times{40 * ms, nil, 100 * ms}},
		{[]Effect{NoUsage{}, Fallback{}}, times{40 * ms, all, 130 * ms}},
		{[]Effect{Stall{At: 0, For: time.Second}}, times{40 * ms, []time.Duration{1100 * ms, 1110 * ms, 1120 * ms}, 1130 * ms}},
		{[]Effect{Stall{At: 2, For: time.Second}}, times{40 * ms, []time.Duration{100 * ms, 110 * ms, 1120 * ms}, 1130 * ms}},
		{[]Effect{Stall{At: 3, For: time.Second}}, times{40 * ms, all, 1130 * ms}},
		{[]Effect{Stall{At: 1, For: time.Second}, Throw{After: 1}}, times{40 * ms, all[:1], 1110 * ms}},
		{[]Effect{Cut{After: 1}, Refuse{}, Stall{For: time.Hour}}, times{40 * ms, all[:1], 110 * ms}},
	} {
		script.Faults = nil
		for _, e := range test.effects {
			script.Faults = append(script.Faults, Fault{Effect: e})
		}
		s := script.Schedule(0, 0)
		assert.Empty(t, cmp.Diff(test.want, times{s.Head, sendTimes(s), s.End}), "%T%+v", test.effects, test.effects)
	}
}

func TestSelectors(t *testing.T) {
	hits := func(f Fault) (numbers []int) {
		f.Effect = NoUsage{}
		for request := range 1000 {
			if len(Script{Faults: []Fault{f}}.Schedule(request, 0).Effects) > 0 {
				numbers = append(numbers, request)
			}
		}
		return numbers
	}
	assert.Len(t, hits(Fault{}), 1000)
	assert.Equal(t, []int{7}, hits(Fault{On: Request(7)}))
	assert.Equal(t, []int{299, 599, 899}, hits(Fault{On: Every(300)}))
	assert.Empty(t, hits(Fault{On: Every(0)}))
	assert.Empty(t, hits(Fault{On: Share(0)}))
	assert.Len(t, hits(Fault{On: Share(1)}), 1000)
	assert.InDelta(t, 100, len(hits(Fault{On: Share(0.1)})), 40)

	assert.Equal(t, "[request 7 one in 20 requests 0.5 % of attempts]", fmt.Sprint([]Selector{Request(7), Every(20), Share(0.005)}))

	script := Script{Faults: []Fault{{On: Request(7), Attempts: 2, Effect: Refuse{}}}}
	for attempt, want := range []int{1, 1, 0, 0} {
		assert.Len(t, script.Schedule(7, attempt).Effects, want, "attempt %d", attempt)
	}
	two := Script{Faults: []Fault{{On: Share(0.5), Effect: NoUsage{}}, {On: Share(0.5), Effect: Fallback{}}}}
	one := 0
	for request := range 1000 {
		if len(two.Schedule(request, 0).Effects) == 1 {
			one++
		}
	}
	assert.InDelta(t, 500, one, 70, "two shares are drawn independently")
}
