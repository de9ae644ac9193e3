package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/report"
)

// Baselines are verified, added to, shown, pinned and pruned.
func testStored(t *testing.T, s *scratch) {
	repo := s.clone(t)
	store := filepath.Join(repo.dir, "chat/testdata/latgate")

	got := repo.latgate(t, nil, "verify")
	assert.Equal(t, said{0, "6 stored runs are as they were stored\n", ""}, got)
	got = repo.latgate(t, nil, "verify", "plain")
	assert.Equal(t, report.ExitMissing, got.code)

	got = repo.latgate(t, nil, "accept", "--reason", reason)
	assert.Equal(t, report.ExitUsage, got.code)
	assert.Contains(t, got.err, "there are no results to accept")
	results := repo.results(t, slower)
	got = repo.latgate(t, []string{"CI=true"}, "accept", "--reason", reason, "--dir", results)
	assert.Equal(t, report.ExitUsage, got.code)
	assert.Contains(t, got.err, "not updated in CI")
	got = repo.latgate(t, nil, "accept", "--reason", reason, "--dir", results, "--test", "Chat")
	require.Equal(t, 0, got.code, got.err)
	added := strings.TrimSpace(got.out)
	assert.Equal(t, filepath.Join(store, "TestLatencyChat"), filepath.Dir(filepath.Dir(added)))
	got = repo.latgate(t, nil, "accept", "--reason", reason, "--store", store, filepath.Join(results, "chat/TestLatencyTools/latest.samples.jsonl"))
	require.Equal(t, 0, got.code, got.err)
	got = repo.latgate(t, nil, "verify", store)
	assert.Equal(t, "8 stored runs are as they were stored\n", got.out)

	got = repo.latgate(t, nil, "baseline", "list", "chat")
	require.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `TestLatencyChat +all +[0-9a-f]{8} +m +4 .* – +60 +6\d\d ms`, got.out)
	got = repo.latgate(t, nil, "baseline", "show", added)
	require.Equal(t, 0, got.code, got.err)
	assert.Regexp(t, `(?s)reason +`+reason+`.*requests +60, of which 0 failed.*model +m.*ttft +P50 6\d\d ms, P90 \d+ ms, n 60`, got.out)
	got = repo.latgate(t, nil, "baseline", "pin", added)
	require.Equal(t, 0, got.code, got.err)
	assert.Equal(t, filepath.Join(filepath.Dir(added), "pinned.bench")+"\n", got.out)
	assert.FileExists(t, strings.TrimSpace(got.out))
	got = repo.latgate(t, nil, "baseline", "prune", "--keep", "2", "--dry-run", "chat")
	assert.Contains(t, got.out, "4 would be deleted")
	got = repo.latgate(t, nil, "baseline", "prune", "--keep", "2", "chat")
	assert.Contains(t, got.out, "4 deleted")
	got = repo.latgate(t, nil, "verify")
	assert.Equal(t, "5 stored runs are as they were stored\n", got.out, "the pinned one stays")

	left, err := filepath.Glob(filepath.Join(filepath.Dir(added), "2*.bench"))
	require.NoError(t, err)
	require.Len(t, left, 2)
	added = left[0]
	moved := filepath.Join(store, "TestLatencyChat", "all@00000000")
	require.NoError(t, os.Mkdir(moved, 0o755))
	require.NoError(t, os.Rename(added, filepath.Join(moved, filepath.Base(added))))
	require.NoError(t, os.WriteFile(filepath.Join(moved, "2020-01-01T000000Z.bench"), []byte("::error::\n"), 0o644))
	got = repo.latgate(t, nil, "verify")
	assert.Equal(t, report.ExitTampered, got.code)
	assert.Contains(t, got.out, "it was moved, or renamed")
	assert.Contains(t, got.out, "not a baseline of latgate")
	assert.Contains(t, got.err, "2 of what is stored is not as it was stored; 4 runs are")
	got = repo.latgate(t, nil, "baseline", "pin", filepath.Join(moved, filepath.Base(added)))
	assert.Equal(t, report.ExitUsage, got.code)

	other := s.clone(t)
	baselines := filepath.Join(other.dir, "chat/testdata/latgate")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"results with baselines": {[]string{baselines, results}, report.ExitRegression, "TestLatencyChat/all: P90 ttft"},
		"one scenario each":      {[]string{filepath.Join(baselines, "TestLatencyTools"), filepath.Join(results, "chat/TestLatencyChat")}, report.ExitRegression, `note: TestLatencyChat/all: test "TestLatencyTools" against "TestLatencyChat"`},
		"with itself":            {[]string{results, results, "--metric", "ttft"}, 0, "pass"},
		"the other way":          {[]string{results, baselines, "--metric", "ttft", "--quantile", "p90"}, 0, "improved"},
		"nothing":                {[]string{filepath.Join(other.dir, "plain"), results}, report.ExitUsage, ""},
		"no file":                {[]string{"nowhere", results}, report.ExitUsage, ""},
		"one more":               {[]string{filepath.Join(baselines, "TestLatencyTools"), results, "--metric", "ttft"}, report.ExitRegression, "TestLatencyChat/all: P90 ttft: missing: BASE does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.latgate(t, nil, append([]string{"compare"}, c.args...)...)
			assert.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
			assert.Contains(t, got.out, c.want)
		})
	}
}

