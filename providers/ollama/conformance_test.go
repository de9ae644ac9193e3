package ollama_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/providertest"
)

// generated is a chat's line as a generation has it.
func generated(line string) string {
	line = strings.Replace(line, `"message":{"role":"assistant","content":`, `"response":`, 1)
	return strings.Replace(line, `},"done`, `,"done`, 1)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, api := range map[string]struct {
		target constructor
		line   func(string) string
	}{
		"chat":     {ollama.Chat, func(line string) string { return line }},
		"generate": {ollama.Generate, generated},
	} {
		target := func(unary bool) func(url string, client *http.Client) providers.Target {
			return func(url string, client *http.Client) providers.Target {
				return api.target("llama3", endpoint.Options{BaseURL: url, Client: client, Unary: unary})
			}
		}
		lines := func(lines ...string) providertest.Reply {
			for i, line := range lines {
				lines[i] = api.line(line)
			}
			return providertest.Lines(lines...)
		}
		tokens := providers.Usage{Input: count(17), Output: count(50)}
		c := providertest.Case{
			New:    target(false),
			Stream: lines(content(""), thought, hello, content(", 世界"), chatEnd),
			Want:   providertest.Want{Text: "Hello, 世界", Reasoning: 3, First: 1, Last: 3, Stop: "stop", Model: "llama3", Usage: tokens},
			Empty:  lines(chatEnd),
			Errors: []providertest.ErrorReply{
				{Name: "busy", Reply: providertest.JSON(`{"error":"server busy"}`).With(503), Class: providers.HTTP5xx},
				{Name: "in the stream", Reply: lines(hello, `{"error":"boom"}`), Class: providers.StreamError},
			},
			NewUnary:  target(true),
			Unary:     providertest.JSON(api.line(whole)),
			UnaryWant: providertest.Want{Text: "Hello", Reasoning: 3, Stop: "stop", Usage: tokens},
		}
		t.Run(name, func(t *testing.T) { providertest.Run(t, c) })
	}
}
