// Package cohere speaks version 2 of Cohere's chat API, streamed and whole,
// without an SDK.
//
// Measured by itself:
//
//	target := cohere.Chat("command-a-03-2025", endpoint.Options{}) // key: CO_API_KEY
//
// Measured in a program's own code, its client needs no declaration: requests to
// .../v2/chat are recognized by their path.
//
// Cohere's Go SDK (cohere-go, seen in version 2.15.3) fails with "unexpected end of
// JSON input" on a stream whose events arrive one by one, which they do where
// latency is measured. [Chat] does without it.
package cohere
