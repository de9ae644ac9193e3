package providers_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
)

func TestPromptsOfTheNotebookAreReadAsTheyAre(t *testing.T) {
	t.Parallel()
	const set = "\ufeff" + `{"text_prompt": "Summarize.", "expected_output_tokens": 50, "task_type": "Text-Generation", "model_id": "us.meta.llama3-1-70b-instruct-v1:0", "region": "us-east-2", "inference_profile": "optimized"}` + "\r\n" +
		"\n" +
		`{"text_prompt": "Explain.", "prompt_caching": true, "cache_ttl": "1h", "cached_context": "A long text."}`
	got, err := providers.ReadPrompts(strings.NewReader(set), "set.jsonl")
	require.NoError(t, err)
	assert.Equal(t, []providers.Prompt{
		{
			ID: "p1", Text: "Summarize.", MaxTokens: 50, TaskType: "Text-Generation",
			Model: "us.meta.llama3-1-70b-instruct-v1:0", Region: "us-east-2", Profile: "optimized",
		},
		{ID: "p3", Text: "Explain.", Caching: true, CacheTTL: "1h", CachedContext: "A long text."},
	}, got)
	assert.Equal(t, 50, got[0].Limit())
	assert.Equal(t, providers.DefaultMaxTokens, got[1].Limit())
}

func TestLongPromptIsRead(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("word ", 100_000)
	got, err := providers.ReadPrompts(iotest.OneByteReader(strings.NewReader(`{"text_prompt": "`+text+`"}`)), "set.jsonl")
	require.NoError(t, err)
	assert.Equal(t, text, got[0].Text)
}

func TestBadPromptNamesFileLineAndField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, line, want string }{
		{"not JSON", `text_prompt: hello`, "set.jsonl:2: not a JSON object: "},
		{"cut short", `{"text_prompt": "he`, "set.jsonl:2: not a JSON object: unexpected EOF"},
		{"an array", `["hello"]`, "set.jsonl:2: not a JSON object: "},
		{"two values", `{"text_prompt": "a"} {"text_prompt": "b"}`, "set.jsonl:2: more than one JSON value on the line"},
		{"misspelt field", `{"text_promt": "hello"}`, "set.jsonl:2: text_promt: unknown field"},
		{"no text", `{"expected_output_tokens": 5}`, "set.jsonl:2: text_prompt: missing or blank"},
		{"wrong type", `{"text_prompt": 5}`, "set.jsonl:2: text_prompt: want a string, got number"},
		{"tokens as text", `{"text_prompt": "a", "expected_output_tokens": "50"}`, "set.jsonl:2: expected_output_tokens: want an integer, got string"},
		{"fraction of a token", `{"text_prompt": "a", "expected_output_tokens": 1.5}`, "set.jsonl:2: expected_output_tokens: want an integer, got number 1.5"},
		{"negative tokens", `{"text_prompt": "a", "expected_output_tokens": -1}`, "set.jsonl:2: expected_output_tokens: want a positive number, got -1"},
		{"other task", `{"text_prompt": "a", "task_type": "Image"}`, `set.jsonl:2: task_type: want Text-Generation, got "Image"`},
		{"other profile", `{"text_prompt": "a", "inference_profile": "fast"}`, `set.jsonl:2: inference_profile: want standard or optimized, got "fast"`},
		{"other time to live", `{"text_prompt": "a", "cache_ttl": "2h"}`, `set.jsonl:2: cache_ttl: want 5m or 1h, got "2h"`},
		{"control character in the id", `{"id": "a\u001bb", "text_prompt": "a"}`, `set.jsonl:2: id: control character in "a\x1bb"`},
		{"line end in the model", `{"model_id": "m\n::error::x", "text_prompt": "a"}`, `set.jsonl:2: model_id: control character in "m\n::error::x"`},
		{"line separator in the region", `{"region": "us-east-1\u2028", "text_prompt": "a"}`, `set.jsonl:2: region: control character in "us-east-1\u2028"`},
		{"nothing to cache", `{"text_prompt": "a", "prompt_caching": true}`, "set.jsonl:2: cached_context: prompt_caching is on"},
		{"id used twice", `{"id": "first", "text_prompt": "a"}`, `set.jsonl:2: id: "first" is used on line 1 already`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := providers.ReadPrompts(strings.NewReader(`{"id": "first", "text_prompt": "fine"}`+"\n"+c.line), "set.jsonl")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestEveryBadLineIsReported(t *testing.T) {
	t.Parallel()
	_, err := providers.ReadPrompts(strings.NewReader("x\n{\"text_prompt\": \"fine\"}\ny\n"), "set.jsonl")
	require.ErrorContains(t, err, "set.jsonl:1: ")
	require.ErrorContains(t, err, "set.jsonl:3: ")
}

func TestEmptyAndUnreadableSets(t *testing.T) {
	t.Parallel()
	_, err := providers.ReadPrompts(strings.NewReader("\n\n"), "set.jsonl")
	require.ErrorContains(t, err, "set.jsonl: no prompts")
	broken := errors.New("disk error")
	_, err = providers.ReadPrompts(iotest.ErrReader(broken), "set.jsonl")
	require.ErrorIs(t, err, broken)
}
