//go:build linux

package latencytest_test

import (
	"context"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

func init() { roles["on a full disk"] = measureOnAFullDisk }

// measureOnAFullDisk prints what Measure returns where no file can grow beyond a
// few samples. (Permissions would not do: root ignores them.)
func measureOnAFullDisk(sampleFile string) {
	signal.Ignore(syscall.SIGXFSZ) // else it kills; now a write fails, as on a full disk
	limit := syscall.Rlimit{Cur: 8 << 10, Max: 8 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	res, err := latencytest.Measure(context.Background(), loopback(fakes.Script{OutputTokens: 3}),
		latencytest.Plan{Prompts: promptSet(1), Requests: 50, SampleFile: sampleFile})
	fmt.Printf("%d samples, %s, %v", len(res.Samples), res.Scenarios[0].Ends(), err)
}

// A sample file that cannot be written does not cost the measurement: the result
// is returned, with an error that says where the samples are that were written.
func TestSampleFileThatCannotGrow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	out, err := child(t, "on a full disk", path).Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "51 samples, 50/50 ok, samples were not all written")
	assert.Contains(t, string(out), "file too large")
	partial := regexpFind(t, `what was is in (\S+\.partial)`, string(out))
	assert.NoFileExists(t, path)
	res, err := latencytest.Load(partial)
	require.ErrorIs(t, err, latencytest.ErrInterrupted)
	assert.NotEmpty(t, res.Samples)
	assert.Less(t, len(res.Samples), 51)
}
