// Command latgate measures the latency of language-model endpoints from the command
// line: what package latencytest does in a test, without a test.
//
//	export OPENAI_API_KEY=…
//	latgate profile --provider openai --model gpt-5-mini --prompt "Explain quantum computing." --requests 100
//
// Its help tells the rest: latgate help profile. Keys of APIs are read from
// environment variables, never from flags, which any user of a machine can see.
//
// It exits with 0, with 1 after a failure of its own, with 2 where it was called or
// set up in a wrong way, with 15 where the endpoint failed, and with 130 when it was
// interrupted.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
