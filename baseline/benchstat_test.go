package baseline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The real benchstat compares any two files of a baseline as they are.
func TestBenchstatReadsTheFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: benchstat is not built with -short")
	}
	t.Parallel()
	tools, err := filepath.Abs(filepath.Join("..", ".github", "tools", "go.mod"))
	require.NoError(t, err)
	if _, err := os.Stat(tools); err != nil {
		t.Skipf("SKIPPED: benchstat was not driven against stored runs: %v", err)
	}
	store := storeOf(t, result(scenario(40, 1)), result(scenario(40, 2, later(1.5))))
	files := sortedKeys(tree(t, store.Location(keyOf(scenario(1, 1)))))
	require.Len(t, files, 2)

	benchstat := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=" + tools, "benchstat"}, files...)...)
	output, err := benchstat.CombinedOutput()
	require.NoError(t, err, "%s", output)
	for _, want := range []string{
		`(?m)^model: anthropic\.claude-haiku-4-5-20251001-v1:0$`,
		`ttft-sec`,
		`(?m)^LatencyChat/all +\d+\.\dm ± +\d+% +\d+\.\dm ± +\d+% +\+\d+\.\d+% \(p=0\.000 n=40\)$`,
		`otps-tok/s`,
	} {
		assert.Regexp(t, regexp.MustCompile(want), string(output))
	}
	assert.NotContains(t, string(output), "missing", "the files differ in no key")
}
