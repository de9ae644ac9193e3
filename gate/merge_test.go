package gate_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/report"
)

// partVariable makes a process of this test binary measure a shard: "3/16".
const partVariable = "TEST_SHARD"

// parts are the subtests of TestPart, which stand for the tests of a module.
const parts = 16

// TestPart measures the subtests of a shard, in a process of its own.
func TestPart(t *testing.T) {
	text := os.Getenv(partVariable)
	if text == "" {
		t.Skip("it is for the processes that TestMerge starts")
	}
	shard, err := gate.ParseShard(text)
	require.NoError(t, err)
	for i := range parts {
		if i%shard.Of == shard.Index {
			t.Run(fmt.Sprintf("part%02d", i), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { measurePart(t, i) }) })
		}
	}
}

// measurePart checks an endpoint that is, or is not, slower than that of the stored runs.
func measurePart(t *testing.T, i int) {
	script := fakes.Script{
		Seed: latencytest.Seed() + 1000*uint64(i), Session: .02, OutputTokens: 3, Gap: fakes.Constant(5 * time.Millisecond),
		TTFT: fakes.Scale(fakes.Lognormal(200*time.Millisecond, .3), []float64{1, 1.02, 1.15, 1.6}[i%4]),
	}
	if os.Getenv("LATGATE_UPDATE") != "" {
		script.TTFT = fakes.Lognormal(200*time.Millisecond, .3)
	}
	network := fakes.NewNetwork(fakes.OpenAI(script))
	defer network.Close()
	target := openai.Chat("m", endpoint.Options{BaseURL: "http://model.test/v1", Key: "k", Client: network.Client()})
	res := latencytest.Run(t, target, latencytest.Plan{Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 50, Load: latencytest.Closed(5)})
	assertions.Check(t, res, baseline.Dir(os.Getenv("TEST_STORE")), assertions.NoRegression(latencytest.TTFT), assertions.SingleSession())
}

// startPart starts a process that measures a shard, and returns a function that waits
// for it.
func startPart(t *testing.T, shard gate.Shard, out, store string, env ...string) (wait func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPart$", "-test.count=1")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), append(env, partVariable+"="+shard.String(), "LATGATE_OUT="+out, "TEST_STORE="+store)...)
	require.NoError(t, cmd.Start())
	return func() { _ = cmd.Wait() } // red where a part is slower
}

// planned are the parts, as tests of their own.
func planned() (all []string) {
	for i := range parts {
		all = append(all, fmt.Sprintf("example.com/app TestPart/part%02d", i))
	}
	return all
}

func writeManifest(t *testing.T, dir string, shard gate.Shard, edit func(*gate.Manifest)) {
	t.Helper()
	started := time.Date(2026, 11, 20, 3, 0, shard.Index, 0, time.UTC)
	m := &gate.Manifest{
		Tool: "v1", Run: "7", Attempt: 1, Shard: shard.Index, Shards: shard.Of, Mode: report.Stored, Head: "abc",
		Started: started, Ended: started.Add(time.Minute), Planned: planned(),
		Packages: []gate.Ran{{Package: "example.com/app", Dir: ".", Outcome: gate.Passed}},
	}
	for i, name := range m.Planned {
		if i%shard.Of == shard.Index {
			m.Tests = append(m.Tests, gate.Ran{Package: "example.com/app", Dir: ".", Test: name[len("example.com/app "):], Outcome: gate.Passed})
		}
	}
	if edit != nil {
		edit(m)
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, m.Write(dir))
}

