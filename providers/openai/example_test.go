package openai_test

import (
	"context"
	"fmt"
	"time"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/wire"
)

func ExampleChat() {
	network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{TTFT: fakes.Constant(20 * time.Millisecond), OutputTokens: 4}))
	defer network.Close()
	target := openai.Chat("gpt-5-mini", endpoint.Options{Client: network.Client(), Key: "any"})

	prompt := providers.Prompt{Text: "Who waits?"}
	fmt.Println(target.Describe(prompt))

	capture := wire.NewCapture(0)
	if err := target.Send(capture.Context(context.Background()), prompt); err != nil {
		fmt.Println(err)
	}
	for _, x := range capture.Exchanges() {
		r := target.Decode(x)
		output, _ := r.Usage.Output.Get()
		fmt.Println(r.Class, r.Stop, output, len(r.Events))
		fmt.Println(r.Text)
	}
	// Output:
	// provider=openai api=chat-completions model=gpt-5-mini
	// ok stop 4 4
	// a request that waits
}
