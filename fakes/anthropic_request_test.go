package fakes_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
)

func TestRequestsThatAnthropicWouldRefuse(t *testing.T) {
	t.Parallel()
	const vertex = "/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict"
	synctest.Test(t, func(t *testing.T) {
		with := func(members string) string { return `{` + members + `,` + askClaude[1:] }
		messages := func(list string) string { return `{"model":"m","max_tokens":9,"messages":` + list + `}` }
		mark := `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}},`
		for _, test := range []struct{ path, body, message string }{
			{"", `{`, "not valid JSON"},
			{"", `[]`, "not valid JSON"},
			{"", `{}`, "model: Field required"},
			{"", `{"model":"m"}`, "max_tokens: Field required"},
			{"", `{"model":"m","max_tokens":0}`, "max_tokens: Input should be greater"},
			{"", `{"model":"m","max_tokens":9}`, "messages: Field required"},
			{"", messages(`[]`), "at least one message"},
			{"", messages(`[{"role":"human","content":"x"}]`), "messages.0.role"},
			{"", messages(`[{"role":"user","content":""}]`), "messages.0: all messages must have non-empty content"},
			{"", messages(`[{"role":"user","content":[]}]`), "messages.0: all messages must have non-empty content"},
			{"", messages(`[{"role":"user","content":"x"},{"role":"assistant","content":""},{"role":"user","content":"x"}]`), "messages.1: all messages"},
			{"", messages(`[{"role":"user","content":[{"text":"x"}]}]`), "messages.0.content.0.type: Field required"},
			{"", messages(`[{"role":"user","content":[{"type":"text"}]}]`), "messages.0.content.0.text.text: Field required"},
			{"", messages(`[{"role":"user","content":[{"type":"text","text":" "}]}]`), "messages.0.content.0: text content blocks"},
			{"", messages(`[{"role":"user","content":[` + strings.Repeat(mark, 5) + `{"type":"text","text":"x"}]}]`), "A maximum of 4 blocks"},
			{"", with(`"system":[{"type":"text"}]`), "system.0.text.text: Field required"},
			{"", with(`"system":[{"type":"text","text":"x","cache_control":{"type":"lasting"}}]`), "cache_control.type"},
			{"", with(`"cache_control":{"type":"ephemeral","ttl":"2h"}`), "cache_control.ephemeral.ttl"},
			{"", with(`"temperature":1.5`), "temperature: range"},
			{"", with(`"thinking":{"type":"enabled","budget_tokens":100}`), "budget_tokens"},
			{"", with(`"thinking":{"type":"enabled","budget_tokens":1024}`), "`max_tokens` must be greater"},
			{"", strings.Replace(with(`"temperature":0.5,"thinking":{"type":"enabled","budget_tokens":1024}`), `"max_tokens":100`, `"max_tokens":2000`, 1), "`temperature` may only be set to 1"},
			{vertex, `{"max_tokens":9}`, "anthropic_version: Field required"},
			{vertex, `{"anthropic_version":"vertex-2023-10-16","model":"m","max_tokens":9}`, "model: Extra inputs"},
		} {
			path := test.path
			if path == "" {
				path = "/v1/messages"
			}
			resp, body, err := post(t, fakes.Anthropic(fakes.Script{TTFT: fakes.Constant(time.Hour)}), path, test.body)
			require.NoError(t, err)
			assert.Equal(t, 400, resp.StatusCode, test.body)
			report := providers.ErrorOf(body)
			assert.Equal(t, "invalid_request_error", report.Code, test.body)
			assert.Contains(t, report.Message, test.message)
		}
		for _, body := range []string{
			askClaude,
			with(`"new":1,"thinking":{"type":"adaptive"},"system":"x"`),
			with(`"tools":[{"type":"text"},{"name":"now","input_schema":{}}]`),
			with(`"system":""`),
			messages(`[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"},{"type":"image"}]}]`),
			messages(`[{"role":"user","content":"x"},{"role":"assistant","content":""}]`),
		} {
			resp, got, err := post(t, fakes.Anthropic(fakes.Script{}), "/v1/messages", body)
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode, "%s: %s", body, got)
		}
	})
}

func TestAnthropicRoutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for path, status := range map[string]int{
			"/v1/messages":              200,
			"/proxy/v1/messages":        200,
			"/anthropic/v1/messages":    200,
			"/v1/messages?beta=true":    200,
			"/v1/messages/count_tokens": 404,
			"/v1/messages/":             404,
			"/":                         404,
			"/v1/projects/p/locations/l/publishers/anthropic/models/:rawPredict": 404,
			"/v1/projects/p/locations/l/publishers/google/models/m:rawPredict":   404,
		} {
			resp, body, err := post(t, fakes.Anthropic(fakes.Script{}), path, askClaude)
			require.NoError(t, err)
			assert.Equal(t, status, resp.StatusCode, path)
			if status == 404 {
				assert.Equal(t, `{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}`, string(body))
			}
		}
		n := fakes.NewNetwork(fakes.Anthropic(fakes.Script{}))
		defer n.Close()
		resp, err := n.Client().Get("http://anthropic.test/v1/messages")
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 405, resp.StatusCode, "GET")
	})
}

func TestAnthropicPromptCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := fakes.NewNetwork(fakes.Anthropic(fakes.Script{OutputTokens: 5}))
		defer n.Close()
		request := 0
		ask := func(ttl string, unary bool) providers.Usage {
			request++
			return measureClaude(t, n, request, endpoint.Options{Unary: unary}, providers.Prompt{
				Text: strings.Repeat("why?", 10), System: "Know!   ", Caching: true, CacheTTL: ttl, CachedContext: strings.Repeat("know ", 800),
			}).Usage
		}
		counts := func(read, write int64) providers.Usage {
			return providers.Usage{
				Input: providers.CountOf(10 + read + write), Output: providers.CountOf(5),
				CachedRead: providers.CountOf(read), CachedWrite: providers.CountOf(write),
			}
		}
		assert.Equal(t, counts(0, 1002), ask("", false), "written, the system prompt with it")
		assert.Equal(t, counts(1002, 0), ask("", true), "read")
		time.Sleep(6 * time.Minute)
		assert.Equal(t, counts(0, 1002), ask("1h", false), "gone")
		time.Sleep(59 * time.Minute)
		assert.Equal(t, counts(1002, 0), ask("1h", false))

		_, body, err := post(t, fakes.Anthropic(fakes.Script{}), "/v1/messages", `{"cache_control":{"type":"ephemeral","ttl":"1h"},`+askClaude[1:])
		require.NoError(t, err)
		assert.Contains(t, string(body), `"input_tokens":1,"cache_creation_input_tokens":8,"cache_read_input_tokens":0,`+
			`"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":8}`, "a mark for the whole request")
	})
}
