package gemini_test

import (
	"context"
	"fmt"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/wire"
)

func ExampleGenerateContent() {
	network := fakes.NewNetwork(fakes.Gemini(fakes.Script{OutputTokens: 8})) // instead of the real one
	defer network.Close()

	target := gemini.GenerateContent("gemini-2.5-flash", endpoint.Options{Key: "key", Client: network.Client()})
	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), providers.Prompt{Text: "Why does a slow tail matter?"}); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		tokens, _ := r.Usage.Output.Get()
		fmt.Printf("%s %s %d tokens: %s\n", r.Class, r.Stop, tokens, r.Text)
	}
	// Output: ok STOP 8 tokens: a request that waits is a request that
}
