package anthropic_test

import (
	"context"
	"fmt"
	"time"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

func ExampleMessages() {
	script := fakes.Script{TTFT: fakes.Constant(20 * time.Millisecond), Reasoning: 2, OutputTokens: 6}
	server := fakes.NewServer(fakes.Anthropic(script))
	defer server.Close()

	target := anthropic.Messages("claude-sonnet-4-5", endpoint.Options{
		BaseURL: server.URL, // left out: https://api.anthropic.com
		Key:     "any",      // left out: ANTHROPIC_API_KEY
		Fields:  map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024}},
	})
	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), providers.Prompt{Text: "Hello", MaxTokens: 2000}); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		first, _ := r.First().Get()
		fmt.Println(r.Class, r.Text, r.Stop)
		fmt.Println("thinking came first:", r.Events[0].Channel == providers.Reasoning, first >= 20*time.Millisecond)
	}
	// Output:
	// ok a request that waits end_turn
	// thinking came first: true true
}

func ExampleNewEvents() {
	x := &wire.Exchange{Status: 200} // of a host with frames of its own
	b := providers.NewBuilder("acme", "invoke", x)
	events := anthropic.NewEvents(b)
	for _, frame := range []string{
		`{"type":"message_start","message":{"id":"msg_1","model":"claude-m","usage":{"input_tokens":9,"output_tokens":1}}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}`,
		`{"type":"message_stop"}`,
	} {
		b.Frame(0) // where it ends in the body
		if err := events.Event([]byte(frame)); err != nil {
			b.Fail(providers.Parse, "", err.Error())
		}
	}
	r := b.Done()
	tokens, _ := r.Usage.Output.Get()
	fmt.Println(r.Class, r.Text, r.Stop, tokens)
	// Output: ok Hello end_turn 3
}
