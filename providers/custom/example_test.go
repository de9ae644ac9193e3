package custom_test

import (
	"fmt"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/custom"
)

func ExampleRead() {
	endpoint, err := custom.Read(strings.NewReader(`
name: acme
url: http://localhost:8080/generate
body: {prompt: "{prompt}", limit: "{max_tokens}"}
framing: ndjson
paths: {text: token, finish: done}
`), "acme.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(endpoint.Describe(providers.Prompt{Text: "What was the capital of Assyria?"}))
	// Output: provider=acme api=custom model=acme framing=ndjson body=sha256:e08e8368e59a endpoint=localhost
}

func ExampleRead_mistakes() {
	_, err := custom.Read(strings.NewReader(`
name: acme
url: http://localhost:8080/generate
body: {prompt: "{promt}"}
framing: grpc
paths: {text: "choices[*.text", finish: done}
`), "acme.yaml")
	fmt.Println(err)
	// Output:
	// acme.yaml:4: body.prompt: there is no placeholder {promt}, only {prompt}, {context}, {system}, {model}, {max_tokens}; write {{promt}} for these characters themselves
	// acme.yaml:5: framing: want sse, ndjson, json, got grpc
	// acme.yaml:6: paths.text: bad path "choices[*.text": a bracket is not closed
	// acme.yaml:4: body: has no {prompt}
}
