package convert_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
)

func ExampleFrom() {
	const recording = `
interactions:
- request: {method: POST, uri: 'https://api.openai.com/v1/chat/completions', body: '{"model":"gpt-5-mini"}'}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [text/event-stream]}
    body: {string: "data: {\"choices\":[]}\n\ndata: [DONE]\n\n"}
`
	profile := convert.Profile{TTFT: 400 * time.Millisecond, Gap: 20 * time.Millisecond}
	c, err := convert.From(strings.NewReader(recording), "chat.yaml", profile, cassette.Recording{Name: "chat"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, read := range c.At(0).Response.Reads {
		fmt.Println(read.At, read.End)
	}
	reason, _ := c.Synthesised()
	fmt.Println(reason)
	// Output:
	// 400ms 22
	// 420ms 36
	// the times of 1 of 1 interactions were not recorded: synthesised (profile TTFT 400ms, gap 20ms)
}
