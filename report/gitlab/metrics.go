package gitlab

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/latgate/latgate/report"
)

// Metrics writes the quantiles of the head as OpenMetrics text. GitLab compares values
// as strings, and shows each that differs: so they are rounded to what runs of the same
// build differ by.
//
//	latgate_ttft_seconds{package="internal/chat",test="TestLatencyChat",scenario="short",quantile="0.9"} 0.76
func Metrics(w io.Writer, b *report.Build) error {
	families := make(map[string][]string)
	seen := make(map[string]bool) // a series may be there once
	for _, r := range b.Rows {
		if r.Quantity == nil || r.Comparison == nil || !(r.Comparison.Head > 0) {
			continue
		}
		family, scale := familyOf(*r.Quantity)
		series := family + labels(r)
		if seen[series] {
			continue
		}
		seen[series] = true
		value := rounded(r.Comparison.Head*scale, r.Comparison.RunSD)
		families[family] = append(families[family], series+" "+value+"\n")
	}
	var out strings.Builder
	for _, family := range slices.Sorted(maps.Keys(families)) {
		fmt.Fprintf(&out, "# TYPE %s gauge\n", family)
		for _, line := range families[family] {
			out.WriteString(line)
		}
	}
	out.WriteString("# EOF\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// familyOf returns the name of the family of a quantity, which ends in its unit, and
// what its values are to be multiplied by.
func familyOf(q report.Quantity) (name string, scale float64) {
	unit, scale := q.Unit, 1.0
	switch q.Unit {
	case "ns":
		unit, scale = "seconds", 1e-9
	case "tok/s":
		unit = "tokens_per_second"
	case "tok":
		unit = "tokens"
	}
	name = "latgate_" + identifier(q.Metric)
	if unit = identifier(unit); !strings.HasSuffix(name, "_"+unit) {
		name += "_" + unit
	}
	return name, scale
}

// identifier makes a text fit for the name of a metric.
func identifier(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, report.Line(text, 60))
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func labels(r report.Row) string {
	var list []string
	for _, label := range [][2]string{
		{"package", r.Package},
		{"test", r.Test},
		{"plan", r.Plan},
		{"scenario", r.Scenario},
		{"region", r.Region},
		{"quantile", strconv.FormatFloat(r.Quantity.Quantile, 'g', 6, 64)},
	} {
		if value := report.Line(label[1], 200); value != "" {
			list = append(list, label[0]+`="`+labelEscapes.Replace(value)+`"`)
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

// rounded prints a value to the step of 1, 2 or 5 times a power of ten that is not
// below its noise: runSD of it, on the log scale, and 2 % at least.
func rounded(v, runSD float64) string {
	noise := v * min(max(runSD, .02), .5)
	digits := math.Floor(math.Log10(noise))
	for _, mantissa := range []float64{1, 2, 5, 10} {
		step := mantissa * math.Pow(10, digits)
		if step >= noise {
			places := max(0, int(-digits))
			if mantissa == 10 {
				places = max(0, places-1)
			}
			if places > 15 || v >= 1e15 { // nothing that was measured
				break
			}
			return strconv.FormatFloat(math.Round(v/step)*step, 'f', places, 64)
		}
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
