package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/latgate/latgate/internal/strictyaml"
)

func read(t *testing.T, text string) (map[string]int, error) {
	t.Helper()
	r := strictyaml.Reader{Name: "a.yaml"}
	document, err := r.Document([]byte(text))
	if err != nil || document == nil {
		return nil, err
	}
	keep := func(string, *yaml.Node) {}
	lines := r.Mapping(document, "", strictyaml.Keys{
		"one": keep,
		"two": func(field string, n *yaml.Node) { r.Mapping(n, field, strictyaml.Keys{"three": keep}) },
	})
	return lines, r.Err()
}

func TestReader(t *testing.T) {
	t.Parallel()
	lines, err := read(t, "# comment\none: 1\n\ntwo:\n  three: 3\n")
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"one": 2, "two": 4}, lines)
	for _, empty := range []string{"", "# nothing\n", "---\n", "null\n"} {
		lines, err := read(t, empty)
		require.NoError(t, err, empty)
		assert.Nil(t, lines)
	}
}

// All that is wrong is told at once.
func TestWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"one: 1\none: 2\nfour: 4\ntwo: {five: 5}\n": "a.yaml:2: one: given on line 1 already\n" +
			"a.yaml:3: four: unknown key; there are one, two\n" +
			"a.yaml:4: two.five: unknown key; there are three",
		"- one\n":                       "a.yaml:1: want keys and values: one, two",
		"two: text\n":                   "a.yaml:1: two: want keys and values: three",
		"two: &a {three: 3}\none: *a\n": "a.yaml:2: one: write it out, there are no aliases here",
		"one: 1\n---\ntwo: 2\n":         "a.yaml: more than one document",
		"one: [\n":                      "a.yaml:",
		"::error::x: 1\n":               "unknown key; there are one, two",
		strings.Repeat("#", 1<<20+1):    "a.yaml: more than 1 MiB",
	} {
		_, err := read(t, text)
		require.Error(t, err, "%.40q", text)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "::error")
	}
}

func ExampleReader() {
	r := strictyaml.Reader{Name: "settings.yaml"}
	document, err := r.Document([]byte("colour: blue\nsize: large\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Mapping(document, "", strictyaml.Keys{
		"size": func(field string, n *yaml.Node) { r.Wrong(n, "%s: want a number", field) },
	})
	fmt.Println(r.Err())
	// Output:
	// settings.yaml:1: colour: unknown key; there are size
	// settings.yaml:2: size: want a number
}
