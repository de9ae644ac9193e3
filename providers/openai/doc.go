// Package openai decodes the OpenAI chat completions protocol, streamed and
// whole, from captured bytes, for OpenAI itself and for the servers that speak
// its protocol. It needs no SDK and no declaration:
//
//	rec := latencytest.NewRecorder(t) // recognizes .../chat/completions by itself
//	client := openai.NewClient(option.WithHTTPClient(rec.Client()))
package openai
