// Package ollama speaks Ollama's own API, streamed and whole, without an SDK.
// (Its OpenAI-compatible one is decoded by package openai.)
//
// Measured by itself:
//
//	target := ollama.Chat("llama3.2", endpoint.Options{})
//
// Measured in a program's own code, its client needs no declaration: requests to
// .../api/chat and .../api/generate are recognized by their path.
//
// Ollama loads a model with the first request for it, which can take seconds. How
// long that took is the server time load_duration of a response: more than about
// 100 ms tell a cold model, whose times are not those of later requests.
package ollama
