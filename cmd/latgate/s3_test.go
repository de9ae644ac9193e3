package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/report"
)

// The tests of this scratch repository compare with a bucket.
const s3Tests = `package chat

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

func TestLatencyChat(t *testing.T) {
	script := fakes.Script{
		Seed: latencytest.Seed(), Session: .01, Gap: fakes.Constant(10*time.Millisecond), OutputTokens: 4,
		TTFT: fakes.Lognormal(400*time.Millisecond, .2),
	}
	var res *latencytest.Result
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.OpenAI(script))
		defer network.Close()
		target := openai.Chat("m", endpoint.Options{BaseURL: "http://model.test/v1", Key: "k", Client: network.Client()})
		res = latencytest.Run(t, target, latencytest.Plan{Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 60, Load: latencytest.Closed(4)})
	})
	store, err := s3store.Open(t.Context(), os.Getenv("SCRATCH_STORE"), s3store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	assertions.Check(t, res, store, assertions.NoRegression(latencytest.TTFT, latencytest.P90))
}
`

// newS3Scratch is newScratch with baselines that are in a bucket.
func newS3Scratch(t *testing.T) *scratch {
	t.Helper()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds a module, clones repositories and starts many processes")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	s := &scratch{dir: filepath.Join(t.TempDir(), "app"), binary: filepath.Join(t.TempDir(), "chat.test")}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	s.write(t, "go.mod", regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(mod), "module example.com/app")+
		"\nrequire github.com/latgate/latgate v0.0.0\nreplace github.com/latgate/latgate => "+root+"\n")
	s.write(t, "go.sum", string(sum))
	s.write(t, "chat/latency_test.go", s3Tests)
	s.write(t, ".gitignore", ".latgate/\n")
	s.tool(t, nil, "go", "test", "-c", "-o", s.binary, "./chat")
	s.git(t, "init", "-q", "-b", "main")
	s.base = s.commit(t, "base")
	return s
}

// ofBucket returns a repository whose baselines are in a bucket, with three runs there.
func (s *scratch) ofBucket(t *testing.T, b *bucket) *scratch {
	t.Helper()
	c := s.clone(t)
	c.write(t, "latgate.yaml", "credentials: []\nstore: "+b.address()+"\n")
	c.base = c.commit(t, "store")
	for _, seed := range []string{"101", "102", "103"} {
		c.chat(t, "", b.environment("LATGATE_UPDATE=1", "LATGATE_REASON=day "+seed, "LATGATE_SEED="+seed)...)
	}
	return c
}

// measured is results for the one test of this repository.
func (s *scratch) measured(t *testing.T, env ...string) string {
	t.Helper()
	dir := s.results(t, env...)
	change(t, dir, func(m *gate.Manifest) { m.Tests = m.Tests[:1] })
	return dir
}

