package latencytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnfinishedRunsAreFound(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "latest.samples.jsonl")
	assert.Empty(t, unfinished(target))
	for _, name := range []string{target, target + ".123.partial", filepath.Join(filepath.Dir(target), "other.samples.jsonl.1.partial")} {
		require.NoError(t, os.WriteFile(name, nil, 0o644))
	}
	assert.Equal(t, []string{target + ".123.partial"}, unfinished(target))
}

func TestNoClientsIsNoLoad(t *testing.T) {
	t.Parallel()
	none := Plan{Load: Closed(0)}.withDefaults(Settings{})
	assert.ErrorContains(t, none.validate(), "Plan.Load: want at least one client, got closed(0)")
	assert.Equal(t, Closed(1), Plan{}.withDefaults(Settings{}).Load)
}
