// Package tgi measures and decodes the API of Hugging Face's
// text-generation-inference, which takes a prompt as plain text:
//
//	target := tgi.Generate(endpoint.Options{BaseURL: "http://localhost:8080"})
//	res := latencytest.Run(t, target, plan)
//
// For conversations in the words of a model's template the same server has
// .../v1/chat/completions, which is providers/openai's to measure.
//
// [Decoder] decodes what other clients received, as server-sent events or, as the
// DJL containers of SageMaker write the same, as lines of JSON.
package tgi
