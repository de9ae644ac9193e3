package latencytest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// unstored are the parts of a plan that a sample file does not hold.
var unstored = cmpopts.IgnoreFields(latencytest.Plan{}, "Prompts", "SampleFile", "OnSample", "Progress", "ProgressEvery", "Live")

// written runs a plan of several scenarios, four requests at a time and with
// failures, and returns the result with its file.
func written(t *testing.T) (*latencytest.Result, string) {
	t.Helper()
	script := lively
	script.Reasoning = 2
	script.Faults = []fakes.Fault{
		{On: fakes.Every(9), Effect: fakes.Refuse{}},
		{On: fakes.Every(11), Effect: fakes.Cut{At: fakes.Abort, After: 5}},
		{On: fakes.Every(13), Effect: fakes.Hang{}},
	}
	path := filepath.Join(t.TempDir(), "of a run", "samples.jsonl")
	res := measured(t, script, latencytest.Plan{
		Name: "file", Prompts: append(promptSet(3), providers.Prompt{ID: "o", Text: "Of another scenario.", Profile: "optimized"}),
		Requests: 40, Warmup: 6, Load: latencytest.Closed(4), Timeout: 45 * time.Second, Seed: 1<<64 - 1, SampleFile: path,
	})
	return res, path
}

func TestLoadReturnsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	res, path := written(t)
	loaded, err := latencytest.Load(path)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(res, loaded, exactly, unstored))
	assert.Equal(t, res.String(), loaded.String())
	for i := range res.Scenarios {
		for _, m := range latencytest.Metrics {
			assert.Equal(t, res.Scenarios[i].Values(m), loaded.Scenarios[i].Values(m), "in the same order: %v", m)
		}
	}
	assert.Equal(t, []string{path}, files(t, filepath.Dir(path)), "nothing else is left behind")
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out
}

// Samples are in the file in the order in which they ended, one JSON object a
// line, and have no member for what never happened.
func TestSampleFileIsReadable(t *testing.T) {
	t.Parallel()
	res, path := written(t)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, lines, len(res.Samples)+2)
	assert.True(t, strings.HasPrefix(lines[0], `{"run":{"schema":"latgate.samples/1","metrics":"metrics/1","test":"","plan":"file","requests":40,"repetitions":1,"warmup":6,"load":"closed(4)","prompt_cache":"asis","storm":0.9,"timeout":"45s","grace":"10s","seed":18446744073709551615,"environment":"virtual","virtual":true,`), lines[0])
	assert.True(t, strings.HasPrefix(lines[len(lines)-1], `{"end":{"samples":92,"scenarios":[`))
	last := time.Time{}
	for _, line := range lines[1 : len(lines)-1] {
		var entry struct{ Sample map[string]any }
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		s := entry.Sample
		for name, v := range s {
			assert.NotNil(t, v, "%s: absent, not null", name)
		}
		if s["class"] == "throttled" {
			assert.NotContains(t, s, "first")
			assert.NotContains(t, s, "limit")
		}
		start, err := time.Parse(time.RFC3339Nano, s["time"].(string))
		require.NoError(t, err)
		ended := start.Add(time.Duration(s["end"].(float64)))
		assert.False(t, ended.Before(last))
		last = ended
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.EqualValues(t, 0o644, info.Mode().Perm(), "others may read it, as any artifact of a build")
	}
}

// A name without a directory is a file of the working directory, its partial
// file included: a rename across file systems would fail.
func TestSampleFileWithoutADirectory(t *testing.T) { // not parallel: it changes the working directory
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", filepath.Join(dir, "elsewhere")) // which does not exist
	measured(t, lively, latencytest.Plan{Prompts: promptSet(1), Requests: 2, SampleFile: "samples.jsonl"})
	assert.Equal(t, []string{filepath.Join(dir, "samples.jsonl")}, files(t, dir))
}

func TestSampleFileThatCannotBeMade(t *testing.T) {
	t.Parallel()
	occupied := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(occupied, nil, 0o644))
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		_, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model),
			latencytest.Plan{Prompts: promptSet(1), SampleFile: filepath.Join(occupied, "samples.jsonl")})
		require.ErrorContains(t, err, "the sample file cannot be written: ")
		assert.ErrorContains(t, err, occupied, "before anything is sent")
	})
}

// A directory of that name keeps the result from its place. The samples are safe,
// and the error says where.
func TestSampleFileThatCannotBeMoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o755))
	bubble(t, lively, func(t *testing.T, network *fakes.Network) {
		res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model),
			latencytest.Plan{Prompts: promptSet(1), Requests: 5, SampleFile: path})
		require.Error(t, err)
		require.Len(t, res.Samples, 6, "the result is returned all the same")
		partial := regexpFind(t, `what was is in (\S+\.partial)`, err.Error())
		loaded, err := latencytest.Load(partial)
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(res, loaded, exactly, unstored))
	})
}

// An error text may quote a request, and a request holds secrets; the model may be
// an ARN, which holds an account.
func TestNothingSecretIsWritten(t *testing.T) {
	t.Parallel()
	const (
		bearer  = "sk-live-abcdefghijklmnop"
		account = "123456789012"
		arn     = "arn:aws:bedrock:us-east-1:" + account + ":application-inference-profile/abcdefgh"
	)
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	message := "User arn:aws:sts::" + account + ":assumed-role/ci/me with Authorization: Bearer " + bearer + " in account " + account + " is not authorized"
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Request(4), Effect: fakes.Hang{}}} // whose error quotes the URL
	bubbleOf(t, refusing{fakes.Bedrock(script), message}, func(t *testing.T, network *fakes.Network) {
		res, err := latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), arn),
			latencytest.Plan{Prompts: promptSet(1), Requests: 10, SampleFile: path})
		require.NoError(t, err)
		require.Equal(t, "6/10 ok, http_4xx 3, timeout 1", res.Scenarios[0].Ends())
		require.Contains(t, res.Samples[4].Error, "context deadline exceeded")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, text := range []string{string(data), res.String()} {
			assert.NotContains(t, text, bearer)
			assert.NotContains(t, text, account)
			assert.NotContains(t, text, "assumed-role")
			assert.NotContains(t, text, "Prompt number", "nor is what the user asked")
			assert.NotContains(t, text, "slow tail", "or what the model said")
		}
		assert.Contains(t, string(data), "is not authorized", "the rest of the text stays")
	})
}
