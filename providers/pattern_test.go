package providers_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

const example = `{"id":"1","choices":[{"index":0,"delta":{"content":" one"},"finish_reason":null}],"obfuscation":"abc"}`

func TestPatternMatchesWhatDiffersInText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		frame string
		want  string
		ok    bool
	}{
		"the same":          {example, " one", true},
		"another text":      {strings.Replace(example, " one", " zwölf", 1), " zwölf", true},
		"no text":           {strings.Replace(example, " one", "", 1), "", true},
		"other padding":     {strings.Replace(example, "abc", "x", 1), " one", true},
		"an escape":         {strings.Replace(example, " one", ` \n`, 1), "", false},
		"a quotation mark":  {strings.Replace(example, " one", ` \"x`, 1), "", false},
		"not UTF-8":         {strings.Replace(example, " one", "\xff", 1), "", false},
		"a line end":        {strings.Replace(example, " one", "\n", 1), "", false},
		"another choice":    {strings.Replace(example, `"index":0`, `"index":1`, 1), "", false},
		"a finish":          {strings.Replace(example, "null", `"stop"`, 1), "", false},
		"an error after it": {strings.Replace(example, `"abc"}`, `"abc","error":{}}`, 1), "", false},
		"one more member":   {strings.Replace(example, `" one"`, `" one","refusal":"no"`, 1), "", false},
		"cut":               {example[:len(example)-1], "", false},
		"cut in the text":   {example[:strings.Index(example, "one")], "", false},
		"nothing":           {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p providers.Pattern
			p.Learn([]byte(example), " one", "content", "obfuscation")
			text, ok := p.Match([]byte(test.frame))
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, test.want, text)
		})
	}
}

func TestPatternIsNotLearnedWhereTextMayBeElsewhere(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string]string{
		"twice":             `{"content":" one","more":{"content":" one"}}`,
		"in a longer name":  `{"x\"content":" one"}`,
		"no string":         `{"content":[" one"]}`,
		"escaped":           `{"content":"\u0020one"}`,
		"another text":      `{"content":" two"}`,
		"of another member": `{"text":" one"}`,
		"empty":             ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p providers.Pattern
			p.Learn([]byte(example), " one", "content", "obfuscation")
			p.Learn([]byte(frame), " one", "content", "obfuscation")
			for _, f := range []string{frame, example} {
				_, ok := p.Match([]byte(f))
				assert.False(t, ok, f)
			}
		})
	}
}

// A frame that matches says what the example says, but for the text and the padding.
func FuzzPattern(f *testing.F) {
	f.Add(example, strings.Replace(example, " one", " two", 1))
	f.Add(`{"content" : "one", "obfuscation":"\""}`, `{"content" : "", "obfuscation":""}`)
	f.Add(`{"obfuscation":"a","content":"one","x":"y"}`, `{"obfuscation":"b","content":"two","x":"y"}`)
	f.Fuzz(func(t *testing.T, example, frame string) {
		var before any
		if json.Unmarshal([]byte(example), &before) != nil {
			return
		}
		said := make(map[string]any)
		leaves(said, "", before)
		for path, value := range said {
			text, ok := value.(string)
			if !ok || !strings.HasSuffix(path, ".content") {
				continue
			}
			var p providers.Pattern
			p.Learn([]byte(example), text, "content", "obfuscation")
			got, ok := p.Match([]byte(frame))
			if !ok {
				continue
			}
			var after any
			require.NoError(t, json.Unmarshal([]byte(frame), &after))
			saysNow := make(map[string]any)
			leaves(saysNow, "", after)
			require.Len(t, saysNow, len(said))
			for path, value := range said {
				switch {
				case strings.HasSuffix(path, ".content"):
					require.Equal(t, got, saysNow[path])
				case strings.HasSuffix(path, ".obfuscation"):
				default:
					require.Equal(t, value, saysNow[path])
				}
			}
		}
	})
}

// leaves notes the values in v that are no lists or objects, by their path.
func leaves(in map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			leaves(in, path+"."+strconv.Quote(name)+"."+name, member)
		}
	case []any:
		for i, element := range v {
			leaves(in, path+"["+strconv.Itoa(i)+"]", element)
		}
	default:
		in[path] = v
	}
}
