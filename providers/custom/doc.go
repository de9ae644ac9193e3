// Package custom measures an endpoint that a file describes: a server of one's own,
// a gateway, an API that has no package here. Nothing is to be programmed:
//
//	func TestLatencyAcme(t *testing.T) {
//		acme, err := custom.Load("testdata/acme.yaml")
//		if err != nil {
//			t.Fatal(err)
//		}
//		res := latencytest.Run(t, acme, latencytest.Plan{
//			Prompts:  latencytest.Prompts(t, "testdata/prompts.jsonl"),
//			Requests: 200,
//		})
//		...
//	}
//
// This describes one that speaks as OpenAI does:
//
//	name: acme
//	model: acme-large
//	url: https://api.acme.test/v1/chat/completions
//	headers:
//	  Authorization: Bearer ${ACME_API_KEY}
//	body:
//	  model: "{model}"
//	  stream: true
//	  stream_options: {include_usage: true}
//	  max_tokens: "{max_tokens}"
//	  messages:
//	    - {role: system, content: "{system}"}
//	    - {role: user, content: "{prompt}"}
//	framing: sse
//	paths:
//	  text: choices[*].delta.content
//	  reasoning: choices[*].delta.reasoning_content
//	  refusal: choices[*].delta.refusal
//	  tool:
//	    - choices[*].delta.tool_calls[*].function.name
//	    - choices[*].delta.tool_calls[*].function.arguments
//	  finish: choices[*].finish_reason
//	  model: model
//	  request_id: id
//	  error: error
//	done: "[DONE]"
//	usage:
//	  input: usage.prompt_tokens
//	  output: usage.completion_tokens
//	  cached: usage.prompt_tokens_details.cached_tokens
//	  reasoning: usage.completion_tokens_details.reasoning_tokens
//
// And this one that writes lines of JSON, the last of which has done: true:
//
//	name: lines
//	model: llama
//	url: http://localhost:8080/models/{model}/generate
//	body:
//	  prompt: "{prompt}"
//	  options: {num_predict: "{max_tokens}", system: "{system}"}
//	framing: ndjson
//	paths:
//	  text: response
//	  reasoning: thinking
//	  finish: done
//	  stop: done_reason
//	  error: {path: error, code: type, message: text}
//	usage:
//	  input: prompt_eval_count
//	  output: eval_count
//	server_latency: {path: total_duration, unit: ns}
//
// # The request
//
// In url and headers, ${NAME} is the value of an environment variable; the file is
// refused if there is none. Its value is not shown, with one exception: the name of
// the host is part of what a measurement says of itself, and of the errors of the
// network, be it from a variable or not. {model} has its place in the url and in the
// body. The method is POST, unless it says PUT.
//
// The body is JSON written as YAML, with placeholders in its texts: {prompt},
// {system}, {model}, {max_tokens} and {context}. The context is what the prompt wants
// cached; without a place of its own it goes before the prompt's text, with an empty
// line between. A text that is nothing but a placeholder becomes its value, so that
// "{max_tokens}" is a number. Where the prompt has no system prompt (or no context),
// such a text is left out, together with the item of the list that it is in: above,
// that is the message. {{prompt}} stands for the characters {prompt}.
//
// A prompt with a system prompt is not sent by a body that has no {system}, nor one
// that names a model where {model} is not used.
//
// # The reply
//
// The framing is sse (server-sent events with JSON in them), ndjson (lines of JSON)
// or json (one value). A path leads into the value of each event or line: names with
// dots between, [0] for an item of a list, [*] for all of them, ["x.y"] for unusual
// names, $ for the value itself. text, reasoning, refusal and tool take a list of
// paths as well. What is at tool counts as it stands if it is not a text.
//
// The reply has ended where finish leads to something that is not null, false or "",
// or is one of the values in finish_equals. What comes after that is still looked
// at, for the usage. With done, such as "[DONE]", it has ended with the event that
// consists of this word, and finish only tells the stop reason, as stop does. A
// protocol in which the server just stops needs ends_with_body: true; what is cut
// between two events cannot be told from a whole then. A stream that ends otherwise
// is truncated.
//
// error leads to the error that a reply of any status may report: an object, of which
// the usual members are understood, or those that code and message lead to from
// there. If it is not given, it is the member of that name. null, false, 0, "", {}
// and [] are no errors. request_id_header
// names a response header, where the request's name is in one.
//
// Counts of usage are kept as they came last. input_excludes_cache says that input
// counts neither what was read from nor written to a cache, and
// output_excludes_reasoning that output does not count reasoning; they are added.
// server_latency has a path, or a header, and a unit: ns, us, ms or s.
//
// A file that does not fit its endpoint is noticed: a reply that ends without any
// content, in which text led nowhere, is of class parse, and its detail says what
// there is instead:
//
//	paths.text: no event has choices[*].delta.content; what there is: choices[*].delta.text, id
package custom
