package latencytest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/latgate/latgate/providers"
)

// A tally is what is counted over the measured samples of a scenario. It is the
// same while the run goes on and after it was read back from a file, because
// there is only this one, and no order in which samples come matters to it.
type tally struct {
	attempts int
	classes  map[providers.Class]int

	sent             int       // attempts of which a request was made
	due, first, last time.Time // first t_sched, first and last t_call
	end              time.Time // last t_end
	tokens           int64     // output tokens of OK samples
	input, cached    int64     // input tokens of OK samples that count cached ones, and these

	buffered, retries, throttles, overloads int
	dialled                                 int            // attempts that set up a connection
	served                                  map[string]int // performance configurations

	dollars          float64
	priced, unpriced int // OK samples whose cost is known, and not
}

func (t *tally) add(s *Sample) {
	if t.classes == nil {
		t.classes, t.served = make(map[providers.Class]int), make(map[string]int)
	}
	t.attempts++
	t.classes[s.Class]++
	t.retries += s.Retries
	t.throttles += s.Throttles
	t.overloads += s.Overloads
	if s.Buffered {
		t.buffered++
	}
	if s.ConnectDone.Known() {
		t.dialled++
	}
	if s.Served != "" {
		t.served[s.Served]++
	}
	if s.Cost != nil {
		t.dollars += *s.Cost // a failed attempt that was billed counts
	}
	t.window(s)
	if s.Class != providers.OK {
		return
	}
	if s.Cost != nil {
		t.priced++
	} else {
		t.unpriced++
	}
	n, _ := s.Usage.Output.Get()
	t.tokens += n
	input, counted := s.Usage.Input.Get()
	if read, told := s.Usage.CachedRead.Get(); told && counted {
		t.input += input
		t.cached += min(read, input)
	}
}

// window widens the time in which requests were made and ended.
func (t *tally) window(s *Sample) {
	if s.Time.IsZero() { // no request was made
		return
	}
	t.sent++
	lag, _ := s.Lag.Get()
	if due := s.Time.Add(-lag); t.due.IsZero() || due.Before(t.due) {
		t.due = due
	}
	if t.first.IsZero() || s.Time.Before(t.first) {
		t.first = s.Time
	}
	if s.Time.After(t.last) {
		t.last = s.Time
	}
	if took, ok := s.End.Get(); ok && s.Time.Add(took).After(t.end) {
		t.end = s.Time.Add(took)
	}
}

// Rates are what a whole scenario achieved. A rate is 0 where its window is too
// short to have one.
type Rates struct {
	// Completed is completed requests per minute: 60·n/(last t_end − first t_sched).
	Completed float64

	// Sent is requests sent per minute: 60·(n−1)/(last t_call − first t_call). n
	// sends have n−1 gaps; dividing n by the window would flatter short runs.
	Sent float64

	// Tokens is output tokens per second over the window of Completed.
	Tokens float64
}

func (t *tally) rates() Rates {
	var r Rates
	if window := t.end.Sub(t.due).Seconds(); window > 0 {
		r.Completed, r.Tokens = 60*float64(t.classes[providers.OK])/window, float64(t.tokens)/window
	}
	if window := t.last.Sub(t.first).Seconds(); window > 0 {
		r.Sent = 60 * float64(t.sent-1) / window
	}
	return r
}

// hitRate returns the share of input tokens that came out of a prompt cache, NaN
// where no reply tells.
func (t *tally) hitRate() float64 {
	if t.input == 0 {
		return math.NaN()
	}
	return float64(t.cached) / float64(t.input)
}

// ends says how the attempts ended: "198/200 ok, throttled 2".
func (t *tally) ends() string {
	text := fmt.Sprintf("%d/%d ok", t.classes[providers.OK], t.attempts)
	for _, class := range providers.Classes[1:] {
		if t.classes[class] > 0 {
			text += fmt.Sprintf(", %s %d", class, t.classes[class])
		}
	}
	return text
}

// remarks are what qualifies the numbers of a table.
func (t *tally) remarks(b *strings.Builder, profile string) {
	if r := t.rates(); r.Completed > 0 {
		fmt.Fprintf(b, "%.4g requests completed a minute, %.4g sent a minute, %.4g output tokens/s\n", r.Completed, r.Sent, r.Tokens)
	}
	if t.priced > 0 {
		fmt.Fprintf(b, "cost: $%.4g, $%.4g a request", t.dollars, t.dollars/float64(t.priced))
		if t.tokens > 0 {
			fmt.Fprintf(b, ", $%.4g per 1000 output tokens", 1000*t.dollars/float64(t.tokens))
		}
		if t.unpriced > 0 {
			fmt.Fprintf(b, "; what %d replies cost is not known", t.unpriced)
		}
		b.WriteByte('\n')
	}
	if rate := t.hitRate(); rate > 0 {
		fmt.Fprintf(b, "prompt cache: %.3g %% of the input tokens were read from it\n", 100*rate)
	}
	if t.dialled > 0 {
		fmt.Fprintf(b, "connections: %d of %d requests set up their own\n", t.dialled, t.attempts)
	}
	if t.buffered > 0 {
		fmt.Fprintf(b, "buffered: %d of %d replies came in a few bursts at their end; something on the way holds them back\n", t.buffered, t.attempts)
	}
	if t.retries+t.throttles+t.overloads > 0 {
		fmt.Fprintf(b, "attempts: %d repeated, %d throttled, %d refused by a server at its limit\n", t.retries, t.throttles, t.overloads)
	}
	t.fallbacks(b, profile)
}

// fallbacks reports requests that another performance configuration served than
// the one asked for: Bedrock falls back without a word.
func (t *tally) fallbacks(b *strings.Builder, asked string) {
	if asked == "" {
		return
	}
	for _, profile := range []string{"standard", "optimized"} {
		if n := t.served[profile]; n > 0 && profile != asked {
			fmt.Fprintf(b, "%s inference was asked for, %d of %d requests were served as %s\n", asked, n, t.attempts, profile)
		}
	}
}
