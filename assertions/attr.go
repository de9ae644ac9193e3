package assertions

import (
	"strconv"
	"strings"
	"testing"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// attributes leaves what a check has found in the output of go test -json, for tools
// that read no more than that: the worst verdict, and of each comparison the verdict
// and its numbers.
//
//	latgate.verdict           regression
//	latgate.all.p90_ttft      regression ratio=1.31 low=1.25 high=1.38 p=1.2e-12
//
// Only real tests have attributes: others may only pretend to.
func attributes(t listener, answers []answer) {
	var set func(key, value string)
	switch t := t.(type) {
	case *testing.T:
		set = t.Attr
	case *testing.B:
		set = t.Attr
	default:
		return
	}
	var worst baseline.Verdict
	for _, a := range answers {
		if worst == "" || report.Worst(worst, a.Verdict) == a.Verdict {
			worst = a.Verdict
		}
		if q, n := a.Quantity, a.Comparison; q != nil && n != nil {
			number := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
			key := "latgate." + word(a.Scenario) + ".p" + number(100*q.Quantile) + "_" + word(q.Metric)
			if strings.Contains(a.Gate, "pinned") {
				key += "_pinned"
			}
			set(key, string(a.Verdict)+" ratio="+number(n.Ratio)+" low="+number(n.Low)+" high="+number(n.High)+" p="+number(n.HolmP))
		}
	}
	if worst != "" {
		set("latgate.verdict", string(worst))
	}
}

// word makes one word of a name: keys of attributes have no white space.
func word(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
}
