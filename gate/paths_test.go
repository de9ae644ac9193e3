package gate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// The files of a build name others. None leads out of where the results, or the module,
// are: who uploads results may be a stranger.
func TestPathsThatLeadOut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	ask().measured(t, dir, baseline.Dir(t.TempDir()))
	_, err := gate.Judge(t.Context(), gate.Options{Dir: dir, Root: t.TempDir()})
	require.NoError(t, err)
	for _, away := range []string{"../../../etc", "/etc", "a/../../b"} {
		for _, member := range []string{"samples", "second", "package", "file"} {
			edited := edit(t, dir, "latest.1.check.json", func(record map[string]any) { record[member] = away })
			_, err := gate.Judge(t.Context(), gate.Options{Dir: edited, Root: t.TempDir()})
			require.ErrorContains(t, err, "leads out of its directory", "%s %s", member, away)
		}
		edited := edit(t, dir, gate.ManifestName, func(manifest map[string]any) {
			manifest["tests"].([]any)[0].(map[string]any)["dir"] = away
		})
		_, err := gate.Judge(t.Context(), gate.Options{Dir: edited, Root: t.TempDir()})
		require.ErrorContains(t, err, "is outside of the module", away)
		require.ErrorContains(t, gate.Merge(filepath.Join(t.TempDir(), "merged"), []gate.Expected{{Shards: 1}}, edited), "is outside of the module")

		edited = edit(t, dir, gate.ManifestName, func(manifest map[string]any) { // whose directory is only told
			manifest["packages"].([]any)[0].(map[string]any)["dir"] = away
			manifest["packages"].([]any)[0].(map[string]any)["outcome"] = "fail"
		})
		build, err := gate.Judge(t.Context(), gate.Options{Dir: edited, Root: t.TempDir()})
		require.NoError(t, err)
		assert.NotEqual(t, report.ExitPass, build.ExitCode)
		require.NoError(t, build.Write(filepath.Join(t.TempDir(), "verdict.json")))
		for _, r := range build.Rows {
			assert.True(t, r.File == "" || filepath.IsLocal(r.File), r.File)
		}
	}
}

// edit copies a directory and changes the members of a file in it.
func edit(t *testing.T, dir, name string, change func(map[string]any)) string {
	t.Helper()
	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	path := filepath.Join(copied, name)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	change(members)
	data, err = json.Marshal(members)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return copied
}
