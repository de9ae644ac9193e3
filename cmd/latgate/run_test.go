package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run is what main calls.
func TestRun(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	assert.Equal(t, exitOK, run(t.Context(), []string{"version"}, strings.NewReader(""), &out, &errs))
	assert.Regexp(t, `^latgate \S+ \(.*go1\.\d+`, out.String())
	assert.Equal(t, exitUsage, run(t.Context(), []string{"profile"}, strings.NewReader(""), &out, &errs))
	assert.Contains(t, errs.String(), "latgate: --provider: say which")
	out.Reset()
	assert.Equal(t, exitOK, run(t.Context(), nil, strings.NewReader(""), &out, &errs), "no arguments are not the test's")
	assert.Contains(t, out.String(), "Available Commands:")

	_, _, is := terminalSize(&out)
	assert.False(t, is)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	_, _, is = terminalSize(file)
	assert.False(t, is)
}

func TestVersionText(t *testing.T) {
	t.Parallel()
	here := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.0"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "4f1c2ab"}, {Key: "vcs.time", Value: "2026-11-20T03:17:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	assert.Equal(t, "latgate v1.2.0 (4f1c2ab with changes, 2026-11-20T03:17:05Z, "+here, versionText(info))
	assert.Equal(t, "latgate of unknown origin ("+here, versionText(nil))
}

// Every example in the help is one that works, as far as it can be told without
// sending anything.
func TestExamples(t *testing.T) { // not parallel: it changes the working directory
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("support.jsonl", []byte(`{"text_prompt": "a"}`), 0o644))
	require.NoError(t, os.WriteFile("prices.json", []byte(`{"m": {"input_cost_per_token": 0, "output_cost_per_token": 0}}`), 0o644))
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	h := newHarness(keys)
	for _, cmd := range h.root().Commands() {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		examples := exampleLines(cmd)
		assert.NotEmpty(t, examples, cmd.Name())
		for _, line := range examples {
			words := shellWords(line)
			require.Equal(t, []string{"latgate", cmd.Name()}, words[:2], line)
			if cmd.Name() == "profile" {
				got := prepare(t, h, words[2:])
				assert.NotNil(t, got.target, line)
				continue
			}
			require.NoError(t, cmd.ParseFlags(words[2:]), line)
			require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), line)
		}
	}
}

func exampleLines(cmd *cobra.Command) []string {
	var lines []string
	for line := range strings.Lines(cmd.Example) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// shellWords splits a line as a shell does, as far as quotes go.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quote := rune(0)
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && r == ' ':
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return words
}

func TestShellWords(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"a", `b="low"`, "c d"}, shellWords(`a b='"low"' "c d"`))
}
