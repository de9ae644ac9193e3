package fakes

import "net/http"

// Quirks are what the servers that speak OpenAI's protocol do in ways of their
// own. The zero Quirks do as OpenAI does, less its headers and details. All of them
// are recorded of real servers, some of which are named.
type Quirks struct {
	// CRLF ends lines in CR LF: Perplexity.
	CRLF bool

	// Comments is the number of comments before the first chunk: OpenRouter.
	Comments int

	// RoleEverywhere repeats the role, and content where there is none, in every
	// chunk: Ollama, OpenRouter.
	RoleEverywhere bool

	// ReasoningField is the name of the member that reasoning is streamed in. Empty
	// means "reasoning_content"; the other name in use is "reasoning": vLLM, Groq,
	// Ollama, OpenRouter.
	ReasoningField string

	// ContentList sends content as a list of typed parts, reasoning among them:
	// Mistral.
	ContentList bool

	// Usage is where the usage record of a stream is.
	Usage UsagePlace

	// NoFinish leaves out the finish reason: Snowflake.
	NoFinish bool

	// NoDone leaves out the [DONE] at the end: Perplexity, Writer.
	NoDone bool

	// Error is how an exception that is thrown into a stream looks.
	Error ErrorForm
}

// A UsagePlace is where a server puts the usage record of a stream. All but
// UsageLast are sent unasked.
type UsagePlace string

// The places.
const (
	UsageLast       UsagePlace = ""            // in a chunk without choices, where it is asked for: OpenAI, vLLM
	UsageWithFinish UsagePlace = "with finish" // in the chunk with the finish reason: Mistral, DeepSeek
	UsageTrailing   UsagePlace = "trailing"    // in a chunk with an empty choice, and one more follows: LiteLLM
	UsageTwice      UsagePlace = "twice"       // with the finish reason and in a chunk without choices: Groq
	UsageEverywhere UsagePlace = "everywhere"  // counting along in every chunk: Perplexity, vLLM on request
)

// An ErrorForm is how a server reports an error inside a stream.
type ErrorForm string

// The forms.
const (
	ErrorData          ErrorForm = ""               // a chunk with the member error, which ends the stream: OpenAI
	ErrorThenDone      ErrorForm = "then done"      // the same, and [DONE]: vLLM
	ErrorEvent         ErrorForm = "event"          // the same, as an event of the name error: Groq
	ErrorField         ErrorForm = "field"          // a field of the name error, which is no event: llama-box
	ErrorBesideChoices ErrorForm = "beside choices" // a chunk that has choices as well, and [DONE]: OpenRouter
)

func (q Quirks) reasoning() string {
	if q.ReasoningField != "" {
		return q.ReasoningField
	}
	return "reasoning_content"
}

// Compatible returns a fake of a server that speaks OpenAI's chat completions with
// quirks, on any path that ends in /chat/completions. It follows the script as
// [OpenAI] does, takes top_k, and names its requests in the body only.
//
// Compatible panics when the script makes no sense.
func Compatible(s Script, q Quirks) http.Handler { return newOpenAI(s, &q) }

// fail ends a stream with an error.
func (c *openAIChat) fail(e openAIError) {
	report := object{"error": e.fields()}
	switch form := c.quirks().Error; form {
	case ErrorEvent:
		c.events.send(c.End, "error", report)
	case ErrorField:
		line := append([]byte("error: "), mustJSON(object{"detail": e.message, "error": e.fields()})...)
		c.write(c.End, append(line, c.newline()+c.newline()...))
	case ErrorBesideChoices:
		chunk := c.chunk(object{"role": "assistant", "content": ""}, "")
		chunk["error"] = e.fields()
		c.events.send(c.End, "", chunk)
		c.events.send(c.End, "", "[DONE]")
	default:
		c.events.send(c.End, "", report)
		if form == ErrorThenDone {
			c.events.send(c.End, "", "[DONE]")
		}
	}
}
