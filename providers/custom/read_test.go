package custom_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/custom"
)

const least = `name: least
url: https://least.test/chat
body: {text: "{prompt}"}
framing: ndjson
paths:
  text: t
done: END
`

func TestReadSaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, replace, with, want string }{
		{"unknown key", "done: END", "done: END\ntext: t", "e.yaml:8: text: unknown key; there are api, body, done, ends_with_body,"},
		{"unknown key below", "  text: t", "  text: t\n  txet: t", "e.yaml:7: paths.txet: unknown key; there are error, finish, model,"},
		{"twice", "done: END", "done: END\nname: again", "e.yaml:8: name: given on line 1 already"},
		{"no name", "name: least", "api: chat", "e.yaml:1: name: is missing"},
		{"bad name", "name: least", "name: my server", `e.yaml:1: name: want letters, digits, dots, hyphens and underscores, got "my server"`},
		{"no url", "url: https://least.test/chat", "api: chat", "e.yaml:1: url: is missing"},
		{"no scheme", "https://least.test/chat", "least.test/chat", "e.yaml:2: url: want a URL that begins with https:// or http://"},
		{"no host", "https://least.test/chat", "https:///chat", "e.yaml:2: url: a URL without a host"},
		{"not a URL", "https://least.test/chat", `"https://least.test:x/chat"`, "e.yaml:2: url: not a URL"},
		{"model in the host", "https://least.test/chat", `"https://{model}.least.test"`, "e.yaml:2: url: {model} can be in the path and the query, not in the host"},
		{"model missing", `text: "{prompt}"`, `text: "{prompt}", model: "{model}"`, "e.yaml:1: model: is missing, and {model} is used"},
		{"no environment variable", "least.test", "${LATGATE_NO_SUCH_HOST}", "e.yaml:2: url: the environment variable LATGATE_NO_SUCH_HOST is not set"},
		{"no environment variable for a header", "done: END", "headers:\n  X-Key: k ${LATGATE_NO_SUCH_KEY}\ndone: END", "e.yaml:8: headers.X-Key: the environment variable LATGATE_NO_SUCH_KEY is not set"},
		{"bad header", "done: END", "headers: {X Key: a}\ndone: END", "e.yaml:7: headers.X Key: cannot be the name and the value of a header"},
		{"method", "done: END", "method: GET\ndone: END", "e.yaml:7: method: want POST, PUT, got GET"},
		{"framing", "framing: ndjson", "framing: grpc", "e.yaml:4: framing: want sse, ndjson, json, got grpc"},
		{"no framing", "framing: ndjson", "api: chat", "e.yaml:1: framing: is missing"},
		{"no body", `body: {text: "{prompt}"}`, "api: chat", "e.yaml:1: body: is missing"},
		{"text for a body", `{text: "{prompt}"}`, "Hello", "e.yaml:3: body: want a mapping or a list, got Hello"},
		{"no prompt", "{prompt}", "Hello", "e.yaml:3: body: has no {prompt}"},
		{"unknown placeholder", "{prompt}", "{prompt} {promt}", "e.yaml:3: body.text: there is no placeholder {promt}, only {prompt}, {context}, {system}, {model}, {max_tokens}; write {{promt}}"},
		{"not JSON", `text: "{prompt}"`, `text: "{prompt}", n: .inf`, "e.yaml:3: body.n: .inf cannot be written in JSON"},
		{"name twice in the body", `text: "{prompt}"`, `text: "{prompt}", text: a`, "e.yaml:3: body: want names that are texts, each of them once"},
		{"no text", "  text: t", "  finish: f", "e.yaml:1: paths.text: is missing"},
		{"bad path", "  text: t", "  text: choices[*.t", `e.yaml:6: paths.text: bad path "choices[*.t": a bracket is not closed`},
		{"one bad path of several", "  text: t", "  text: [t, a..b]", `e.yaml:6: paths.text: bad path "a..b": a name is missing`},
		{"empty list", "  text: t", "  text: []", "e.yaml:6: paths.text: an empty list"},
		{"mapping for a path", "  text: t", "  text: {a: b}", "e.yaml:6: paths.text: want a text, got a mapping"},
		{"null for a path", "  text: t", "  text:", "e.yaml:6: paths.text: want a text, got nothing"},
		{"paths as a text", "paths:\n  text: t", "paths: t", "e.yaml:5: paths: want a mapping, got t"},
		{"no end", "done: END", "api: chat", "e.yaml:1: want paths.finish, done or ends_with_body"},
		{"two ends", "done: END", "done: END\nends_with_body: true", "e.yaml:1: done: a reply ends either with it or with the body"},
		{"end of one value", "framing: ndjson", "framing: json", "e.yaml:1: framing: a reply that is one JSON value needs neither"},
		{"finish without a path", "done: END", "done: END\nfinish_equals: stop", "e.yaml:1: finish_equals: needs paths.finish"},
		{"not a flag", "done: END", "done: END\nends_with_body: maybe", "e.yaml:8: ends_with_body: want true or false, got maybe"},
		{"latency without a unit", "done: END", "done: END\nserver_latency: {path: ms}", "e.yaml:8: server_latency: want a path or a header, and a unit"},
		{"latency twice", "done: END", "done: END\nserver_latency: {path: ms, header: X, unit: s}", "e.yaml:8: server_latency: want a path or a header, and a unit"},
		{"unit", "done: END", "done: END\nserver_latency: {path: ms, unit: h}", "e.yaml:8: server_latency.unit: want ns, us, ms, s, got h"},
		{"error without a path", "  text: t", "  text: t\n  error: {code: c}", "e.yaml:7: paths.error.path: is missing"},
		{"usage", "done: END", "done: END\nusage: {inputs: a}", "e.yaml:8: usage.inputs: unknown key"},
		{"another document", "done: END", "done: END\n---\nname: x", "e.yaml: more than one document"},
		{"not YAML", "done: END", "done: [", "e.yaml:8: "},
		{"a tab", "  text: t", "\ttext: t", "e.yaml:6: found character that cannot start any token"},
		{"list", least, "- name: x", "e.yaml:1: want a mapping, got a list"},
		{"nothing", least, "", "e.yaml: there is nothing in it"},
		{"comment only", least, "# nothing\n", "e.yaml: there is nothing in it"},
		{"too long", least, strings.Repeat("#\n", 1<<20), "e.yaml: more than 1 MiB"},
		{"too deep", `{text: "{prompt}"}`, strings.Repeat("[", 200) + "1" + strings.Repeat("]", 200), "body: more than 100000 values, or deeper than 100"},
		{"in itself", `{text: "{prompt}"}`, "&a [*a]", "e.yaml"},
		{"billions", `{text: "{prompt}"}`, billions(), "e.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, least, c.replace)
			e, err := custom.Read(strings.NewReader(strings.Replace(least, c.replace, c.with, 1)), "e.yaml")
			assert.Nil(t, e)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := custom.Read(strings.NewReader(least), "e.yaml")
	require.NoError(t, err)
}

// billions is a body that aliases make endless.
func billions() string {
	var b strings.Builder
	b.WriteString("\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "  a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return b.String()
}

func TestReadReportsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := custom.Read(strings.NewReader("name: a b\nmethod: GET\nbody: {}\n"), "e.yaml")
	for _, want := range []string{"name: want letters", "method: want", "url: is missing", "framing: is missing", "body: has no {prompt}", "paths.text: is missing"} {
		assert.ErrorContains(t, err, want)
	}
}

func TestReadNeverShowsASecret(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"url: ${ACME_API_KEY}://x", "url: https://least.test:${ACME_API_KEY}/", "headers: {X Y: \"${ACME_API_KEY}\"}", "name: \"${ACME_API_KEY}\"",
		"headers: {A: \"${ACME_API_KEY} ${LATGATE_NO_SUCH_KEY}\"}",
	} {
		_, err := custom.Read(strings.NewReader(bad), "e.yaml")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), apiKey)
	}
	e, err := custom.Load("testdata/acme.yaml")
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "acme", fmt.Sprintf(format, e))
	}
}

func TestLoadReadsAFile(t *testing.T) {
	t.Parallel()
	_, err := custom.Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	e, err := custom.Load("testdata/lines.yaml")
	require.NoError(t, err)
	assert.Equal(t, "lines", e.String())
}

func TestDocumentationShowsTheExamples(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, name := range []string{"acme.yaml", "lines.yaml"} {
		shown := "//\t" + strings.ReplaceAll(strings.TrimSpace(example(t, name)), "\n", "\n//\t")
		assert.Contains(t, string(doc), shown)
	}
}
