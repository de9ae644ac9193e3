package assertions_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/latencytest"
)

// go test -json tells what a check has found. It is a test of a process, since a test
// cannot see its own attributes.
func TestAttributes(t *testing.T) {
	const child = "ATTRIBUTES_OF_A_CHILD"
	if os.Getenv(child) != "" {
		assertions.Check(t, result(scenario(200, 1)), fiveRuns(t), ttft90, alone, assertions.ErrorRate(.1))
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAttributes$", "-test.v=test2json")
	cmd.Env = append(os.Environ(), child+"=1", latencytest.SessionVariable+"=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "=== ATTR  TestAttributes latgate.verdict pass")
	assert.Regexp(t, `=== ATTR  TestAttributes latgate\.all\.p90_ttft pass ratio=[\d.]+ low=[\d.]+ high=[\d.]+ p=`, string(out))
}