// TestS3 runs latgate as processes over baselines in a bucket.
func TestS3(t *testing.T) {
	t.Parallel()
	s := newS3Scratch(t)
	for name, test := range map[string]func(*testing.T, *scratch){
		"Gate": testS3Gate, "ExitCodes": testS3ExitCodes, "Run": testS3Run, "Race": testS3Race, "Commands": testS3Commands,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// From the first run to one that passes, with nothing but an address.
func testS3Gate(t *testing.T, s *scratch) {
	b := newBucket(t)
	repo := s.clone(t)
	dir := repo.measured(t, b.environment()...)
	env := b.environment()
	got := repo.latgate(t, env, "gate", "--dir", dir)
	require.Equal(t, report.ExitMissing, got.code, got.out+got.err)
	assert.Contains(t, reasons(readVerdict(t, dir)), "there is no baseline yet")

	got = repo.latgate(t, env, "accept", "--reason", "first run", "--dir", dir)
	require.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `^s3://acme-latency/app/runs/TestLatencyChat/all@[0-9a-f]{8}/\S+\.bench\n$`, got.out)
	for _, seed := range []string{"102", "103"} {
		more := repo.measured(t, b.environment("LATGATE_SEED="+seed)...)
		sample := filepath.Join(more, "chat/TestLatencyChat/latest.samples.jsonl")
		got = repo.latgate(t, append(env, "LATGATE_STORE="+b.address()), "accept", "--reason", "another day", sample)
		require.Equal(t, 0, got.code, got.err)
	}
	dir = repo.measured(t, b.environment("LATGATE_SEED=7")...)
	got = repo.latgate(t, env, "gate", "--dir", dir)
	require.Equal(t, 0, got.code, got.out+got.err)
	build := readVerdict(t, dir)
	require.Len(t, build.Rows, 1)
	assert.Equal(t, "s3://acme-latency/app/baselines/TestLatencyChat/all@", build.Rows[0].Baseline[:strings.Index(build.Rows[0].Baseline, "@")+1])
}

// What is wrong with a store decides the exit code, whoever meets it.
func testS3ExitCodes(t *testing.T, s *scratch) {
	b := newBucket(t)
	repo := s.ofBucket(t, b)
	const newest = `^runs/TestLatencyChat/.*\.bench$`
	for _, c := range []struct {
		name string
		code int
		want string
		do   func(t *testing.T, b *bucket)
	}{
		{"whole", report.ExitPass, "pass", func(*testing.T, *bucket) {}},
		{"changed", report.ExitTampered, "it was changed after it was stored", func(t *testing.T, b *bucket) {
			b.edit(t, newest, func(data []byte) []byte { return bytes.Replace(data, []byte("/all 1 3"), []byte("/all 1 9"), 1) })
		}},
		{"removed", report.ExitTampered, "is gone, its pointer names it", func(t *testing.T, b *bucket) {
			b.edit(t, newest, func([]byte) []byte { return nil })
		}},
		{"pointer", report.ExitTampered, "not a document of latgate", func(t *testing.T, b *bucket) {
			b.edit(t, `^baselines/.*@.*\.json$`, func([]byte) []byte { return []byte("<html>") })
		}},
		{"newer", report.ExitUsage, "this version of latgate reads", func(t *testing.T, b *bucket) {
			b.edit(t, `^baselines/.*@.*\.json$`, func(data []byte) []byte { return bytes.Replace(data, []byte("pointer/1"), []byte("pointer/2"), 1) })
		}},
		{"down", report.ExitInfrastructure, "no answer", func(_ *testing.T, b *bucket) { b.Close() }},
		{"refusing", report.ExitInfrastructure, "HTTP 403 AccessDenied", func(_ *testing.T, b *bucket) {
			b.before(func(w http.ResponseWriter, _ *http.Request) bool {
				refuseS3(w, http.StatusForbidden, "AccessDenied")
				return true
			})
		}},
		{"one changed, others refused", report.ExitTampered, "it was changed after it was stored", func(t *testing.T, b *bucket) {
			changed := b.edit(t, newest, func(data []byte) []byte { return append(data, '\n') })
			b.before(func(w http.ResponseWriter, r *http.Request) bool {
				refused := strings.HasSuffix(r.URL.Path, ".bench") && !strings.HasSuffix(r.URL.Path, changed)
				if refused {
					refuseS3(w, http.StatusServiceUnavailable, "SlowDown")
				}
				return refused
			})
		}},
		{"pinned changed", report.ExitTampered, "its pointer says 00000000", func(t *testing.T, b *bucket) {
			b.edit(t, `^baselines/.*@.*\.json$`, func(data []byte) []byte {
				entry := regexp.MustCompile(`(?s)\{\s*"object".*?\}`).Find(data)
				padded := regexp.MustCompile(`"sha256": "[0-9a-f]{8}`).ReplaceAll(entry, []byte(`"sha256": "00000000`))
				return bytes.Replace(data, []byte(`"runs"`), []byte(`"pinned": `+string(padded)+`, "runs"`), 1)
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			own := b.clone(t)
			dir := repo.measured(t, own.environment("LATGATE_SEED=7")...)
			c.do(t, own)
			got := repo.latgate(t, own.environment(), "gate", "--dir", dir)
			assert.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
			build := readVerdict(t, dir)
			if c.code == report.ExitUsage {
				assert.Nil(t, build)
				assert.Contains(t, got.err, c.want)
				return
			}
			require.NotNil(t, build, got.err)
			if c.code == report.ExitPass {
				return
			}
			assert.Contains(t, reasons(build), c.want)
			assert.Contains(t, reasons(build), "s3://acme-latency/app/")
			assert.NotContains(t, reasons(build), "EXAMPLEKEY")
		})
	}
}

// The test's own check meets the same as the judge of its build, and fails by it alone.
func testS3Run(t *testing.T, s *scratch) {
	b := newBucket(t)
	repo := s.ofBucket(t, b)
	run := func(b *bucket) (said, *report.Build) {
		got := repo.latgate(t, b.environment("LATGATE_MODE=stored", "LATGATE_SEED=7"), "run", "--base", repo.base, "--", "./chat", "-run", "Latency")
		return got, readVerdict(t, filepath.Join(repo.dir, ".latgate"))
	}
	changed := b.clone(t)
	object := changed.edit(t, `^runs/.*\.bench$`, func(data []byte) []byte { return append(data, '\n') })
	got, build := run(changed)
	require.Equal(t, report.ExitTampered, got.code, got.out+got.err)
	assert.Contains(t, got.out, "s3://acme-latency/app/"+object+" has the SHA-256 ", "said by the test")
	require.Len(t, build.Rows, 1, reasons(build))
	assert.Contains(t, reasons(build), "tampered TestLatencyChat: ")

	down := b.clone(t)
	down.Close()
	got, build = run(down)
	require.Equal(t, report.ExitInfrastructure, got.code, got.out+got.err)
	require.Len(t, build.Rows, 1, reasons(build))
	assert.Contains(t, reasons(build), "infrastructure TestLatencyChat: ")

	upAgain := b.clone(t)
	var asked sync.Mutex
	requests := 0
	upAgain.before(func(w http.ResponseWriter, _ *http.Request) bool {
		asked.Lock()
		defer asked.Unlock()
		requests++
		if requests == 1 {
			refuseS3(w, http.StatusServiceUnavailable, "SlowDown")
		}
		return requests == 1
	})
	got, build = run(upAgain)
	require.Equal(t, report.ExitInfrastructure, got.code, got.out+got.err)
	assert.Contains(t, reasons(build), "the server of its store did not answer the test")
	assert.NotContains(t, reasons(build), "not by a gate")

	got, build = run(b)
	require.Equal(t, report.ExitPass, got.code, got.out+got.err)
	require.Len(t, build.Rows, 1, reasons(build))
}

// Two jobs accept at once: who loses the race adds its run to the other's.
func testS3Race(t *testing.T, s *scratch) {
	b := newBucket(t)
	repo := s.ofBucket(t, b)
	commands := make([]said, 2)
	dirs := make([]string, len(commands))
	for i := range dirs {
		dirs[i] = repo.measured(t, b.environment("LATGATE_SEED=20"+string(rune('0'+i)))...)
	}
	met := make(chan struct{})
	var writers sync.Mutex
	n := 0
	b.before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/baselines/TestLatencyChat/all@") {
			writers.Lock()
			if n++; n == len(commands) {
				close(met)
			}
			writers.Unlock()
			<-met // both have read the pointer by then
		}
		return false
	})
	var accepting sync.WaitGroup
	for i, dir := range dirs {
		accepting.Go(func() {
			commands[i] = repo.latgate(t, b.environment(), "accept", "--reason", "racer", "--dir", dir)
		})
	}
	accepting.Wait()
	for _, got := range commands {
		require.Equal(t, 0, got.code, got.err)
	}
	b.mu.Lock()
	assert.Positive(t, b.lost, "there was no race")
	b.mu.Unlock()
	got := repo.latgate(t, b.environment(), "baseline", "list", "--runs")
	require.Equal(t, 0, got.code, got.err)
	for _, accepted := range commands {
		assert.Contains(t, got.out, strings.TrimSpace(accepted.out))
	}
	assert.Equal(t, 2, strings.Count(got.out, "racer"))
	assert.Equal(t, 3, strings.Count(got.out, "  day 10"))
}

