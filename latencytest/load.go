package latencytest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A LoadModel is how requests are issued: the values are made by [Closed], [Open],
// [Poisson], [Ramp] and [Arrivals].
//
// In a closed load each client waits for its reply before it sends again, as a
// batch job does; when the endpoint stalls, so do the requests that would have
// seen it. In an open load requests come when they come, as users do. Its times
// count from the intended start as well ([TTFTSched], [E2ESched]), so that what a
// stall did to the requests behind it is not left out.
type LoadModel struct {
	arrivals arrivals
	clients  int
	rate, to float64 // requests a second, at the start and after the ramp
	over     time.Duration

	times  *[]time.Duration // of [Arrivals]; nil where only their name is known
	count  int              // of times
	digest string           // of times, in the name
}

type arrivals string

const (
	closed  arrivals = "closed" // when the client is free
	spaced  arrivals = "open"
	poisson arrivals = "poisson"
	ramped  arrivals = "ramp"
	given   arrivals = "arrivals"
)

// Closed keeps n clients busy: each sends its next request when its last one
// has ended.
func Closed(n int) LoadModel { return LoadModel{arrivals: closed, clients: n} }

// Open sends so many requests a second, evenly spaced, whatever became of those
// before.
func Open(rate float64) LoadModel { return LoadModel{arrivals: spaced, rate: rate, to: rate} }

// Poisson sends so many requests a second on average, at random and independently
// of one another, as many users do. The times follow from the plan's seed.
func Poisson(rate float64) LoadModel { return LoadModel{arrivals: poisson, rate: rate, to: rate} }

// Ramp sends requests evenly spaced, at a rate that rises (or falls) steadily from
// the one to the other over that time and stays there.
func Ramp(from, to float64, over time.Duration) LoadModel {
	return LoadModel{arrivals: ramped, rate: from, to: to, over: over}
}

// Arrivals starts requests at these times since the start, which must not fall: load
// that comes as it once did, such as that of a recording. When all were used they begin
// anew, the mean interval after the last. With them [Plan.Requests] is as many as there
// are, where nothing else is said.
func Arrivals(times []time.Duration) LoadModel {
	l := LoadModel{arrivals: given, count: len(times)}
	if l.count == 0 {
		return l
	}
	times = slices.Clone(times)
	sum := sha256.New()
	for _, t := range times {
		_ = binary.Write(sum, binary.BigEndian, t) // a hash takes all
	}
	l.times, l.over, l.digest = &times, times[l.count-1], hex.EncodeToString(sum.Sum(nil)[:4])
	return l
}

// open reports whether requests start at times of their own.
func (l LoadModel) open() bool { return l.arrivals != closed }

// String returns "closed(4)", "open(200/s)", "poisson(200/s)", "ramp(10/s,200/s,30s)"
// or "arrivals(20000,24h0m0s,1a2b3c4d)": how many, until when, and a digest of the times.
func (l LoadModel) String() string {
	rate := func(r float64) string { return strconv.FormatFloat(r, 'g', -1, 64) + "/s" }
	switch {
	case !l.open():
		return fmt.Sprintf("closed(%d)", l.clients)
	case l.arrivals == ramped:
		return fmt.Sprintf("ramp(%s,%s,%v)", rate(l.rate), rate(l.to), l.over)
	case l.arrivals == given:
		return fmt.Sprintf("arrivals(%d,%v,%s)", l.count, l.over, l.digest)
	}
	return fmt.Sprintf("%s(%s)", l.arrivals, rate(l.rate))
}

// ParseLoad reads what [LoadModel.String] returns. Of [Arrivals] that is the name only:
// no plan can be run with it.
func ParseLoad(text string) (LoadModel, error) {
	kind, rest, _ := strings.Cut(strings.TrimSpace(text), "(")
	rest, whole := strings.CutSuffix(rest, ")")
	values := strings.Split(rest, ",")
	var l LoadModel
	var err error
	rate := func(i int) float64 {
		number, perSecond := strings.CutSuffix(strings.TrimSpace(values[i]), "/s")
		r, e := strconv.ParseFloat(number, 64)
		if e != nil || !perSecond {
			err = fmt.Errorf("%q is no rate", values[i])
		}
		return r
	}
	switch {
	case !whole:
		err = fmt.Errorf("no closing parenthesis")
	case kind == string(closed) && len(values) == 1:
		clients, e := strconv.Atoi(rest)
		l, err = Closed(clients), e
	case kind == string(spaced) && len(values) == 1:
		l = Open(rate(0))
	case kind == string(poisson) && len(values) == 1:
		l = Poisson(rate(0))
	case kind == string(ramped) && len(values) == 3:
		over, e := time.ParseDuration(strings.TrimSpace(values[2]))
		if l = Ramp(rate(0), rate(1), over); err == nil {
			err = e
		}
	case kind == string(given) && len(values) == 3:
		l, err = parseArrivals(values)
	default:
		err = fmt.Errorf("no such model")
	}
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return LoadModel{}, fmt.Errorf("%q is no load (want closed(4), open(20/s), poisson(20/s) or ramp(1/s,20/s,30s)): %w", text, err)
	}
	return l, nil
}

