package convert

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers/anthropic"
	bedrock "github.com/latgate/latgate/providers/bedrock/protocol"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/openai"
	sagemaker "github.com/latgate/latgate/providers/sagemaker/protocol"
)

// A protocol is one that a fake speaks, by the names that samples have for it.
type protocol struct {
	provider, api string
	host          string // where it lives by itself
	fake          func(fakes.Script) http.Handler
	ask           func(asking) question

	whole       bool // replies never stream
	modelInPath bool
	wholeCalls  bool // a call of a tool is one event
}

// asking is what a usual request depends on.
type asking struct {
	model string // that is asked for
	reply string // that replies, where it says so
	whole bool   // the reply does not stream
	usage bool   // the reply counts its tokens
	input int    // tokens
}

// A question is a usual request of a protocol.
type question struct {
	path  string // escaped
	query string
	asked string // the path that the fake is asked at: no name of a model gets in its way
	body  object
}

type object = map[string]any

// text returns a prompt of so many tokens, as fakes count them.
func (a asking) text() string { return strings.Repeat("word", a.input) }

// named returns the model that a reply is to name.
func (a asking) named() string {
	if a.reply != "" {
		return a.reply
	}
	if a.model != "" {
		return a.model
	}
	return "model"
}

// at returns the path by whether the reply streams.
func (a asking) at(stream, whole string) string {
	if a.whole {
		return whole
	}
	return stream
}

// messages are those of most protocols.
func (a asking) messages() []object { return []object{{"role": "user", "content": a.text()}} }

// blocks are Amazon's.
func (a asking) blocks() []object {
	return []object{{"role": "user", "content": []object{{"text": a.text()}}}}
}

// chat is the body of a chat completion.
func (a asking) chat() object {
	body := object{"model": a.named(), "messages": a.messages(), "stream": !a.whole}
	if a.usage && !a.whole {
		body["stream_options"] = object{"include_usage": true}
	}
	return body
}

// same is the question at a path without a name in it.
func same(path string, body object) question {
	return question{path: path, asked: path, body: body}
}

const (
	bedrockHost   = "bedrock-runtime.us-east-1.amazonaws.com"
	sageMakerHost = "runtime.sagemaker.us-east-1.amazonaws.com"
	ollamaHost    = "localhost:11434"

	// unlimited is a maximum of tokens, for who must have one, that cuts nothing short.
	unlimited = 1 << 30
)

// spoken are the protocols that have a fake.
var spoken = []*protocol{
	{provider: bedrock.Provider, api: bedrock.StreamAPI, host: bedrockHost, fake: fakes.Bedrock, ask: converse("/converse-stream"), modelInPath: true},
	{provider: bedrock.Provider, api: bedrock.UnaryAPI, host: bedrockHost, fake: fakes.Bedrock, ask: converse("/converse"), modelInPath: true, whole: true},
	{provider: bedrock.Provider, api: bedrock.InvokeStreamAPI, host: bedrockHost, fake: fakes.Bedrock, ask: invoke("/invoke-with-response-stream"), modelInPath: true},
	{provider: bedrock.Provider, api: bedrock.InvokeAPI, host: bedrockHost, fake: fakes.Bedrock, ask: invoke("/invoke"), modelInPath: true, whole: true},
	{provider: sagemaker.Provider, api: sagemaker.StreamAPI, host: sageMakerHost, fake: container, ask: invocation("/invocations-response-stream"), modelInPath: true},
	{provider: sagemaker.Provider, api: sagemaker.UnaryAPI, host: sageMakerHost, fake: container, ask: invocation("/invocations"), modelInPath: true, whole: true},
	{provider: "openai", api: openai.ChatAPI, host: "api.openai.com", fake: fakes.OpenAI, ask: func(a asking) question {
		return same("/v1/chat/completions", a.chat())
	}},
	{provider: "openai", api: openai.ResponsesAPI, host: "api.openai.com", fake: fakes.OpenAI, ask: func(a asking) question {
		return same("/v1/responses", object{"model": a.named(), "input": a.text(), "stream": !a.whole})
	}},
	{provider: anthropic.Provider, api: anthropic.MessagesAPI, host: "api.anthropic.com", fake: fakes.Anthropic, ask: func(a asking) question {
		return same("/v1/messages", object{"model": a.named(), "max_tokens": unlimited, "messages": a.messages(), "stream": !a.whole})
	}},
	{provider: "gemini", api: "generate-content", host: "generativelanguage.googleapis.com", fake: fakes.Gemini, ask: generateContent, modelInPath: true, wholeCalls: true},
	{provider: "cohere", api: "chat", host: "api.cohere.com", fake: fakes.Cohere, ask: func(a asking) question {
		return same("/v2/chat", object{"model": a.named(), "messages": a.messages(), "stream": !a.whole})
	}},
	{provider: "ollama", api: "chat", host: ollamaHost, fake: fakes.Ollama, wholeCalls: true, ask: func(a asking) question {
		return same("/api/chat", object{"model": a.named(), "messages": a.messages(), "stream": !a.whole})
	}},
	{provider: "ollama", api: "generate", host: ollamaHost, fake: fakes.Ollama, ask: func(a asking) question {
		return same("/api/generate", object{"model": a.named(), "prompt": a.text(), "stream": !a.whole})
	}},
	{provider: "tgi", api: "generate", host: "localhost:8080", fake: fakes.TGI, ask: func(a asking) question {
		return same(a.at("/generate_stream", "/generate"), object{"inputs": a.text(), "parameters": object{"details": a.usage}})
	}},
}

