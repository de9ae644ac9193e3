package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/anthropic"
	"github.com/latgate/latgate/providers/cohere"
	"github.com/latgate/latgate/providers/custom"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
	"github.com/latgate/latgate/providers/gemini/vertex"
	"github.com/latgate/latgate/providers/ollama"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/providers/tgi"
)

// A provider is one value of --provider.
type provider struct {
	name, about string
	model       string // what a model is called there, as an example; "" where there is none to choose
	key         string // the environment variable of the key; "" for none
	base        string // an example of the base URL where there is no default
	takes       string // the flags that not every provider understands
	target      func(context.Context, *choice) (providers.Target, error)
}

// A choice is what a provider makes a target of.
type choice struct {
	flags   *profileFlags
	env     *environment
	model   string           // "" where each prompt names its own
	latency string           // of Bedrock; "" for its default
	options endpoint.Options // with the key
}

const (
	overHTTP = "model base-url header key-env temperature top-p top-k field unary stream"
	overAWS  = "model base-url region temperature top-p top-k unary stream"
)

var allProviders = []provider{
	{
		name: "openai", about: "OpenAI's chat completions; any compatible server by --base-url",
		model: "gpt-5-mini", key: "OPENAI_API_KEY", takes: overHTTP,
		target: simple(openai.Chat),
	},
	{
		name: "openai-responses", about: "OpenAI's responses",
		model: "gpt-5-mini", key: "OPENAI_API_KEY", takes: overHTTP,
		target: simple(openai.Responses),
	},
	{
		name: "azure", about: "chat completions of a deployment, which --model names, on Azure OpenAI",
		model: "my-deployment", key: "AZURE_OPENAI_API_KEY", base: "https://my-resource.openai.azure.com",
		takes: overHTTP + " api-version",
		target: func(_ context.Context, c *choice) (providers.Target, error) {
			return openai.Azure(c.model, c.flags.apiVersion, c.options), nil
		},
	},
	{
		name: "anthropic", about: "Anthropic's messages",
		model: "claude-haiku-4-5", key: "ANTHROPIC_API_KEY", takes: overHTTP + " thinking-budget",
		target: simple(anthropic.Messages),
	},
	{
		name: "gemini", about: "Google's Gemini API",
		model: "gemini-2.5-flash", key: "GEMINI_API_KEY", takes: overHTTP,
		target: simple(gemini.GenerateContent),
	},
	{
		name: "vertex", about: "Gemini on Vertex AI; --region is the location",
		model: "gemini-2.5-flash", key: "GOOGLE_OAUTH_ACCESS_TOKEN", takes: overHTTP + " region project",
		target: onVertex,
	},
	{
		name: "cohere", about: "Cohere's chat, version 2",
		model: "command-a-03-2025", key: "CO_API_KEY", takes: overHTTP,
		target: simple(cohere.Chat),
	},
	{
		name: "ollama", about: "a server of Ollama's, that of this machine by default",
		model: "llama3.2", takes: overHTTP,
		target: simple(ollama.Chat),
	},
	{
		name: "tgi", about: "a server of text-generation-inference",
		base: "http://localhost:8080", takes: strings.TrimPrefix(overHTTP, "model "),
		target: func(_ context.Context, c *choice) (providers.Target, error) { return tgi.Generate(c.options), nil },
	},
	{
		name: "bedrock", about: "Amazon Bedrock's Converse and ConverseStream",
		model: "us.anthropic.claude-haiku-4-5-20251001-v1:0", takes: overAWS + " latency",
		target: converse,
	},
	{
		name: "bedrock-invoke", about: "Amazon Bedrock's InvokeModel, streamed or not",
		model: "us.anthropic.claude-haiku-4-5-20251001-v1:0", takes: overAWS + " latency family",
		target: invokeModel,
	},
	{
		name: "sagemaker", about: "an endpoint of Amazon SageMaker's, which --model names",
		model: "my-endpoint", takes: overAWS + " family field",
		target: invokeEndpoint,
	},
	{
		name: "custom", about: "what a file describes, see --endpoint",
		takes: "model endpoint",
		target: func(_ context.Context, c *choice) (providers.Target, error) {
			if c.flags.endpoint == "" {
				return nil, errors.New("--endpoint: provider custom needs a file that describes it")
			}
			return custom.Load(c.flags.endpoint)
		},
	},
}

