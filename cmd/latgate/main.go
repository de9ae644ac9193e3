// Command latgate measures the latency of language-model endpoints from the command
// line: what package latencytest does in a test, without a test.
//
//	export OPENAI_API_KEY=…
//	latgate profile --provider openai --model gpt-5-mini --prompt "Explain quantum computing." --requests 100
//
// Its help tells the rest: latgate help profile. Keys of APIs are read from
// environment variables, never from flags, which any user of a machine can see.
//
// It exits with 0, with 1 after a failure of its own, with 2 where it was called or set
// up in a wrong way, and with 130 when it was interrupted. A build that is judged (run,
// gate, ab, verify) ends by cause: 10 regression, 11 absolute budget, 12 baseline missing,
// 13 incomparable, 14 inconclusive, 15 the endpoint failed, 16 tampered, 17 not recorded.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
