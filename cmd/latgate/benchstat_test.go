package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/bench"
)

// The table of a build: the baselines are those of the base commit, whatever the working
// tree holds by now, and the output of go test -bench stands beside them.
func testBenchstat(t *testing.T, s *scratch) {
	repo := s.clone(t)
	results := repo.results(t, slower)
	require.NoError(t, os.RemoveAll(filepath.Join(repo.dir, "chat/testdata/latgate")))
	for name, p90 := range map[string]int{"main.txt": 500, "head.txt": 600} {
		repo.write(t, name, strings.Repeat(fmt.Sprintf("BenchmarkLatencyEmbed 100 %d000000 p90-ttft-ns\n", p90), 6))
	}

	args := []string{"benchstat", "--dir", results, "--base", "HEAD", "--before", "main.txt", "--after", "head.txt", "--out", "compared"}
	got := repo.latgate(t, nil, args...)
	require.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `ttft-sec +base +head +vs base\nLatencyChat/all +\d+\.\dm ± \d+% +\d+\.\dm ± \d+% +\+\d+\.\d+% \(p=0\.000 n=180\+60\)\n`, got.out)
	assert.Regexp(t, `LatencyEmbed +500\.0m ± 0% +600\.0m ± 0% +\+20\.00% \(p=0\.002 n=6\)\n`, got.out)
	assert.Contains(t, got.out, bench.Sentence)
	for _, name := range []string{"base.bench", "head.bench"} {
		data, err := os.ReadFile(filepath.Join(repo.dir, "compared", name))
		require.NoError(t, err)
		assert.Contains(t, string(data), "\nBenchmarkLatencyChat/all 1 ")
	}

	got = repo.latgate(t, nil, "benchstat", "--dir", results, "--base", "HEAD", "--format", "md")
	assert.True(t, strings.HasPrefix(got.out, "<details><summary>benchstat</summary>\n\n```\n"), got.out)

	repo.write(t, "broken.txt", "BenchmarkX 1 fast ns/op\n")
	for want, args := range map[string][]string{
		"broken.txt:1: ":             {"--dir", results, "--base", "HEAD", "--after", "broken.txt"},
		"no such file":               {"--dir", results, "--base", "HEAD", "--before", "none.txt"},
		"--format: want text or md":  {"--dir", results, "--format", "csv"},
		"there is no build to judge": {"--dir", t.TempDir()},
	} {
		got := repo.latgate(t, nil, append([]string{"benchstat"}, args...)...)
		assert.Equal(t, report.ExitUsage, got.code, got.err)
		assert.Contains(t, got.err, want)
	}
}