func simple(target func(model string, o endpoint.Options) *endpoint.Target) func(context.Context, *choice) (providers.Target, error) {
	return func(_ context.Context, c *choice) (providers.Target, error) { return target(c.model, c.options), nil }
}

func onVertex(_ context.Context, c *choice) (providers.Target, error) {
	project := c.flags.project
	if project == "" {
		project = c.env.get("GOOGLE_CLOUD_PROJECT")
	}
	switch {
	case project == "":
		return nil, errors.New("--project: provider vertex needs one; GOOGLE_CLOUD_PROJECT is not set either")
	case c.flags.region == "":
		return nil, errors.New("--region: provider vertex needs a location, as in --region europe-west1")
	}
	var source oauth2.TokenSource
	if c.options.Key != "" {
		source = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: c.options.Key})
		c.options.Key = ""
	}
	return vertex.GenerateContent(project, c.flags.region, c.model, source, c.options), nil
}

func providerNames() []string {
	var names []string
	for _, p := range allProviders {
		names = append(names, p.name)
	}
	return names
}

func providerOf(name string) (provider, error) {
	i := slices.IndexFunc(allProviders, func(p provider) bool { return p.name == name })
	switch {
	case name == "":
		return provider{}, fmt.Errorf("--provider: say which: %s", strings.Join(providerNames(), ", "))
	case i < 0:
		return provider{}, fmt.Errorf("--provider: there is no %q: want %s", name, strings.Join(providerNames(), ", "))
	}
	return allProviders[i], nil
}

// understands returns an error for a flag that was given and means nothing to the
// provider.
func (p provider) understands(given func(flag string) bool) error {
	var flags []string
	for _, other := range allProviders {
		flags = append(flags, strings.Fields(other.takes)...)
	}
	slices.Sort(flags)
	for _, flag := range slices.Compact(flags) {
		if !given(flag) || slices.Contains(strings.Fields(p.takes), flag) {
			continue
		}
		var takers []string
		for _, other := range allProviders {
			if slices.Contains(strings.Fields(other.takes), flag) {
				takers = append(takers, other.name)
			}
		}
		return fmt.Errorf("--%s: provider %s takes none, only %s", flag, p.name, strings.Join(takers, ", "))
	}
	return nil
}

// choice gathers what the provider needs, the key above all: nothing is sent before
// it is there.
func (p provider) choice(f *profileFlags, env *environment) (*choice, error) {
	c := &choice{flags: f, env: env}
	if f.baseURL == "" && p.base != "" {
		return nil, fmt.Errorf("--base-url: provider %s needs one, as in --base-url %s", p.name, p.base)
	}
	if f.baseURL != "" {
		u, err := url.Parse(f.baseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			return nil, errors.New("--base-url: want http:// or https://, a host, and a path at most")
		}
	}
	var err error
	if c.options, err = f.endpointOptions(env); err != nil {
		return nil, err
	}
	name := p.key
	if f.keyEnv != "" {
		name = f.keyEnv
	}
	if name != "" {
		c.options.Key = env.secret(name)
	}
	authorized := slices.ContainsFunc(credentialHeaders, func(h string) bool { return c.options.Header.Get(h) != "" })
	optional := name == "" || f.keyEnv == "" && (authorized || f.baseURL != "" && p.base == "")
	if c.options.Key == "" && !optional {
		return nil, fmt.Errorf("the environment variable %s is not set: provider %s takes its key from there, or from the one that --key-env names", name, p.name)
	}
	return c, nil
}
