package baseline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
)

// FuzzParse gives Parse files that it has to read to the end, for their last
// line is right: it never panics, names the file in every error, and what it
// accepts can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add(bodyOf(format(f, tiny())))
	f.Add("# {\"schema\":\"latgate.baseline/1\"}\nmodel: m\nBenchmarkX 1 5 ttft-ns\n# {\"n\":1}\n")
	f.Add("# {\"schema\":\"latgate.baseline/1\"}\n# {\"class\":\"timeout\",\"values\":{\"ttft-ns\":5}}\n")
	f.Add("# {\"schema\":\"latgate.baseline/1\"}\nUnit otps-tok/s better=higher\nBenchmarkX 1 5 otps-tok/s\n# {}\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := baseline.Parse([]byte(body), "x.bench"); err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "x.bench:"), "%v", err)
		}
		body = strings.TrimSuffix(strings.ReplaceAll(body, "\r\n", "\n"), "\n") + "\n"
		run, err := baseline.Parse(signed(body, strings.Count(body, "\n# ")), "x.bench")
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "x.bench:"), "%v", err)
			return
		}
		again, err := baseline.Parse(format(t, run), "again.bench")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(run, again, sameRun))
	})
}
