package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProofsAreThere keeps the last section of docs/ci.md in step: each test that it
// names is in a package of its command, which its pattern matches.
func TestProofsAreThere(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/ci.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(data), "\n## How this is proven\n")
	require.True(t, found)
	names := regexp.MustCompile("`(Test\\w+)(?:/(\\w+))?`")
	command := regexp.MustCompile("`go test ((?:\\./[\\w/]+ )+)-run '?([^' `]+)'?(?: -v)?` \\|")
	rows := 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what ") || strings.Contains(line, "actionlint") {
			continue
		}
		rows++
		called := command.FindStringSubmatch(line)
		require.NotNil(t, called, line)
		pattern, err := regexp.Compile(strings.ReplaceAll(called[2], `\|`, "|"))
		require.NoError(t, err)
		source := ""
		for dir := range strings.FieldsSeq(called[1]) {
			files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
			require.NoError(t, err)
			require.NotEmpty(t, files, dir)
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				source += string(data)
			}
		}
		tests := names.FindAllStringSubmatch(line, -1)
		require.NotEmpty(t, tests, line)
		for _, test := range tests {
			assert.Contains(t, source, "\nfunc "+test[1]+"(t *testing.T) {", line)
			assert.Contains(t, source, test[2])
			assert.Regexp(t, pattern, strings.Trim(test[0], "`"), line)
		}
	}
	assert.Greater(t, rows, 20)
}
