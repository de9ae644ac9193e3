package gate_test

import (
	"os"
	"strings"
	"testing"
)

// TestMain makes a laptop without settings of whatever runs the tests, but for the
// processes that a test of ours starts.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if os.Getenv(partVariable) == "" && (name == "CI" || strings.HasPrefix(name, "CI_") || strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "GITLAB_") || strings.HasPrefix(name, "LATGATE_")) {
			os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}
