package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
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
	tried := 0
	var try func(cmd *cobra.Command)
	try = func(cmd *cobra.Command) {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		examples := exampleLines(cmd)
		assert.True(t, len(examples) > 0 || cmd.HasParent() && cmd.Parent().HasParent(), cmd.Name())
		for _, line := range examples {
			words := shellWords(line)
			if end := slices.IndexFunc(words, func(word string) bool { return slices.Contains([]string{"&&", ">>", ">"}, word) }); end >= 0 {
				words = words[:end]
			}
			require.Equal(t, "latgate", words[0], line)
			of, rest, err := h.root().Find(words[1:])
			require.NoError(t, err, line)
			if of.Name() == "profile" && !slices.Contains(rest, "--config") {
				got := prepare(t, h, rest)
				assert.NotNil(t, got.target, line)
				continue
			}
			require.NoError(t, of.ParseFlags(rest), line)
			require.NoError(t, of.ValidateArgs(of.Flags().Args()), line)
			tried++
		}
		for _, sub := range cmd.Commands() {
			try(sub)
		}
	}
	for _, cmd := range h.root().Commands() {
		try(cmd)
	}
	assert.Greater(t, tried, 50)
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
