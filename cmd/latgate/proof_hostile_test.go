package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

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
	"github.com/latgate/latgate/report/reporttest"
)

// A loggedT keeps what a test says, and fails for no gate.
type loggedT struct {
	testing.TB
	log *strings.Builder
}

func (l loggedT) Errorf(format string, args ...any) { l.Logf(format, args...) }
func (l loggedT) Logf(format string, args ...any)   { fmt.Fprintf(l.log, format+"\n", args...) }

// refusing answers each 25th request with an attack.
func refusing(next http.Handler) http.Handler {
	attacks := slices.Sorted(maps.Values(reporttest.Attacks))
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1))
		if i%25 != 0 {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := json.Marshal(map[string]any{"error": map[string]any{"type": "EVIL", "message": attacks[i/25%len(attacks)]}}) // texts
		refuse(http.StatusBadRequest, string(body)).ServeHTTP(w, r)
	})
}

// TestHostileNames measures models whose names, which name the scenarios as well, are
// attacks, at an endpoint that also fails with them, and has every command print them that prints names: of baselines, of samples
// and of a verdict in every format.
func TestHostileNames(t *testing.T) { // not parallel: it changes the working directory
	if testing.Short() {
		t.Skip("SKIPPED: with -short no command is shown hostile names")
	}
	root := t.TempDir()
	t.Chdir(root)
	require.NoError(t, os.WriteFile("go.mod", []byte("module example.com/app\n"), 0o644))
	var prompts []providers.Prompt
	for _, attack := range reporttest.Attacks {
		name := strings.Map(func(r rune) rune {
			if unmeasurable(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(attack[:min(len(attack), 200)], ""))
		prompts = append(prompts, providers.Prompt{Text: "Hello", Model: strings.TrimSpace(name)})
	}
	log := new(strings.Builder)
	measure := func(seed uint64, slower float64, samples string) {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(refusing(fakes.OpenAI(fakes.Script{
				Seed: seed, OutputTokens: 8, Gap: fakes.Constant(10 * time.Millisecond), TTFT: fakes.Scale(fakes.Lognormal(400*time.Millisecond, .2), slower),
			})))
			defer network.Close()
			target := openai.Chat("m", endpoint.Options{BaseURL: "http://model.test/v1", Key: "k", Client: network.Client()})
			res := latencytest.Run(loggedT{t, log}, target, latencytest.Plan{
				Prompts: prompts, Requests: 40, Warmup: 1, Load: latencytest.Closed(4), Seed: seed, SampleFile: samples,
			})
			assertions.Check(loggedT{t, log}, res, baseline.Dir("store"),
				assertions.NoRegression(latencytest.TTFT, latencytest.P90), assertions.SingleSession(), assertions.ErrorRate(.5))
		})
	}
	called := func(code int, args ...string) string {
		t.Helper()
		h := newHarness(nil)
		assert.Equal(t, code, h.program.run(t.Context(), args), "%q: %s", args, h.err.String())
		inert(t, strings.Join(args, " "), h.out.String()+h.err.String())
		assert.NotEmpty(t, h.out.String(), "%q", args)
		return h.out.String()
	}
	t.Setenv("CI", "true")
	for day := range 3 {
		file := filepath.Join(root, "days", string(rune('a'+day)), "latest.samples.jsonl")
		measure(uint64(day+1), 1, file)
		called(0, "accept", "--reason", "another day", "--store", "store", file)
	}
	out := filepath.Join(root, "out")
	measure(9, 1.6, filepath.Join(out, "latest.samples.jsonl"))
	inert(t, "the test's own log", log.String())
	assert.Contains(t, log.String(), "http_4xx")
	samples := filepath.Join(out, "latest.samples.jsonl")

	called(0, "show", "--percentiles", samples)
	called(0, "verify", "store")
	listed := called(0, "baseline", "list", "store")
	assert.Contains(t, listed, reporttest.Canary, "names are told, as text")
	runs, err := filepath.Glob("store/*/*/*.bench")
	require.NoError(t, err)
	require.Len(t, runs, 3*len(prompts))
	for i := 0; i < len(runs); i += 3 { // one of each
		called(0, "baseline", "show", runs[i])
	}
	called(0, "baseline", "prune", "--dry-run", "--keep", "1", "store")
	called(0, "history", "store")
	called(report.ExitRegression, "compare", filepath.Join(root, "days", "a"), out)
	called(report.ExitRegression, "compare", "store", out)

	m := gate.Manifest{Run: "1", Attempt: 1, Shards: 1, Mode: report.Stored, Tests: []gate.Ran{{Package: "example.com/app", Dir: ".", Test: t.Name(), Outcome: gate.Passed}}}
	require.NoError(t, m.Write(out))
	called(report.ExitRegression, "gate", "--dir", out, "--formats", "json,md,junit,gitlab,github,text", "--annotate", "github", "--summary", filepath.Join(out, "summary.md"))
	for _, name := range []string{"report.md", "summary.md", "junit.xml", "metrics.txt", "codequality.json", "annotations.txt", "report.txt"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		inert(t, name, string(data))
	}
	data, err := os.ReadFile(filepath.Join(out, "junit.xml"))
	require.NoError(t, err)
	decoder := xml.NewDecoder(strings.NewReader(string(data)))
	for err == nil {
		_, err = decoder.Token()
	}
	assert.True(t, errors.Is(err, io.EOF), err)
	called(0, "report", "--verdict", filepath.Join(out, "verdict.json"), "--annotate", "github")
}

// unmeasurable reports whether a plan with the rune in a model's name is refused.
func unmeasurable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// inert checks that a text has no command for who reads logs, and moves no cursor.
func inert(t *testing.T, name, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "::error ") || strings.HasPrefix(line, "::warning ") { // our own
			line = line[strings.Index(line[2:], "::")+4:]
		}
		for _, command := range []string{"::", "##[", "##vso"} {
			assert.NotContains(t, line, command, name)
		}
		for _, r := range strings.TrimSuffix(line, "\n") {
			if unmeasurable(r) {
				t.Errorf("%s: %U in %.200q", name, r, line)
				break
			}
		}
	}
}