// Each protocol's fake answers a profile of the command's own.
func TestServe(t *testing.T) {
	t.Parallel()
	for _, fake := range fakeProtocols {
		t.Run(fake.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(nil)
			out := new(lockedBuffer)
			h.stdout = out
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan int)
			go func() {
				ended <- h.program.run(ctx, strings.Fields("serve --listen 127.0.0.1:0 --ttft 1ms --gap 0s --tokens 8 --protocol "+fake.name))
			}()
			listening := regexp.MustCompile(`http://127\.0\.0\.1:\d+\S*`)
			require.Eventually(t, func() bool { return listening.Match(out.bytes()) }, time.Minute, time.Millisecond)
			address := string(listening.Find(out.bytes()))
			client := newHarness(map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"})
			model := " --model m"
			if fake.provider == "tgi" {
				model = ""
			}
			if fake.provider == "bedrock" || fake.provider == "sagemaker" {
				model += " --region us-east-1"
			}
			code := client.call(t, "profile --provider "+fake.provider+model+" --prompt Hello -n 3 --quiet --base-url "+address)
			assert.Equal(t, 0, code, client.err.String())
			assert.Contains(t, client.out.String(), "3/3 ok")
			stop()
			assert.Equal(t, 0, <-ended)
			_, err := http.Get(address)
			require.Error(t, err)
		})
	}
}

func TestServeIsCalledWrongly(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"serve --protocol telepathy":                    `--protocol: want one of openai, anthropic`,
		"serve --listen 0.0.0.0:80":                     "--listen: want a loopback address",
		"serve --listen 8080":                           "--listen: address 8080: missing port",
		"serve --fault telepathy=1":                     "--fault: want one of throttle",
		"serve --fault throttle=2":                      "--fault: want one of throttle",
		"serve --ttft -1s":                              "--ttft, --gap: want 0 or more",
		"serve --slowdown 0":                            "--slowdown: want more than 0",
		"serve --tokens 0":                              "--tokens, --tokens-per-chunk: want 1 or more",
		"serve --ttft-spread -1":                        "--ttft-spread, --gap-spread, --session: want 0 or more",
		"compare one":                                   "accepts 2 arg(s), received 1",
		"compare a b --alpha 2":                         "--alpha: want a percentage",
		"merge --out x y":                               `required flag(s) "expect" not set`,
		"merge --expect many --out x y":                 "--expect: want modes and how many shards they have",
		"gate --mode live":                              `--mode: want replay or stored or ab or track, got "live"`,
		"accept":                                        `required flag(s) "reason" not set`,
		"accept --reason x --test (":                    "--test: error parsing regexp",
		"baseline prune --keep 0":                       "--keep: want more than 0",
		"run --formats xml -- ./...":                    "--formats: want json",
		"run --max-usd 0 -- ./...":                      "--max-usd: want more than 0",
		"gate --dir " + os.TempDir() + "/none --base x": "there is no build to judge",
	} {
		h := newHarness(nil)
		h.stdout = io.Discard
		assert.Equal(t, exitUsage, h.call(t, line), line)
		assert.Contains(t, h.err.String(), want, line)
	}
}