func parseArrivals(values []string) (LoadModel, error) {
	count, err := strconv.Atoi(values[0])
	if err != nil {
		return LoadModel{}, err
	}
	over, err := time.ParseDuration(values[1])
	if err != nil {
		return LoadModel{}, err
	}
	if sum, err := hex.DecodeString(values[2]); err != nil || len(sum) != 4 {
		return LoadModel{}, fmt.Errorf("%q is no digest of the times", values[2])
	}
	return LoadModel{arrivals: given, count: count, over: over, digest: values[2]}, nil
}

// check returns why nothing could be issued like this.
func (l LoadModel) check() error {
	const most = 1e6 // requests a second: beyond it the spacing is below a microsecond
	possible := func(rate float64) bool { return rate > 0 && rate <= most }
	switch {
	case !l.open() && l.clients < 1:
		return fmt.Errorf("want at least one client, got %v", l)
	case l.arrivals == ramped && (l.rate < 0 || l.rate > most || !possible(l.to) || l.over <= 0):
		return fmt.Errorf("want a ramp from 0 or more to a positive rate, of at most %g a second, over a positive time, got %v", most, l)
	case l.arrivals == given && (l.count < 1 || l.over < 0):
		return fmt.Errorf("want at least one arrival, none before the start, got %v", l)
	case l.arrivals == given && l.times != nil && (!slices.IsSorted(*l.times) || (*l.times)[0] < 0):
		return fmt.Errorf("want arrivals in the order of time, none before the start")
	case (l.arrivals == spaced || l.arrivals == poisson) && !possible(l.rate):
		return fmt.Errorf("want a positive rate of at most %g a second, got %v", most, l)
	}
	return nil
}

// wave is how many requests are under way at once, as far as the model tells: the
// clients, or what starts within a second.
func (l LoadModel) wave() int {
	if l.arrivals == given {
		return max(1, int(math.Ceil(float64(l.count)/max(1, l.over.Seconds()))))
	}
	if l.open() {
		return max(1, int(math.Ceil(max(l.rate, min(l.to, 1)))))
	}
	return l.clients
}

// starts returns the intended starts of an open load, from 0. With rate r(t), the
// i-th request starts when the area under r reaches i, or for [Poisson] the sum
// of i exponential gaps of mean 1 (Lewis and Shedler's inversion).
func (l LoadModel) starts(seed uint64) iter.Seq[time.Duration] {
	if l.arrivals == given {
		return l.again
	}
	random := rand.New(rand.NewPCG(seed, 0x6172726976616c73)) // a stream of its own
	return func(yield func(time.Duration) bool) {
		for area := 0.0; yield(l.when(area)); {
			if l.arrivals == poisson {
				area += random.ExpFloat64()
			} else {
				area++
			}
		}
	}
}

// again yields the arrivals, over and over.
func (l LoadModel) again(yield func(time.Duration) bool) {
	round := l.over
	if l.count > 1 {
		round += (l.over - (*l.times)[0]) / time.Duration(l.count-1)
	}
	round = max(round, 1) // they would never end
	for begin := time.Duration(0); ; begin += round {
		for _, t := range *l.times {
			if !yield(begin + t) {
				return
			}
		}
	}
}

// when returns the time at which the area under the rate reaches that.
func (l LoadModel) when(area float64) time.Duration {
	over := l.over.Seconds()
	seconds := area / l.rate
	if l.arrivals == ramped {
		slope := (l.to - l.rate) / over
		switch ramp := (l.rate + l.to) / 2 * over; {
		case area > ramp:
			seconds = over + (area-ramp)/l.to
		case slope == 0:
			seconds = area / l.to
		default: // rate·t + slope·t²/2 = area, in the form that loses no digits
			seconds = 2 * area / (l.rate + math.Sqrt(l.rate*l.rate+2*slope*area))
		}
		if area == 0 {
			seconds = 0
		}
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}