// protocolOf returns the protocol of a sample, and whether it has a fake.
func protocolOf(s *latencytest.Sample) (*protocol, bool) {
	for _, p := range spoken {
		if p.provider == s.Provider && p.api == s.API {
			return p, true
		}
	}
	return nil, false
}

// container is an endpoint of SageMaker's whose parts are events.
func container(s fakes.Script) http.Handler {
	return fakes.SageMaker(s, fakes.Container{Aligned: true})
}

// awsModel returns a model as it is in a path. Samples hide the account of an ARN; so
// does a cassette, whatever its digits are.
func awsModel(model string) string {
	return url.PathEscape(strings.ReplaceAll(model, ":***:", ":111111111111:"))
}

func converse(operation string) func(asking) question {
	return func(a asking) question {
		return question{
			path: "/model/" + awsModel(a.model) + operation, asked: "/model/m" + operation,
			body: object{"messages": a.blocks()},
		}
	}
}

// families are those of Bedrock's models, told by a part of their ids, as the fake tells
// them.
var families = []struct {
	part string
	body func(asking) object
}{
	{"anthropic.", func(a asking) object {
		return object{"anthropic_version": "bedrock-2023-05-31", "max_tokens": unlimited, "messages": a.messages()}
	}},
	{"amazon.nova", func(a asking) object { return object{"messages": a.blocks()} }},
	{"amazon.titan", func(a asking) object { return object{"inputText": a.text()} }},
	{"meta.llama", func(a asking) object { return object{"prompt": a.text()} }},
	{"cohere.command-r", func(a asking) object { return object{"message": a.text()} }},
	{"cohere.", func(a asking) object { return object{"prompt": a.text()} }},
	{"mistral.", func(a asking) object { return object{"messages": a.messages()} }},
}

// invoke asks as the family of the model does, and where the id does not tell it, as
// chat completions do.
func invoke(operation string) func(asking) question {
	return func(a asking) question {
		q := question{path: "/model/" + awsModel(a.model) + operation, asked: "/model/m" + operation, body: object{"messages": a.messages()}}
		for _, f := range families {
			if strings.Contains(a.model, f.part) {
				q.asked, q.body = "/model/"+f.part+operation, f.body(a)
				break
			}
		}
		return q
	}
}

func invocation(operation string) func(asking) question {
	return func(a asking) question {
		return question{path: "/endpoints/" + url.PathEscape(a.model) + operation, asked: "/endpoints/e" + operation, body: a.chat()}
	}
}

func generateContent(a asking) question {
	method, query, _ := strings.Cut(gemini.Method(!a.whole), "?")
	const models = "/v1beta/models/"
	return question{
		path: models + url.PathEscape(strings.TrimPrefix(a.model, "models/")) + method, query: query,
		asked: models + strings.ReplaceAll(a.named(), "/", "_") + method,
		body:  object{"contents": []object{{"role": "user", "parts": []object{{"text": a.text()}}}}},
	}
}
