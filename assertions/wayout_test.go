package assertions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
)

func TestRunPatternMatchesOneTestAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, pattern string }{
		{"TestLatency", "^TestLatency$"},
		{"TestLatency/chat", "^TestLatency$/^chat$"},
		{"TestLatency/chat/de", "^TestLatency$/^chat$/^de$"},
		{"TestLatency/a+b", `^TestLatency$/^a\+b$`},
		{"TestLatency/claude-3.5|haiku(1)", `^TestLatency$/^claude-3\.5\|haiku\(1\)$`},
		{"TestLatency/[0]#01", `^TestLatency$/^\[0\]#01$`},
	} {
		got := assertions.RunPattern(test.name)
		assert.Equal(t, test.pattern, got)
		names, patterns := strings.Split(test.name, "/"), strings.Split(got, "/")
		require.Len(t, patterns, len(names))
		for i, pattern := range patterns {
			re := regexp.MustCompile(pattern)
			assert.True(t, re.MatchString(names[i]))
			assert.False(t, re.MatchString(names[i]+"x") || re.MatchString("x"+names[i]))
		}
	}
}

func TestTheCommandIsForAShell(t *testing.T) {
	t.Parallel()
	var f fakeT
	res := result(scenario(200, 1, later(1.4)))
	res.Test = "TestLatency/it's"
	assertions.Check(&f, res, fiveRuns(t), ttft90, alone)
	assert.Contains(t, f.errors[0], `-run '^TestLatency$/^it'\''s$' `)
}

func TestPackagePathIsThatFromTheModulesRoot(t *testing.T) {
	root := t.TempDir()
	sub := filepath.Join(root, "internal", "chat")
	require.NoError(t, os.MkdirAll(sub, 0o755))
	t.Chdir(sub)
	if _, err := os.Stat(filepath.Join(os.TempDir(), "go.mod")); err != nil {
		assert.Equal(t, ".", assertions.PackagePath(), "outside of a module")
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module m\n"), 0o644))
	assert.Equal(t, "./internal/chat", assertions.PackagePath())
	t.Chdir(root)
	assert.Equal(t, ".", assertions.PackagePath())
}
