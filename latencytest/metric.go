package latencytest

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// MetricsVersion names the definitions in this file. Every file that holds
// measurements names it too, and other versions are never compared.
const MetricsVersion = "metrics/1"

// A Metric is one number of a sample. The values below are all there are; each
// has one definition, and a sample either has a value or has none, which is
// never 0.
type Metric struct{ definition *definition }

type definition struct {
	name   string
	unit   string // of the values: "ns", "tok/s"
	higher bool   // better
	value  func(*Sample) (float64, bool)
}

// The metrics. Times run from t_call, the moment the request entered the HTTP
// transport (of the first attempt, where the client retried).
var (
	// TTFT is the time to the first content of any channel: text, reasoning,
	// refusal or tool call. Whitespace counts; roles, pings and empty deltas do not.
	TTFT = duration("ttft", func(s *Sample) wire.Instant { return s.First })

	// TTFTVisible is the time to the first content a user sees: not reasoning.
	TTFTVisible = duration("ttft_visible", func(s *Sample) wire.Instant { return s.FirstVisible })

	// TTFB is the server's own wait as far as the wire can tell: from the request
	// fully sent to the first byte of the response.
	TTFB = duration("ttfb", func(s *Sample) wire.Instant { return s.Header.Since(s.Wrote) })

	// TTLT is the time to the last content.
	TTLT = duration("ttlt", func(s *Sample) wire.Instant { return s.Last })

	// StreamEnd is the time to the end of the stream, usage records included.
	StreamEnd = duration("stream_end", func(s *Sample) wire.Instant { return s.End })

	// TTFTSched and E2ESched are TTFT and TTLT from t_sched, the moment at which an
	// open load meant to make the request: what a request waited that could not
	// be made in time is not left out. In a closed load they are TTFT and TTLT.
	TTFTSched = duration("ttft_sched", func(s *Sample) wire.Instant { return s.sinceDue(s.First) })
	E2ESched  = duration("e2e_sched", func(s *Sample) wire.Instant { return s.sinceDue(s.Last) })

	// ScheduleLag is how late an open load made the request: t_call − t_sched.
	ScheduleLag = duration("schedule_lag", func(s *Sample) wire.Instant { return s.Lag })

	// OTPS is output tokens per second after the first: (N − n₁)/(t_last − t_first).
	// It has no value for a buffered reply: fewer than 3 content events, or a
	// window shorter than 5 % of TTLT.
	OTPS = rate("otps", otps)

	// OTPSEndToEnd is N/(t_last − t_call); it includes TTFT.
	OTPSEndToEnd = rate("otps_e2e", otpsEndToEnd)

	// TPOT is the time per output token, 1/OTPS.
	TPOT = Metric{&definition{name: "tpot", unit: "ns", value: func(s *Sample) (float64, bool) {
		v, ok := otps(s)
		return float64(time.Second) / v, ok && v > 0
	}}}

	// ITL is the mean inter-token latency of the request: (t_last − t_first)/(N − n₁).
	ITL = Metric{&definition{name: "itl", unit: "ns", value: itl}}

	// ICLP50, ICLP90, ICLP99 and Stall are quantiles and the maximum of one
	// request's gaps between content events of different reads. An event is not a
	// token, so these are not inter-token latencies.
	ICLP50 = duration("icl_p50", func(s *Sample) wire.Instant { return s.Gaps.P50 })
	ICLP90 = duration("icl_p90", func(s *Sample) wire.Instant { return s.Gaps.P90 })
	ICLP99 = duration("icl_p99", func(s *Sample) wire.Instant { return s.Gaps.P99 })
	Stall  = duration("stall", func(s *Sample) wire.Instant { return s.Gaps.Longest })

	// ServerLatency is what the server says of itself. Its start and end are the
	// provider's own: compare it, never gate on it.
	ServerLatency = duration("server_latency", func(s *Sample) wire.Instant { return s.ServerLatency })

	// InputTokens and OutputTokens are the provider's own counts.
	InputTokens  = tokens("input_tokens", func(s *Sample) providers.Count { return s.Usage.Input })
	OutputTokens = tokens("output_tokens", func(s *Sample) providers.Count { return s.Usage.Output })
)

// The metrics of an [Operation], which only a run of [RunFunc] has. Times run from the
// start of the function.
var (
	// OperationTTFT is the time until the first visible token is handed to the user.
	OperationTTFT = ofOperation("operation_ttft", func(o *Operation) wire.Instant { return o.First })

	// OperationTime is the time until the function returns.
	OperationTime = ofOperation("operation_time", func(o *Operation) wire.Instant { return o.Took })

	// OperationWait is the part of it with a model call under way, OperationApp the rest:
	// the application's own.
	OperationWait = ofOperation("operation_wait", func(o *Operation) wire.Instant { return o.Waiting })
	OperationApp  = ofOperation("operation_app", func(o *Operation) wire.Instant { return o.Took.Since(o.Waiting) })

	// ModelCalls is the number of model calls without retries, SerialCalls the number of
	// those on the critical path.
	ModelCalls  = count("model_calls", func(o *Operation) int { return o.ModelCalls })
	SerialCalls = count("serial_calls", func(o *Operation) int { return o.Serial })
)

func ofOperation(name string, value func(*Operation) wire.Instant) Metric {
	return duration(name, func(s *Sample) wire.Instant {
		if s.Operation == nil {
			return wire.Instant{}
		}
		return value(s.Operation)
	})
}

