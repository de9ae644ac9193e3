package openai

import (
	"errors"
	"net/url"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
)

// baseURL is OpenAI's own endpoint.
const baseURL = "https://api.openai.com/v1"

// Chat returns the chat completions of a model: POST {base}/chat/completions,
// streamed unless [endpoint.Options.Unary] is set. The base URL is
// https://api.openai.com/v1, the key that in OPENAI_API_KEY, sent as a bearer token.
// Mind that the key in the environment goes to whatever base URL is set.
//
// Any compatible server is reached by its base URL, with the version in it:
//
//	openai.Chat("llama3.2", endpoint.Options{BaseURL: "http://localhost:11434/v1"}) // Ollama
//
// So is Azure, by its newer path, where the model is the name of a deployment and
// the key goes into a header of its own, instead of the other one (see [Azure] for
// the older path):
//
//	openai.Chat("my-gpt-5", endpoint.Options{
//		BaseURL: "https://my-resource.openai.azure.com/openai/v1",
//		Header:  http.Header{"Api-Key": {os.Getenv("AZURE_OPENAI_API_KEY")}, "Authorization": nil},
//	})
//
// The limit of output tokens is sent as max_completion_tokens to OpenAI and Azure,
// whose reasoning models refuse max_tokens, and as max_tokens to everybody else,
// since many servers know only that. A stream is asked for its usage record with
// stream_options, which a few servers refuse. [endpoint.Options.Fields] says
// otherwise in both cases:
//
//	Fields: map[string]any{"stream_options": nil}                                  // no usage record
//	Fields: map[string]any{"max_tokens": nil, "max_completion_tokens": 2000}       // a reasoning model elsewhere
//	Fields: map[string]any{"stream_options": map[string]any{                       // vLLM: the exact tokens of the first chunk,
//		"continuous_usage_stats": true}}                                       // beside the usage record that is asked for
//
// Prompts are cached by OpenAI on its own, so a prompt's cached context is sent
// before its text, and without a mark: those are for the latest models alone, and
// their times to live are others than a [providers.Prompt] knows.
func Chat(model string, o endpoint.Options) *endpoint.Target {
	p := openAI
	p.Decoder, p.API, p.Terminal = ChatDecoder{}, ChatAPI, ChatEnd
	p.Path = func(string, bool) string { return "/chat/completions" }
	p.Body = chatBody
	return endpoint.New(p, model, o)
}

// Responses returns the responses of a model: POST {base}/responses. The base URL
// and the key are those of [Chat]. The limit of output tokens is sent as
// max_output_tokens. OpenAI keeps each response for 30 days unless it is told not to:
//
//	openai.Responses("gpt-5-mini", endpoint.Options{Fields: map[string]any{"store": false}})
func Responses(model string, o endpoint.Options) *endpoint.Target {
	p := openAI
	p.Decoder, p.API, p.Terminal = ResponsesDecoder{}, ResponsesAPI, ResponsesEnd
	p.Path = func(string, bool) string { return "/responses" }
	p.Body = responsesBody
	return endpoint.New(p, model, o)
}

// openAI is what its APIs have in common.
var openAI = endpoint.Protocol{
	Provider:  provider,
	BaseURL:   baseURL,
	KeyEnv:    "OPENAI_API_KEY",
	Authorize: endpoint.Bearer,
}

// Azure returns the chat completions of a deployment on Azure OpenAI:
// POST {base}/openai/deployments/{deployment}/chat/completions?api-version={version}.
// The base URL is that of the resource, https://{resource}.openai.azure.com, and must
// be given. The key is that in AZURE_OPENAI_API_KEY, sent as api-key; for Entra ID
// set [endpoint.Options.Token] to a source of tokens of the scope
// https://cognitiveservices.azure.com/.default. A prompt's own model is taken for
// the name of a deployment.
//
// The limit of output tokens is sent as max_completion_tokens and a usage record is
// asked for, which API versions before 2024-09-01-preview do not know; see [Chat]
// for how to leave them out. For the newer path, without versions, use [Chat].
func Azure(deployment, apiVersion string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   ChatDecoder{},
		Provider:  provider,
		API:       ChatAPI,
		KeyEnv:    "AZURE_OPENAI_API_KEY",
		Authorize: endpoint.Header("Api-Key"),
		Terminal:  ChatEnd,
		Facts:     providers.Facts{{Name: "api-version", Value: apiVersion}},
		Path: func(deployment string, _ bool) string {
			return "/openai/deployments/" + url.PathEscape(deployment) +
				"/chat/completions?api-version=" + url.QueryEscape(apiVersion)
		},
		Body: func(r endpoint.Request) (map[string]any, error) {
			if apiVersion == "" {
				return nil, errors.New("Azure: apiVersion is empty: want one such as 2024-10-21")
			}
			members, err := chatMembers(r, true)
			delete(members, "model") // it is in the path
			return members, err
		},
	}, deployment, o)
}
