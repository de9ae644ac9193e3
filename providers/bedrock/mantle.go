package bedrock

import (
	"context"
	"errors"
	"os"

	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
)

// keyEnv names the environment variable with the API key of Bedrock, which the
// AWS SDKs read as well.
const keyEnv = "AWS_BEARER_TOKEN_BEDROCK"

// Mantle returns the chat completions of a model at Bedrock's OpenAI-compatible
// endpoint of a region: POST https://bedrock-mantle.{region}.api.aws/v1/chat/completions.
// The key is that in AWS_BEARER_TOKEN_BEDROCK, read with each request, unless the
// options have a key or a token; without any, sending fails. Its responses are
// filed as OpenAI's.
//
//	bedrock.Mantle("us-east-1", "openai.gpt-oss-120b", endpoint.Options{Temperature: endpoint.Value(0.0)})
//
// Its Messages endpoint is reached by [anthropic.Messages].
//
// [anthropic.Messages]: https://pkg.go.dev/github.com/latgate/latgate/providers/anthropic#Messages
func Mantle(region, model string, o endpoint.Options) *endpoint.Target {
	return openai.Chat(model, mantleOptions(region, o))
}

// MantleResponses returns the responses API at the same endpoint:
// POST https://bedrock-mantle.{region}.api.aws/v1/responses.
func MantleResponses(region, model string, o endpoint.Options) *endpoint.Target {
	return openai.Responses(model, mantleOptions(region, o))
}

func mantleOptions(region string, o endpoint.Options) endpoint.Options {
	switch {
	case o.BaseURL != "":
	case region == "":
		o.Token = func(context.Context) (string, error) { return "", errors.New("bedrock: Mantle: region is empty") }
	default:
		o.BaseURL = "https://bedrock-mantle." + region + ".api.aws/v1"
	}
	if o.Key == "" && o.Token == nil {
		o.Token = mantleKey // not the key of OpenAI, which the target would send otherwise
	}
	return o
}

func mantleKey(context.Context) (string, error) {
	if key := os.Getenv(keyEnv); key != "" {
		return key, nil
	}
	return "", errors.New("bedrock: Mantle: no API key in " + keyEnv)
}
