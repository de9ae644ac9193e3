package gate

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Tests keep their artifacts with the results, unless the user says where files go.
func TestKeeping(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"./... -run Latency -timeout 5m":   true,
		"./chat -args -cpuprofile":         true,
		"./chat -tags trace":               true,
		"./chat -cpuprofile=cpu.out":       false,
		"./chat --test.coverprofile c":     false,
		"-outputdir /tmp -artifacts ./...": false,
	} {
		a, err := parseArguments(strings.Fields(line))
		require.NoError(t, err)
		if want {
			assert.Equal(t, []string{"-artifacts", "-outputdir=/out"}, a.keeping("/out"), line)
		} else {
			assert.Empty(t, a.keeping("/out"), line)
		}
	}
}

// The directories of a test and of its subtests are listed, as far as they are among the
// results.
func TestArtifactsOfATest(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	c := newCollector("example.com/app", nil, false)
	c.out = out
	events := ""
	for test, dir := range map[string]string{"TestA": filepath.Join(out, "_artifacts", "7"), "TestB": filepath.Join(filepath.Dir(out), "elsewhere")} {
		events += `{"Action":"artifacts","Package":"example.com/app/chat","Test":"` + test + `/sub","Path":"` + filepath.ToSlash(dir) + `"}` + "\n" +
			`{"Action":"pass","Package":"example.com/app/chat","Test":"` + test + `"}` + "\n"
	}
	require.NoError(t, c.read(strings.NewReader(events)))
	_, tests := c.results()
	require.Len(t, tests, 2)
	assert.Equal(t, []string{"_artifacts/7"}, tests[0].Artifacts)
	assert.Empty(t, tests[1].Artifacts)

	m := Manifest{Shards: 1, Tests: tests}
	require.NoError(t, m.Write(out))
	_, err := ReadManifest(out)
	require.NoError(t, err)
	m.Tests[1].Artifacts = []string{"../elsewhere"}
	require.NoError(t, m.Write(out))
	_, err = ReadManifest(out)
	require.ErrorContains(t, err, `the artifacts "../elsewhere" are outside of its directory`)
}
