package cohere_test

import (
	"context"
	"fmt"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

func ExampleChat() {
	network := fakes.NewNetwork(fakes.Cohere(fakes.Script{OutputTokens: 8})) // instead of the real one
	defer network.Close()

	target := cohere.Chat("command-a-03-2025", endpoint.Options{Key: "key", Client: network.Client()})
	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), providers.Prompt{Text: "Why does a slow tail matter?"}); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		tokens, _ := r.Usage.Output.Get()
		fmt.Printf("%s %s %d tokens: %s\n", r.Class, r.Stop, tokens, r.Text)
	}
	// Output: ok COMPLETE 8 tokens: a request that waits is a request that
}
