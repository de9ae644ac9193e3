// Package openai measures and decodes OpenAI's APIs, chat completions and
// responses, for OpenAI itself, for Azure and for the many servers that speak its
// protocol. [Chat], [Responses] and [Azure] are endpoints to send prompts to:
//
//	target := openai.Chat("gpt-5-mini", endpoint.Options{}) // key from OPENAI_API_KEY
//	res := latencytest.Run(t, target, plan)
//
// Any compatible server (vLLM, Ollama, LiteLLM, Groq, OpenRouter, …) is a base URL
// away:
//
//	openai.Chat("qwen3", endpoint.Options{BaseURL: "http://localhost:8000/v1"})
//
// [ChatDecoder] and [ResponsesDecoder] decode what other clients received, and
// [CompletionsDecoder] what the older API sends that continues a text. They need no
// SDK and no declaration:
//
//	rec := latencytest.NewRecorder(t) // recognizes .../chat/completions by itself
//	client := openai.NewClient(option.WithHTTPClient(rec.Client()))
package openai
