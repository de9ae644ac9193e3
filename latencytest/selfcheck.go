package latencytest

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A SelfCheckPlan is the load of a [SelfCheck].
type SelfCheckPlan struct {
	Streams  int           // at once; zero means 100
	Rate     float64       // events a second of each stream; zero means 50
	Duration time.Duration // how long streams are measured, to the second; zero means 5 s
}

// A SelfCheckReport says how true the times are that this process measures on this
// machine.
type SelfCheckReport struct {
	Plan    SelfCheckPlan // with its defaults filled in
	Virtual bool          // checked in virtual time

	// TTFT are the times at which the first event of each stream was seen less those
	// at which the endpoint wrote it. Gap are the differences, whatever their
	// sign, between the time from one event to the next as it was seen and as it was
	// written.
	TTFT, Gap TimeErrors

	// Bare are the errors of the TTFT in a read loop without latgate, over the same
	// load: what the machine and net/http can do.
	Bare TimeErrors

	// MedianTTFT is the median of what the endpoint had its clients wait.
	MedianTTFT time.Duration

	// CPU is the share of the CPU time there was (the CPUs that Go uses times the time
	// that passed) which the process used, with the endpoint that is part of it.
	// Instrument is by how much more that is than with the bare loop. Both are what
	// Go's runtime reports, at most: where other processes held the CPU meanwhile,
	// their time is in it. Both are NaN in virtual time, which takes no CPU's.
	CPU, Instrument float64
}

// TimeErrors summarises errors of measured times, by quantiles of type 7.
type TimeErrors struct {
	N             int
	P50, P99, Max time.Duration
}

// SelfCheck measures the instrument: it serves streams with known write times on the
// loopback interface, in this process, measures them as [Measure] does any other
// endpoint, and compares. Inside a synctest bubble it does the same in virtual time,
// where every error must be 0.
//
// It takes about twice the plan's duration, since a bare read loop goes first. An
// error means that it could not be carried out; what it found is in the report, see
// [SelfCheckReport.Bottleneck].
func SelfCheck(ctx context.Context, c SelfCheckPlan) (*SelfCheckReport, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	bare, err := c.leg(ctx, (*selfCheck).readBare)
	if err != nil {
		return nil, fmt.Errorf("self-check: without latgate: %w", err)
	}
	full, err := c.leg(ctx, (*selfCheck).measure)
	if err != nil {
		return nil, fmt.Errorf("self-check: %w", err)
	}
	report := &SelfCheckReport{
		Plan: c, Virtual: Virtual(),
		TTFT: timeErrors(full.ttft), Gap: timeErrors(full.gaps), Bare: timeErrors(bare.ttft),
		MedianTTFT: time.Duration(Type7(full.waits, .5)),
		CPU:        full.cpu, Instrument: max(0, full.cpu-bare.cpu),
	}
	if report.Virtual {
		report.CPU, report.Instrument = math.NaN(), math.NaN()
	}
	return report, nil
}

func (c SelfCheckPlan) withDefaults() (SelfCheckPlan, error) {
	if c.Streams == 0 {
		c.Streams = 100
	}
	if c.Rate == 0 {
		c.Rate = 50
	}
	if c.Duration == 0 {
		c.Duration = 5 * time.Second
	}
	if c.Streams < 0 || !(c.Rate > 0) || c.Rate > 1e6 || c.Duration < 0 {
		return c, fmt.Errorf("SelfCheckPlan: want a positive number of streams, a rate of up to 1e6 and a positive duration, got %+v", c)
	}
	return c, nil
}

const (
	selfCheckTTFT   = 100 * time.Millisecond // and up to one interval more
	selfCheckStream = time.Second            // the length of a stream
)

func (c SelfCheckPlan) interval() time.Duration {
	return time.Duration(float64(time.Second) / c.Rate)
}

// events returns how many content events a stream has: two at least, for a gap.
func (c SelfCheckPlan) events() int { return max(2, int(math.Round(c.Rate*selfCheckStream.Seconds()))) }

// requests returns how many streams are measured.
func (c SelfCheckPlan) requests() int {
	return c.Streams * max(1, int(math.Round(c.Duration.Seconds()/selfCheckStream.Seconds())))
}

// String returns "100 streams of 50 events/s for 5s".
func (c SelfCheckPlan) String() string {
	return fmt.Sprintf("%d streams of %g events/s for %v", c.Streams, c.Rate, c.Duration)
}

// Bottleneck says why the times are the client's and not an endpoint's: the P99 of
// the TTFT's error is above 5 ms, and above 1 % of the median TTFT. It is empty
// where nothing is wrong.
func (r *SelfCheckReport) Bottleneck() string {
	limit := max(5*time.Millisecond, r.MedianTTFT/100)
	if r.TTFT.P99 <= limit {
		return ""
	}
	format := func(d time.Duration) string { return TTFT.Format(float64(d)) }
	advice := "lower the load or give the client more CPU"
	if r.Bare.P99 > limit {
		advice = "a bare read loop does not do it either, at " + format(r.Bare.P99) + ": the machine is too small or has other work to do"
	}
	return fmt.Sprintf("the client was the bottleneck: the P99 of its error is %s, at most %s is valid; %s", format(r.TTFT.P99), format(limit), advice)
}

// String renders a short table.
func (r *SelfCheckReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "self-check: %v, %s %s/%s", r.Plan, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if r.Virtual {
		b.WriteString(", virtual time")
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "error of\tn\tP50\tP99\tmax\t")
	for _, row := range []struct {
		name   string
		errors TimeErrors
	}{{"ttft", r.TTFT}, {"gaps", r.Gap}, {"ttft, bare loop", r.Bare}} {
		fmt.Fprintf(w, "%s\t%d\t", row.name, row.errors.N)
		for _, d := range []time.Duration{row.errors.P50, row.errors.P99, row.errors.Max} {
			fmt.Fprintf(w, "%s\t", TTFT.Format(float64(d)))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if !r.Virtual {
		fmt.Fprintf(&b, "CPU: %.1f %% of %d, with the endpoint; %.1f %% of it the instrument's own\n",
			100*r.CPU, runtime.GOMAXPROCS(0), 100*r.Instrument)
	}
	if why := r.Bottleneck(); why != "" {
		b.WriteString(why + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func timeErrors(values []float64) TimeErrors {
	slices.Sort(values)
	at := func(p float64) time.Duration { return time.Duration(math.Round(type7(values, p))) }
	return TimeErrors{N: len(values), P50: at(.5), P99: at(.99), Max: at(1)}
}
