// Package protocol decodes what Amazon SageMaker's runtime sends, from captured
// bytes and without the AWS SDK: a test that measures somebody else's client
// recognizes SageMaker by linking this package alone.
//
//	r := protocol.Stream{}.Decode(exchange)
//	fmt.Println(r.Class, r.First(), r.Usage.Output)
//
// A model container on SageMaker streams as it likes, and SageMaker wraps the bytes
// in parts, whose borders mean nothing: they fall into the midst of events, of lines
// and of characters. [Stream] puts them together again and decodes what they make:
// OpenAI's chat completions (vLLM, SGLang, LMI) or TGI's tokens, as server-sent
// events or as lines of JSON. An event has the time of the part that completed it.
package protocol
