package gate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// storeDown is how a check says that the server of its store has not answered, or with an
// error; see s3store.ServerError.
var storeDown = regexp.MustCompile(`\[latgate\] .*(?:s3|https?)://\S+: \w+: (?:no answer|HTTP \d{3}\b)`)

// withoutStore are rows for tests that failed as the server of their store did not answer.
// It may have done so by now; what the test would have measured a second time is lacking
// all the same. The records are told as well, which say nothing else of why it failed.
func (m *Manifest) withoutStore(records []*assertions.Record) (rows []report.Row) {
	records = m.own(records)
	for _, t := range m.Tests {
		if t.Outcome != Failed || !storeDown.MatchString(t.Output) || t.explained(records) {
			continue
		}
		row := report.Row{
			Package: t.Dir, Test: t.Test, Region: m.Region, Gate: "baseline", Verdict: baseline.Infrastructure, Reason: "the server of its store did not answer the test",
			Text: fmt.Sprintf("%s: %s: the server of its store did not answer the test\n    %s", t.Test, baseline.Infrastructure, strings.ReplaceAll(t.Output, "\n", "\n    ")),
		}
		rows = append(rows, row)
		for _, r := range records {
			if of, _, _ := strings.Cut(r.Test, "/"); r.Package == t.Dir && of == t.Test {
				r.Rows = append(r.Rows, row)
			}
		}
	}
	return rows
}