// TestMerge judges what sixteen processes have measured as what one has, bit for bit.
func TestMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	for seed := range 3 {
		startPart(t, gate.Shard{Of: 1}, filepath.Join(dir, "days"), store, "LATGATE_UPDATE=1", "LATGATE_REASON=day", fmt.Sprintf("LATGATE_SEED=%d", 101+seed))()
	}
	one := filepath.Join(dir, "one")
	waits := []func(){startPart(t, gate.Shard{Of: 1}, one, store)}
	writeManifest(t, one, gate.Shard{Of: 1}, nil)
	var shards []string
	for i := range parts {
		shard := gate.Shard{Index: i, Of: parts}
		shards = append(shards, filepath.Join(dir, "shards", shard.String()[:len(shard.String())-3]))
		waits = append(waits, startPart(t, shard, shards[i], store))
		writeManifest(t, shards[i], shard, nil)
	}
	for _, wait := range waits {
		wait()
	}
	var verdicts []string
	order := rand.New(rand.NewPCG(1, 2))
	for i := range 3 {
		merged := filepath.Join(dir, fmt.Sprintf("merged%d", i))
		require.NoError(t, gate.Merge(merged, []gate.Expected{{Shards: parts}}, shards...))
		verdicts = append(verdicts, judge(t, merged))
		assert.Equal(t, files(t, one), files(t, merged))
		order.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
	}
	want := judge(t, one)
	for _, got := range verdicts {
		assert.Equal(t, want, got)
	}
	build := new(report.Build)
	require.NoError(t, json.Unmarshal([]byte(want), build))
	assert.Len(t, build.Rows, 2*parts)
	assert.Equal(t, baseline.Regression, build.Verdict)
	assert.Equal(t, report.ExitRegression, build.ExitCode)
	red := 0
	for _, r := range build.Rows {
		if r.Verdict == baseline.Regression {
			red++
		}
	}
	assert.GreaterOrEqual(t, red, parts/4, "every fourth is 1.6 times as slow")
	assert.Less(t, red, parts)
}

// judge returns a verdict without its times.
func judge(t *testing.T, dir string) string {
	t.Helper()
	build, err := gate.Judge(t.Context(), gate.Options{Dir: dir, Root: t.TempDir()})
	require.NoError(t, err)
	build.Started, build.Ended = time.Time{}, time.Time{}
	data, err := json.Marshal(build)
	require.NoError(t, err)
	return string(data)
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err == nil && !d.IsDir() && name != ".gitignore" {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	return names
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	three := func(t *testing.T, dir string) {
		for i := range 3 {
			writeManifest(t, filepath.Join(dir, fmt.Sprint(i)), gate.Shard{Index: i, Of: 3}, nil)
		}
	}
	edited := func(i int, edit func(*gate.Manifest)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			three(t, dir)
			writeManifest(t, filepath.Join(dir, fmt.Sprint(i)), gate.Shard{Index: i, Of: 3}, edit)
		}
	}
	for _, c := range []struct {
		name    string
		expect  string
		prepare func(t *testing.T, dir string)
		want    string // "" is no error
	}{
		{"three", "3", three, ""},
		{"three of a mode", "stored=3", three, ""},
		{"missing", "3", func(t *testing.T, dir string) {
			three(t, dir)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "1")))
		}, "of 3 shards there are missing: 1"},
		{"all missing", "3", func(*testing.T, string) {}, "there is no shard"},
		{"too many expected", "4", three, "is one of 3 shards, and not of 4"},
		{"twice", "3", func(t *testing.T, dir string) {
			three(t, dir)
			writeManifest(t, filepath.Join(dir, "again"), gate.Shard{Index: 1, Of: 3}, func(m *gate.Manifest) { m.Attempt = 2 })
		}, "shard 1 of 3 is there twice, as attempts 1 and 2"},
		{"other attempt", "3", edited(2, func(m *gate.Manifest) { m.Attempt = 2 }), "shards that are repeated alone select their luck"},
		{"other run", "3", edited(1, func(m *gate.Manifest) { m.Run = "8" }), `the run is "7" here and "8" there`},
		{"other base", "3", edited(1, func(m *gate.Manifest) { m.Base = "f00" }), "the base is"},
		{"other head", "3", edited(1, func(m *gate.Manifest) { m.Head = "f00" }), "the head is"},
		{"other version", "3", edited(1, func(m *gate.Manifest) { m.Tool = "v2" }), "the version of latgate is"},
		{"other plan", "3", edited(2, func(m *gate.Manifest) { m.Planned = m.Planned[1:] }), "shards 0 and 2 have different plans"},
		{"other mode", "auto=3", edited(2, func(m *gate.Manifest) { m.Mode = report.Replay }), "the shards have different modes or regions: [replay stored]"},
		{"mode that is not expected", "stored=2", edited(2, func(m *gate.Manifest) { m.Mode = report.Replay }), "there is a shard of mode replay, which is not expected"},
		{"a test in two", "3", edited(2, func(m *gate.Manifest) {
			m.Tests = append(m.Tests, gate.Ran{Package: "example.com/app", Test: "TestPart/part00"})
		}), "the shards 0 and 2 both ran"},
		{"a test of another", "3", edited(0, func(m *gate.Manifest) { m.Tests[0].Test = "TestPart/part01" }), "shard 0 ran example.com/app TestPart/part01, which falls to another"},
		{"broken manifest", "3", func(t *testing.T, dir string) {
			three(t, dir)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "1", gate.ManifestName), []byte("{}"), 0o644))
		}, "schema"},
		{"file in two", "3", func(t *testing.T, dir string) {
			three(t, dir)
			for _, i := range []string{"0", "1"} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, i, "x.check.json"), nil, 0o644))
			}
		}, "another shard has the file x.check.json, too"},
		{"link", "3", func(t *testing.T, dir string) {
			three(t, dir)
			require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "0", "x.check.json")))
		}, "x.check.json is no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			c.prepare(t, dir)
			expected, err := gate.ParseExpected(c.expect)
			require.NoError(t, err)
			err = gate.Merge(out, expected, dir)
			if c.want == "" {
				require.NoError(t, err)
				m, err := gate.ReadManifest(out)
				require.NoError(t, err)
				assert.Equal(t, 1, m.Shards)
				assert.Len(t, m.Tests, parts)
				assert.Equal(t, time.Minute+2*time.Second, m.Ended.Sub(m.Started))
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, report.ExitIncomparable, gate.ExitCode(err, -1))
			_, err = gate.ReadManifest(out)
			require.ErrorIs(t, err, fs.ErrNotExist, "nothing is left to judge")
		})
	}
}

