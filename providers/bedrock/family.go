package bedrock

import (
	"fmt"
	"strings"

	"github.com/latgate/latgate/providers"
)

// A ModelFamily says in which words InvokeModel asks a model. Converse needs none.
type ModelFamily string

// The families, and the model ids that tell them.
const (
	Anthropic ModelFamily = "anthropic" // anthropic.*: the Messages API
	Nova      ModelFamily = "nova"      // amazon.nova-*
	Titan     ModelFamily = "titan"     // amazon.titan-text-*
	Llama     ModelFamily = "llama"     // meta.llama3-*: a prompt with Llama 3's marks
	Llama4    ModelFamily = "llama4"    // meta.llama4-*: a prompt with Llama 4's marks
	Command   ModelFamily = "command"   // cohere.command-text-*, cohere.command-light-*
	CommandR  ModelFamily = "command-r" // cohere.command-r-*
	Mistral   ModelFamily = "mistral"   // mistral.mistral-7b-*, mixtral-* and those of February 2024: a prompt with [INST]
	Chat      ModelFamily = "chat"      // Mistral's other models, openai.*, qwen.*: messages, as in OpenAI's chat completions
)

// familyPrefixes go by the first that fits. What is before it in the id, a region's
// prefix say, does not matter.
var familyPrefixes = []struct {
	prefix string
	family ModelFamily
}{
	{"anthropic.", Anthropic},
	{"amazon.nova-", Nova},
	{"amazon.titan-text-", Titan},
	{"meta.llama3-", Llama},
	{"meta.llama4-", Llama4},
	{"cohere.command-r-", CommandR},
	{"cohere.command-text-", Command},
	{"cohere.command-light-", Command},
	{"mistral.mistral-7b-", Mistral},
	{"mistral.mixtral-", Mistral},
	{"mistral.mistral-small-2402-", Mistral},
	{"mistral.mistral-large-2402-", Mistral},
	{"mistral.", Chat},
	{"openai.", Chat},
	{"qwen.", Chat},
}

// familyOf returns the family of a model by its id: "us.amazon.nova-lite-v1:0", or
// an ARN that ends in one. That of an application inference profile, of a custom or
// an imported model does not tell.
func familyOf(model string) (ModelFamily, error) {
	id := model[strings.LastIndex(model, "/")+1:]
	for _, f := range familyPrefixes {
		if strings.HasPrefix(id, f.prefix) || strings.Contains(id, "."+f.prefix) {
			return f.family, nil
		}
	}
	return "", fmt.Errorf("bedrock: InvokeModel: the id of %s does not tell the words of its model; say so with the option Family, "+
		"bedrock.Family(bedrock.Anthropic) for one", masked(model))
}

// An ask is what the words of every family are made of.
type ask struct {
	settings
	providers.Prompt
	stream bool
}

type object = map[string]any

// body returns the request body for a model of family f.
func (a ask) body(f ModelFamily) (object, error) {
	words, known := dictionary[f]
	switch {
	case !known:
		return nil, fmt.Errorf("bedrock: Family: there is no family %q", f)
	case a.Caching && !words.caches:
		return nil, fmt.Errorf("bedrock: prompt_caching: models of the family %s take no cache mark", f)
	case a.topK != nil && words.topK == "":
		return nil, fmt.Errorf("bedrock: TopK: models of the family %s take no top-k that is known; leave the option out", f)
	}
	body := words.ask(a)
	limits := body
	if words.limits != "" {
		limits = object{}
		body[words.limits] = limits
	}
	limits[words.maxTokens] = a.Limit()
	if a.temperature != nil {
		limits["temperature"] = *a.temperature
	}
	if a.topP != nil {
		limits[words.topP] = *a.topP
	}
	if a.topK != nil {
		limits[words.topK] = *a.topK
	}
	return body, nil
}
