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
// has no terminal event: it is whole when each candidate that began has a finish
// reason. That is not where it ends, for usage may follow, or another candidate: a
// target hangs up at none of its events, and waits for the server to end the body,
// as it does at once.
package gemini
