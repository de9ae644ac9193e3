package gate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	a, err := gate.ParseArguments(strings.Fields("-v -tags live ./... -run Latency/a -timeout=5m ./x --skip B -latgate.seed 7 -args -run x"))
	require.NoError(t, err)
	assert.Equal(t, strings.Fields("-vet=off -list Latency -v -tags live ./... -timeout=5m ./x -latgate.seed 7 -args -run x"), a.Listing())
	assert.Equal(t, []string{"./...", "./x"}, a.Packages())
	assert.Equal(t, strings.Fields("-v -tags live -timeout=5m -latgate.seed 7"), a.Flags())
	a, err = gate.ParseArguments([]string{"./..."})
	require.NoError(t, err)
	assert.Equal(t, strings.Fields("-vet=off -list . ./..."), a.Listing())
	for line, want := range map[string]string{
		"-count=2":         "-count: latgate calls go test itself",
		"-bench .":         "-bench",
		"-exec evil":       "-exec",
		"--test.count=3 .": "-count",
		"-run (":           "-run: error parsing regexp",
		"-skip a/[":        "-skip: error parsing regexp",
		"-run":             "-run: there is no value",
		". -- .":           "-: latgate",
	} {
		_, err := gate.ParseArguments(strings.Fields(line))
		require.Error(t, err, line)
		if line != ". -- ." {
			require.ErrorContains(t, err, want, line)
		}
	}
}

func TestSplitPattern(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		"": nil, "a": {"a"}, "a/b/c": {"a", "b", "c"}, "[/]a/b": {"[/]a", "b"}, "(a/b)/c": {"(a/b)", "c"}, `a\/b`: {`a\/b`}, "/b": {"", "b"},
	} {
		assert.Equal(t, want, gate.SplitPattern(pattern), pattern)
	}
}

func TestShardOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  string
		want gate.Shard
		bad  string
	}{
		{"", gate.Shard{Index: 0, Of: 1}, ""},
		{"LATGATE_SHARD=2/3", gate.Shard{Index: 2, Of: 3}, ""},
		{"LATGATE_SHARD=2/3 CI_NODE_TOTAL=9 CI_NODE_INDEX=9", gate.Shard{Index: 2, Of: 3}, ""},
		{"LATGATE_SHARDS=24 JOB_COMPLETION_INDEX=0", gate.Shard{Index: 0, Of: 24}, ""},
		{"CI_NODE_TOTAL=3 CI_NODE_INDEX=1", gate.Shard{Index: 0, Of: 3}, ""},
		{"CI_NODE_TOTAL=3 CI_NODE_INDEX=3", gate.Shard{Index: 2, Of: 3}, ""},
		{"CI_NODE_TOTAL=1", gate.Shard{Index: 0, Of: 1}, ""},
		{"JOB_COMPLETION_INDEX=5", gate.Shard{Index: 0, Of: 1}, ""},
		{"LATGATE_SHARD=3/3", gate.Shard{}, "LATGATE_SHARD: there is no shard 3 of 3"},
		{"LATGATE_SHARD=1", gate.Shard{}, "LATGATE_SHARD: want a shard"},
		{"LATGATE_SHARDS=3", gate.Shard{}, "nothing says which of them this is"},
		{"LATGATE_SHARDS=3 JOB_COMPLETION_INDEX=3", gate.Shard{}, "there is no such shard"},
		{"CI_NODE_TOTAL=3 CI_NODE_INDEX=0", gate.Shard{}, "there is no such shard"},
		{"CI_NODE_TOTAL=x CI_NODE_INDEX=1", gate.Shard{}, `CI_NODE_TOTAL="x": want a number`},
	} {
		got, err := gate.ShardOf(func(name string) (string, bool) {
			for pair := range strings.FieldsSeq(c.env) {
				if key, value, _ := strings.Cut(pair, "="); key == name {
					return value, true
				}
			}
			return "", false
		})
		if c.bad != "" {
			require.ErrorContains(t, err, c.bad, c.env)
			continue
		}
		require.NoError(t, err, c.env)
		assert.Equal(t, c.want, got, c.env)
	}
}