func count(name string, value func(*Operation) int) Metric {
	return Metric{&definition{name: name, unit: "calls", value: func(s *Sample) (float64, bool) {
		if s.Operation == nil {
			return 0, false
		}
		return float64(value(s.Operation)), true
	}}}
}

// Metrics lists every metric.
var Metrics = []Metric{
	TTFT, TTFTVisible, TTFB, TTLT, StreamEnd, TTFTSched, E2ESched, ScheduleLag, OTPS, OTPSEndToEnd, TPOT, ITL,
	ICLP50, ICLP90, ICLP99, Stall, ServerLatency, InputTokens, OutputTokens,
	OperationTTFT, OperationTime, OperationWait, OperationApp, ModelCalls, SerialCalls,
}

// Custom returns the metric whose values are in [Sample.Extra] under that name. Two
// of the same name are the same metric. A unit of "ns" makes it a time. A run in low
// memory has no quantiles of it.
func Custom(name, unit string, higherIsBetter bool) Metric {
	d := definition{name: name, unit: unit, higher: higherIsBetter, value: func(s *Sample) (float64, bool) {
		v, ok := s.Extra[name]
		return v, ok
	}}
	made, _ := customs.LoadOrStore(name, &d)
	return Metric{made.(*definition)}
}

var customs sync.Map // of *definition, by name

func duration(name string, stop func(*Sample) wire.Instant) Metric {
	return Metric{&definition{name: name, unit: "ns", value: func(s *Sample) (float64, bool) {
		d, ok := stop(s).Get()
		return float64(d), ok
	}}}
}

func rate(name string, value func(*Sample) (float64, bool)) Metric {
	return Metric{&definition{name: name, unit: "tok/s", higher: true, value: value}}
}

func tokens(name string, count func(*Sample) providers.Count) Metric {
	return Metric{&definition{name: name, unit: "tok", value: func(s *Sample) (float64, bool) {
		n, ok := count(s).Get()
		return float64(n), ok
	}}}
}

// sinceDue turns an instant since t_call into one since t_sched.
func (s *Sample) sinceDue(i wire.Instant) wire.Instant {
	late, _ := s.Lag.Get()
	return i.Add(late)
}

// streamed returns N and n₁, the tokens of the channels that were streamed and
// those of the first content event, and t_last − t_first. Reasoning that was
// billed but never streamed is outside the window, so it is outside N.
func streamed(s *Sample) (n, first float64, window time.Duration, ok bool) {
	count, ok := s.Usage.Output.Get()
	if !ok {
		return 0, 0, 0, false
	}
	if hidden, known := s.Usage.Reasoning.Get(); known && s.ReasoningBytes == 0 {
		count -= hidden
	}
	first = 1
	if told, known := s.FirstTokens.Get(); known {
		first = float64(told)
	}
	window, ok = s.Last.Since(s.First).Get()
	return float64(count), first, window, ok
}

func otps(s *Sample) (float64, bool) {
	n, first, window, ok := streamed(s)
	ttlt, _ := s.Last.Get()
	if !ok || n <= first || s.ContentEvents < 3 || window <= 0 || float64(window) < .05*float64(ttlt) {
		return 0, false
	}
	return (n - first) / window.Seconds(), true
}

func otpsEndToEnd(s *Sample) (float64, bool) {
	n, _, _, ok := streamed(s)
	ttlt, known := s.Last.Get()
	if !ok || !known || ttlt <= 0 || n <= 0 {
		return 0, false
	}
	return n / ttlt.Seconds(), true
}

func itl(s *Sample) (float64, bool) {
	n, first, window, ok := streamed(s)
	if !ok || n <= first || s.ContentEvents < 2 || window <= 0 {
		return 0, false
	}
	return float64(window) / (n - first), true
}

// Name returns the metric's name, such as "ttft" or "otps".
func (m Metric) Name() string { return m.definition.name }

// String returns the name.
func (m Metric) String() string { return m.definition.name }

// Unit returns the metric's unit in the Go benchmark format, such as "ttft-ns"
// or "otps-tok/s"; values are in the part after the name.
func (m Metric) Unit() string { return m.definition.name + "-" + m.definition.unit }

// IsTime reports whether values are nanoseconds.
func (m Metric) IsTime() bool { return m.definition.unit == "ns" }

// HigherIsBetter reports the metric's direction.
func (m Metric) HigherIsBetter() bool { return m.definition.higher }

// Of returns the sample's value and whether it has one. Samples that failed
// have values too, as far as they got; [Scenario.Values] leaves them out.
func (m Metric) Of(s *Sample) (float64, bool) { return m.definition.value(s) }

// Format prints a value for people: "612 ms", "48.2 tok/s".
func (m Metric) Format(v float64) string {
	switch m.definition.unit {
	case "ns":
		switch {
		case math.Abs(v) >= 10e9:
			return significant(v/1e9) + " s"
		case math.Abs(v) >= 1e6 || v == 0:
			return significant(v/1e6) + " ms"
		case math.Abs(v) >= 1e3:
			return significant(v/1e3) + " µs"
		}
		return significant(v) + " ns"
	case "tok":
		return significant(v)
	}
	return significant(v) + " " + m.definition.unit
}

// significant prints three digits or all of the integer part.
func significant(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// MetricByUnit finds a metric by its unit in the Go benchmark format.
func MetricByUnit(unit string) (Metric, bool) {
	for _, m := range Metrics {
		if m.Unit() == unit {
			return m, true
		}
	}
	return Metric{}, false
}