// The store of latgate.yaml, of LATGATE_STORE and of --store is listed, verified, pinned
// and pruned.
func testS3Commands(t *testing.T, s *scratch) {
	b := newBucket(t)
	repo := s.ofBucket(t, b)
	env := b.environment()
	got := repo.latgate(t, env, "baseline", "list")
	require.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `TestLatencyChat +all +[0-9a-f]{8} +m +3 .* – +60 +\d\d\d ms`, got.out)
	got = repo.latgate(t, env, "baseline", "list", "--runs")
	runs := regexp.MustCompile(`s3://acme-latency/app/(runs/\S+\.bench)`).FindAllStringSubmatch(got.out, -1)
	require.Len(t, runs, 3, got.out)

	got = repo.latgate(t, env, "baseline", "show", runs[0][0])
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "day 10")
	elsewhere := []string{"show", "--store", b.address(), runs[0][1]}
	assert.Equal(t, got, s.latgate(t, env, append([]string{"baseline"}, elsewhere...)...))
	got = s.latgate(t, append(env, "LATGATE_STORE="+b.address()), "baseline", "pin", runs[0][1])
	assert.Equal(t, said{0, runs[0][0] + "\n", ""}, got)
	got = repo.latgate(t, env, "baseline", "list", "--runs")
	assert.Regexp(t, `pinned +60 .*`+regexp.QuoteMeta(runs[0][1]), got.out)
	dir := repo.measured(t, b.environment("LATGATE_SEED=7")...)
	got = repo.latgate(t, env, "gate", "--dir", dir)
	require.Equal(t, 0, got.code, got.out+got.err)
	assert.Contains(t, reasons(readVerdict(t, dir)), "against the run pinned on ")

	got = repo.latgate(t, env, "baseline", "prune", "--keep", "2", "--dry-run")
	assert.Equal(t, said{0, runs[0][0] + "\n1 would no longer be compared with\n", ""}, got)
	got = s.latgate(t, env, "baseline", "prune", "--keep", "2", b.address())
	assert.Equal(t, said{0, runs[0][0] + "\n1 are no longer compared with; they can still be read\n", ""}, got)
	got = repo.latgate(t, env, "baseline", "verify")
	assert.Equal(t, said{0, "3 stored runs are as they were stored\n", ""}, got)
	got = s.latgate(t, env, "history", b.address())
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "TestLatencyChat")

	object := b.edit(t, regexp.QuoteMeta(runs[0][1]), func(data []byte) []byte { return append(data, '\n') })
	for _, args := range [][]string{{"verify"}, {"list"}, {"show", runs[0][0]}, {"pin", runs[0][0]}} {
		got = repo.latgate(t, env, append([]string{"baseline"}, args...)...)
		assert.Equal(t, report.ExitTampered, got.code, "%q: %s%s", args, got.out, got.err)
		assert.Contains(t, got.out+got.err, object, args)
	}
	b.Close()
	for _, args := range [][]string{{"verify"}, {"list"}, {"show", runs[0][0]}, {"pin", runs[0][0]}, {"prune"}} {
		got = repo.latgate(t, env, append([]string{"baseline"}, args...)...)
		assert.Equal(t, report.ExitInfrastructure, got.code, "%q: %s%s", args, got.out, got.err)
		assert.Contains(t, got.err, "no answer", args)
	}
	got = repo.latgate(t, env, "accept", "--reason", "x", "--dir", dir)
	assert.Equal(t, report.ExitInfrastructure, got.code, got.err)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"list", "s3://acme-latency/app?path_style=true"}, `there is no setting "path_style": there are anonymous, endpoint, region, use_path_style`},
		{[]string{"list", "gs://acme-latency/app"}, "the address of a store is s3://bucket/prefix"},
		{[]string{"list", ".", "--store", "x"}, `--store and ".": name one store`},
		{[]string{"list", "http://127.0.0.1:1/app"}, "a mirror cannot be listed"},
		{[]string{"prune", "http://127.0.0.1:1/app"}, "a mirror is only read"},
		{[]string{"show", "s3://acme-latency/app"}, "the address of a run is that of its store and runs/"},
		{[]string{"pin", "--store", "s3://acme-latency/other", runs[0][0]}, "--store names another"},
	} {
		got = repo.latgate(t, env, append([]string{"baseline"}, c.args...)...)
		assert.Equal(t, report.ExitUsage, got.code, "%q: %s", c.args, got.err)
		assert.Contains(t, got.err, c.want)
	}
	repo.write(t, "latgate.yaml", "store: gs://acme-latency/app\n")
	got = repo.latgate(t, env, "baseline", "list")
	assert.Equal(t, report.ExitUsage, got.code)
	assert.Contains(t, got.err, "latgate.yaml:1: store: want a directory, s3://bucket/prefix, or https://host/path for a mirror")
}
