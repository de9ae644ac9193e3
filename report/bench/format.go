package bench

import (
	"bytes"
	"fmt"
	"io"

	"github.com/latgate/latgate/baseline"
)

// Format writes runs as one file in the Go benchmark format. A key of one run does not
// hold for the next: each begins by unsetting those that it does not have.
func Format(w io.Writer, runs ...*baseline.Run) error {
	var out bytes.Buffer
	var before baseline.Key
	for _, r := range runs {
		content, err := r.Format()
		if err != nil {
			return err
		}
		for _, fact := range before.Facts() {
			if r.Key.Get(fact.Name) == "" {
				fmt.Fprintf(&out, "%s:\n", fact.Name)
			}
		}
		out.Write(content)
		before = r.Key
	}
	_, err := w.Write(out.Bytes())
	return err
}
