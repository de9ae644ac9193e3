package baseline_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
)

// refused checks that a file is refused by an error that names it and says what
// to do about it.
func refused(t *testing.T, data []byte, why string) (ok bool) {
	t.Helper()
	run, err := baseline.Parse(data, "dir/x.bench")
	switch {
	case err == nil:
		t.Errorf("%s: accepted", why)
	case run != nil:
		t.Errorf("%s: a run beside the error %v", why, err)
	case !strings.HasPrefix(err.Error(), "dir/x.bench:"):
		t.Errorf("%s: the error does not start with the file: %v", why, err)
	case !strings.Contains(err.Error(), "restore it with git") && !strings.Contains(err.Error(), "record the baseline again"):
		t.Errorf("%s: the error does not say what to do: %v", why, err)
	default:
		return true
	}
	return false
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	file := format(t, tiny())
	for n := range file {
		if !refused(t, file[:n], fmt.Sprintf("the first %d of %d bytes", n, len(file))) {
			return
		}
	}
}

func TestEverySingleByteEditIsRefused(t *testing.T) {
	t.Parallel()
	file := format(t, tiny())
	edits := []struct {
		name  string
		apply func(at int) []byte
	}{
		{"flipped", func(at int) []byte {
			edited := bytes.Clone(file)
			edited[at] ^= 1
			return edited
		}},
		{"in another case", func(at int) []byte {
			edited := bytes.Clone(file)
			edited[at] ^= 0x20
			return edited
		}},
		{"removed", func(at int) []byte { return append(bytes.Clone(file[:at]), file[at+1:]...) }},
		{"doubled", func(at int) []byte { return append(bytes.Clone(file[:at+1]), file[at:]...) }},
	}
	for _, c := range []byte("\n\r 09\"{#\x00\xff") {
		edits = append(edits, struct {
			name  string
			apply func(at int) []byte
		}{fmt.Sprintf("replaced by %q", c), func(at int) []byte {
			edited := bytes.Clone(file)
			edited[at] = c
			return edited
		}})
	}
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for at := range file {
				edited := e.apply(at)
				if !bytes.Equal(edited, file) && !refused(t, edited, fmt.Sprintf("byte %d (%q)", at, file[at])) {
					return
				}
			}
		})
	}
}

func TestAnotherSchemaIsRefusedFirst(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		`{"schema":"latgate.baseline/2","fields":["of","the","future"]}`,
		`{"schema":"latgate.samples/1"}`,
		`{}`,
	} {
		data := []byte("# " + header + "\nanything\n")
		if refused(t, data, header) {
			_, err := baseline.Parse(data, "x.bench")
			assert.ErrorContains(t, err, "latgate.baseline/1")
		}
	}
}

// These files have a right checksum: what refuses them is strictness, not the
// checksum.
func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	body := bodyOf(format(t, tiny()))
	_, err := baseline.Parse(signed(body, 6), "x.bench")
	require.NoError(t, err)

	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{"unknown field in the header", `"reason":`, `"colour":"red","reason":`, []string{":1:", "colour"}},
		{"unknown field of the provenance", `"go":`, `"rust":"1.99","go":`, []string{":1:", "rust"}},
		{"text after the header", "}}\n", "}} x\n", nil},
		{"unknown field of a request", `{"n":5,`, `{"n":5,"mood":1,`, []string{":22:", "mood"}},
		{"text after a request", `"n":5,"prompt":"refund",`, `"n":5}{"prompt":"refund",`, []string{":22:"}},
		{"a comment that is none of ours", `# {"n":5,`, "# hello\n# {\"n\":5,", []string{":22:"}},
		{"a request that is no object", `# {"n":5,`, "# 5\n# {\"n\":5,", []string{":22:"}},
		{"unknown class", `"class":"throttled"`, `"class":"bored"`, []string{":25:", "bored"}},
		{"a class that is never written", `"class":"throttled"`, `"class":"ok"`, []string{":25:", `"ok"`}},
		{"a failed request with a benchmark line", `# {"n":5,`, `# {"class":"timeout","n":5,`, []string{":22:", "benchmark line"}},
		{"values beside the benchmark line", `# {"n":5,`, `# {"values":{"ttft-ns":5},"n":5,`, []string{":22:", "benchmark line"}},
		{"unknown metric", "310747974 ttft-ns", "310747974 ttft-ns 5 karma-ns", []string{":19:", "karma-ns"}},
		{"unknown metric of a request that timed out", `"ttft-ns":30000000000`, `"karma-ns":30000000000`, []string{":26:", "karma-ns"}},
		{"zero", "310747974 ttft-ns", "0 ttft-ns", []string{":19:", "ttft-ns", "positive"}},
		{"negative", "310747974 ttft-ns", "-310747974 ttft-ns", []string{":19:", "ttft-ns", "positive"}},
		{"infinite", "310747974 ttft-ns", "Inf ttft-ns", []string{":19:", "ttft-ns", "positive"}},
		{"not a number", "310747974 ttft-ns", "NaN ttft-ns", []string{":19:", "ttft-ns", "positive"}},
		{"too large a number", "310747974 ttft-ns", "1e999 ttft-ns", []string{":19:"}},
		{"zero of a request that timed out", `"ttft-ns":30000000000`, `"ttft-ns":0`, []string{":26:", "ttft-ns", "positive"}},
		{"negative of a request that timed out", `"ttft-ns":30000000000`, `"ttft-ns":-1`, []string{":26:", "ttft-ns", "positive"}},
		{"no number", "310747974 ttft-ns", "fast ttft-ns", []string{":19:"}},
		{"no unit", "310747974 ttft-ns", "310747974", []string{":19:"}},
		{"a benchmark line without its comment", "BenchmarkLatencyChat/all 1 402", "BenchmarkLatencyChat/all 1 7 ttft-ns\nBenchmarkLatencyChat/all 1 402", []string{":21:"}},
		{"a contradicting unit", "Unit ttfb-ns better=lower", "Unit ttft-ns better=higher", []string{":16:", "better"}},
		{"a line longer than any", "# {\"n\":5,", "x" + strings.Repeat("y", 1<<17) + "\n# {\"n\":5,", []string{"too long"}},
	} {
		edited := strings.Replace(body, test.old, test.new, 1)
		require.NotEqual(t, body, edited, test.name)
		data := signed(edited, 6)
		refused(t, data, test.name)
		_, err := baseline.Parse(data, "x.bench")
		for _, want := range test.want {
			assert.ErrorContains(t, err, want, test.name)
		}
	}
}

func TestTheNumberOfRequestsIsChecked(t *testing.T) {
	t.Parallel()
	body := bodyOf(format(t, tiny()))
	refused(t, signed(body, 5), "fewer requests than lines")
	refused(t, signed(body, 7), "more requests than lines")
}

func TestWhatIsNoBaselineIsRefused(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"", "\n", "\r\n", "#", "# ", "# \n", "# {}", "# null\n# null\n", "hello\n", "\x00\x00\x00\x00", "\ufeff# {}\n",
		"goos: linux\nBenchmarkX 1 2 ns/op\nPASS\n",
		"# {\"schema\":\"latgate.baseline/1\"}\n",
		"# {\"schema\":\"latgate.baseline/1\"}\n# {\"schema\":\"latgate.baseline/1\"}\n",
		"<<<<<<< HEAD\n# {\"schema\":\"latgate.baseline/1\"}\n",
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
	} {
		refused(t, []byte(data), fmt.Sprintf("%q", data))
	}
}
