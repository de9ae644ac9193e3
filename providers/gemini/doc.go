// Package gemini speaks Google's generateContent, streamed and whole, as the
// Gemini API and Vertex AI serve it, without an SDK.
//
// Measured by itself:
//
//	target := gemini.GenerateContent("gemini-2.5-flash", endpoint.Options{}) // key: GEMINI_API_KEY
//
// Measured in a program's own code, its client needs no declaration: requests to
// ...:generateContent and ...:streamGenerateContent are recognized by their path.
//
// Three things are particular. Gemini sends its answer in few, large chunks, so
// that the gaps between them say little about tokens. Its thoughts are billed
// whether or not they are shown; what is shown of them is a summary. And a stream
// has no terminal event: it is whole when each candidate has a finish reason.
package gemini
