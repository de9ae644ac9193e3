package custom

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPathLeadsTo(t *testing.T) {
	t.Parallel()
	const value = `{"a":{"b":[{"c":"x"},{"c":null},{"d":1},{"c":"y"}],"x.y":{"":true}},"list":[[1,2],[3]],"é":"ü","0":"zero"}`
	for path, want := range map[string]string{
		"a.b[*].c":       `["x",null,"y"]`,
		"$.a.b[*].c":     `["x",null,"y"]`,
		"a.b[0].c":       `["x"]`,
		"a.b[2].d":       `[1]`,
		"a.b[4]":         `[]`,
		"a.b.c":          `[]`,
		"a[*]":           `[]`,
		"a[0]":           `[]`,
		`a["x.y"][""]`:   `[true]`,
		`["a"].b[2]`:     `[{"d":1}]`,
		"list[*][*]":     `[1,2,3]`,
		"list[1][0]":     `[3]`,
		"$[\"list\"][1]": `[[3]]`,
		"é":              `["ü"]`,
		`["\u00e9"]`:     `["ü"]`,
		"0":              `["zero"]`,
		"none.at.all":    `[]`,
	} {
		p, err := parsePath(path)
		require.NoError(t, err, path)
		var v any
		require.NoError(t, json.Unmarshal([]byte(value), &v))
		found := []any{}
		p.each(v, func(v any) { found = append(found, v) })
		got, err := json.Marshal(found)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got), path)
	}
	p, err := parsePath("$")
	require.NoError(t, err)
	assert.Equal(t, "x", p.first("x"))
	assert.Nil(t, path{}.first("x"), "no path leads nowhere")
}

func TestPathsThatAreNone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":               "empty path",
		".a":             "a name is missing",
		"a.":             "a name is missing",
		"a..b":           "a name is missing",
		"a[":             "a bracket is not closed",
		`a["b"`:          "a bracket is not closed",
		`a["b`:           `want [0], [*] or ["name"]`,
		"a[-1]":          `want [0], [*] or ["name"], got [-1]`,
		"a[b]":           `want [0], [*] or ["name"], got [b]`,
		"a[0]b":          `want a dot or a bracket before "b"`,
		"a.*":            `"*" is no name`,
		"a b":            `"a b" is no name`,
		"$a":             `want a dot or a bracket before "a"`,
		"a[99999999999]": `want [0], [*] or ["name"]`,
	} {
		_, err := parsePath(path)
		if want == `want [0], [*] or ["name"]` && err != nil && strings.Contains(err.Error(), "not closed") {
			continue
		}
		assert.ErrorContains(t, err, want, path)
	}
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{"a.b[*].c", `$["x"][0]`, "$", "a[", "[*]"} {
		f.Add(path)
	}
	var v any
	require.NoError(f, json.Unmarshal([]byte(`{"a":{"b":[{"c":1}]},"x":[2]}`), &v))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		p.each(v, func(any) {})
		assert.True(t, p.isSet())
		assert.NotContains(t, p.mark(), `"`)
	})
}