// Every test falls to one shard, and every request of a budget.
func TestShardsShareEverything(t *testing.T) {
	t.Parallel()
	tests := strings.Fields("a b c d e f g")
	for of := 1; of <= 9; of++ {
		var all []string
		requests := 0
		for i := range of {
			s := gate.Shard{Index: i, Of: of}
			all = append(all, s.Part(tests)...)
			requests += s.Share(100)
			assert.LessOrEqual(t, len(s.Part(tests)), (len(tests)+of-1)/of)
		}
		assert.ElementsMatch(t, tests, all)
		assert.Equal(t, 100, requests)
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	events := strings.Join([]string{
		`{"Action":"start","Package":"example.com/app/chat"}`,
		`{"Action":"run","Package":"example.com/app/chat","Test":"TestA"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestA","Output":"=== RUN   TestA\n"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestA","Output":"    a_test.go:1: quiet\n"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestA","Output":"    a_test.go:2: [latgate] table\n"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestA","Output":"        row ::error::x\n"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestA/sub","Output":"    a_test.go:3: sub\n"}`,
		`{"Action":"skip","Package":"example.com/app/chat","Test":"TestA/sub"}`,
		`{"Action":"pass","Package":"example.com/app/chat","Test":"TestA"}`,
		`{"Action":"run","Package":"example.com/app/chat","Test":"TestB"}`,
		`{"Action":"output","Package":"example.com/app/chat","Test":"TestB","Output":"    b_test.go:1: broken, key=sk-0123456789abcdef\n"}`,
		`{"Action":"fail","Package":"example.com/app/chat","Test":"TestB"}`,
		`{"Action":"run","Package":"example.com/app/chat","Test":"TestC"}`,
		`{"Action":"output","Package":"example.com/app/chat","Output":"FAIL\texample.com/app/chat\t0.1s\n"}`,
		`{"Action":"fail","Package":"example.com/app/chat"}`,
		`{"ImportPath":"example.com/app/x.test","Action":"build-output","Output":"# example.com/app/x\n"}`,
		`{"ImportPath":"example.com/app/x.test","Action":"build-output","Output":"x.go:1: syntax error\n"}`,
		`{"ImportPath":"example.com/app/x.test","Action":"build-fail"}`,
		`{"Action":"output","Package":"example.com/app/x","Output":"FAIL\texample.com/app/x [build failed]\n"}`,
		`{"Action":"fail","Package":"example.com/app/x","FailedBuild":"example.com/app/x.test"}`,
		`{"Action":"run","Package":"example.com/app","Test":"TestRoot"}`,
		`{"Action":"pass","Package":"example.com/app","Test":"TestRoot"}`,
		`{"Action":"output","Package":"example.com/app","Output":"ok  \texample.com/app\t(cached)\n"}`,
		`{"Action":"pass","Package":"example.com/app"}`,
		`{"Action":"skip","Package":"example.com/app/empty"}`,
		`{"Action":"run","Package":"example.com/app/zz","Test":"TestNeverEnds"}`,
		`go: no event`,
	}, "\n")
	packages, tests, log := gate.Collect(events, false)
	assert.Equal(t, []gate.Ran{
		{Package: "example.com/app", Dir: ".", Outcome: gate.Passed, Cached: true},
		{Package: "example.com/app/chat", Dir: "chat", Outcome: gate.Failed, Output: "FAIL example.com/app/chat 0.1s"},
		{Package: "example.com/app/empty", Dir: "empty", Outcome: gate.Skipped},
		{Package: "example.com/app/x", Dir: "x", Outcome: gate.Failed, Output: "# example.com/app/x\nx.go:1: syntax error\nFAIL example.com/app/x [build failed]"},
		{Package: "example.com/app/zz", Dir: "zz", Outcome: gate.Failed},
	}, packages)
	assert.Equal(t, []gate.Ran{
		{Package: "example.com/app", Dir: ".", Test: "TestRoot", Outcome: gate.Passed, Cached: true},
		{Package: "example.com/app/chat", Dir: "chat", Test: "TestA", Outcome: gate.Passed},
		{Package: "example.com/app/chat", Dir: "chat", Test: "TestB", Outcome: gate.Failed, Output: "    b_test.go:1: broken, key=***"},
		{Package: "example.com/app/chat", Dir: "chat", Test: "TestC", Outcome: gate.Failed},
		{Package: "example.com/app/zz", Dir: "zz", Test: "TestNeverEnds", Outcome: gate.Failed},
	}, tests)
	assert.Contains(t, log, "[latgate] table\n        row : :error: :x\n")
	assert.Contains(t, log, "b_test.go:1: broken")
	assert.Contains(t, log, "x.go:1: syntax error")
	assert.Contains(t, log, "go: no event")
	assert.NotContains(t, log, "quiet")
	_, _, log = gate.Collect(events, true)
	assert.Contains(t, log, "quiet")
}

// A line may be as long as a model makes it.
func TestCollectLongLines(t *testing.T) {
	t.Parallel()
	_, tests, log := gate.Collect(`{"Action":"output","Package":"p","Test":"TestA","Output":"[latgate] `+strings.Repeat("x", 900_000)+`\n"}`+"\n"+
		strings.Repeat("y", 3_000_000)+"\n"+`{"Action":"fail","Package":"p","Test":"TestA"}`, false)
	require.Len(t, tests, 1)
	assert.Less(t, len(tests[0].Output), 1000)
	assert.Less(t, len(log), 20_000)
}

// The texts that an outage is recognized by are those of package latencytest.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&latencytest.WarmupError{Requests: 4, Class: "connect", Detail: "refused"},
		&latencytest.StormError{Failed: 18, Of: 20, Class: "throttled", Example: "slow down"},
	} {
		assert.True(t, gate.Outage("    x_test.go:7: [latgate] the run ended early, after 4 requests: "+err.Error()), err.Error())
	}
	assert.False(t, gate.Outage("x_test.go:7: want 4, got 5"))
}