func TestMergeModes(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	writeManifest(t, filepath.Join(dir, "a"), gate.Shard{Of: 1}, func(m *gate.Manifest) { m.Mode = report.Replay })
	for i := range 2 {
		writeManifest(t, filepath.Join(dir, fmt.Sprint(i)), gate.Shard{Index: i, Of: 2}, nil)
	}
	require.NoError(t, gate.Merge(out, []gate.Expected{{gate.Stratum{Mode: report.Replay}, 1}, {gate.Stratum{Mode: report.Stored}, 2}}, dir))
	build, err := gate.Judge(t.Context(), gate.Options{Dir: out, Root: t.TempDir()})
	require.NoError(t, err)
	assert.Equal(t, report.Stored, build.Mode, "the one that measures more")
	assert.Equal(t, baseline.Missing, build.Verdict, "nothing was checked")
	base, err := gate.BaseOf(out)
	require.NoError(t, err)
	assert.Empty(t, base)
}

func TestMergeLeavesShardsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeManifest(t, filepath.Join(dir, "0"), gate.Shard{Of: 1}, nil)
	require.ErrorContains(t, gate.Merge(dir, []gate.Expected{{Shards: 1}}, dir), "is inside of")
	assert.FileExists(t, filepath.Join(dir, "0", gate.ManifestName))
	foreign := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o644))
	require.ErrorContains(t, gate.Merge(foreign, []gate.Expected{{Shards: 1}}, dir), "holds no results of latgate")
	assert.FileExists(t, filepath.Join(foreign, "thesis.txt"))
}

func TestParseExpected(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]gate.Expected{
		"3":                 {{Shards: 3}},
		"auto=3":            {{Shards: 3}},
		"replay=1,stored=3": {{gate.Stratum{Mode: report.Replay}, 1}, {gate.Stratum{Mode: report.Stored}, 3}},
		"":                  nil, "0": nil, "replay": nil, "live=1": nil, "replay=1,replay=2": nil, "auto=1,replay=2": nil, "replay=x": nil,
	} {
		got, err := gate.ParseExpected(text)
		assert.Equal(t, want == nil, err != nil, text)
		assert.True(t, slices.Equal(want, got), text)
	}
}
