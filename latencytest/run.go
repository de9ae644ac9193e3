package latencytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/latgate/latgate/providers"
)

// Run carries out the plan against a target and returns the result, which is
// also printed as a table. What keeps the run from being meaningful fails the
// test at once; requests that failed are left to the gates.
//
// Run works inside a synctest bubble, where it takes no real time.
func Run(tb testing.TB, target providers.Target, plan Plan) *Result {
	tb.Helper()
	return report(tb, plan, sending(target))
}

// RunFunc is Run for a team's own code: f makes its requests with rec.Client()
// under the context it is given, and one call of f is one sample.
func RunFunc(tb testing.TB, rec *Recorder, plan Plan, f func(context.Context, providers.Prompt) error) *Result {
	tb.Helper()
	return report(tb, plan, rec.operation(f))
}

// Prompts reads a prompt set, one JSON object a line in the format of
// [providers.Prompt], and fails the test with file, line and field of every line
// that is wrong.
func Prompts(tb testing.TB, path string) []providers.Prompt {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	defer file.Close()
	prompts, err := providers.ReadPrompts(file, path)
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	return prompts
}

func report(tb testing.TB, plan Plan, op operation) *Result {
	tb.Helper()
	if err := Uncached(); err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	if plan.SampleFile == "" {
		plan.SampleFile = filepath.Join(Dir, FileName(tb.Name()), sampleFileName(plan.Name))
	}
	for _, file := range unfinished(plan.SampleFile) {
		tb.Logf("[latgate] %s holds the samples of a run that was killed or still goes on; latencytest.Load reads it", file)
	}
	res, err := job{plan: plan, op: op, test: tb.Name()}.measure(tb.Context())
	if res != nil {
		tb.Logf("[latgate] %s", res)
	}
	if err != nil {
		tb.Fatalf("[latgate] %v", err)
	}
	return res
}

// Dir is where a package's baselines, recordings and latest samples live.
const Dir = "testdata/latgate"

func sampleFileName(plan string) string {
	if plan == "" {
		return "latest.samples.jsonl"
	}
	return FileName(plan) + ".latest.samples.jsonl"
}

// ignoreSampleFiles keeps samples out of the user's repository: baselines are
// reviewed and committed, the latest run is neither.
func ignoreSampleFiles() error {
	path := filepath.Join(Dir, ".gitignore")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("*.samples.jsonl\n*.partial\nuncached\n"), 0o644)
}

// Uncached makes it impossible for go test to reuse the running test's result. A
// test that read a file inside the module is not cached while that file is younger
// than two seconds when the test binary ends, which a date in the future ensures
// however long the other tests of the package take. [Run], [RunFunc] and every
// check of package assertions call it; in a program that is no test it does nothing.
func Uncached() error {
	if !testing.Testing() {
		return nil
	}
	if err := ignoreSampleFiles(); err != nil {
		return err
	}
	path := filepath.Join(Dir, "uncached")
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err == nil {
		future := Now().Add(24 * time.Hour)
		err = errors.Join(file.Close(), os.Chtimes(path, future, future))
	}
	if err != nil {
		return fmt.Errorf("go test might reuse this result later: %w", err)
	}
	return nil
}

var (
	unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9._,=+@-]+`)
	reservedName  = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// FileName turns a test's or scenario's name into a file name that every
// operating system takes. Where letters or the end of the name are lost, a digest
// of it keeps the file apart from those of similar names.
func FileName(name string) string {
	safe := strings.Trim(unsafeInNames.ReplaceAllString(name, "_"), ".")
	if safe == "" || reservedName.MatchString(safe) {
		safe = "_" + safe
	}
	if len(safe) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		sum := sha256.Sum256([]byte(name))
		safe = safe[:min(len(safe), 91)] + "-" + hex.EncodeToString(sum[:4])
	}
	return safe
}
