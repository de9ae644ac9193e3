package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/latgate/latgate/benchmark"
	"github.com/latgate/latgate/providers"
)

// targetOf returns what makes the targets of a benchmark file, with the keys of an
// environment.
func targetOf(env *environment) func(context.Context, benchmark.Endpoint) (providers.Target, error) {
	return func(ctx context.Context, e benchmark.Endpoint) (providers.Target, error) {
		target, err := endpointTarget(ctx, e, env)
		if err != nil {
			return nil, errors.New(inKeys(err.Error()))
		}
		return target, nil
	}
}

func endpointTarget(ctx context.Context, e benchmark.Endpoint, env *environment) (providers.Target, error) {
	f, err := asFlags(e)
	if err != nil {
		return nil, err
	}
	provider, err := providerOf(e.Name)
	if err != nil {
		return nil, err
	}
	if err := provider.understands(f.given); err != nil {
		return nil, err
	}
	unnamed := func(p providers.Prompt) bool { return p.Model == "" }
	if provider.model != "" && e.Model == "" && slices.ContainsFunc(e.Prompts, unnamed) {
		return nil, fmt.Errorf("models: say which, as in models: [%s]", provider.model)
	}
	choice, err := provider.choice(f, env)
	if err != nil {
		return nil, err
	}
	choice.model, choice.latency = e.Model, e.Latency
	target, err := provider.target(ctx, choice)
	if err == nil && provider.name == "custom" && e.Model != "" { // whose file has another
		target = modelTarget{target, e.Model}
	}
	return target, err
}

// asFlags says what a file says of a provider as flags do.
func asFlags(e benchmark.Endpoint) (*profileFlags, error) {
	f := &profileFlags{
		provider: e.Name, baseURL: e.BaseURL, region: e.Region, project: e.Project, apiVersion: e.APIVersion,
		family: e.Family, endpoint: e.Endpoint, keyEnv: e.KeyEnv, thinkingBudget: e.ThinkingBudget,
		unary: e.Unary, stream: true,
	}
	if f.apiVersion == "" {
		f.apiVersion = defaultAPIVersion
	}
	if e.Temperature != nil {
		f.temperature = *e.Temperature
	}
	if e.TopP != nil {
		f.topP = *e.TopP
	}
	if e.TopK != nil {
		f.topK = *e.TopK
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		f.headers = append(f.headers, name+"="+e.Headers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		value, err := json.Marshal(e.Fields[name])
		if err != nil {
			return nil, fmt.Errorf("--field: %s: %w", name, err)
		}
		f.fields = append(f.fields, name+"="+string(value))
	}
	f.given = func(flag string) bool {
		switch flag {
		case "model":
			return e.Model != ""
		case "base-url":
			return e.BaseURL != ""
		case "unary":
			return e.Unary
		}
		_, key, _ := strings.Cut(keyOf(flag), "[].")
		return e.Given(key)
	}
	return f, nil
}

var flagInText = regexp.MustCompile(`--([a-z][a-z-]*)`)

// inKeys says an error about flags in terms of a file's keys.
func inKeys(text string) string {
	return flagInText.ReplaceAllStringFunc(text, func(flag string) string {
		name := strings.TrimPrefix(flag, "--")
		if name == "base-url" {
			return "base_url"
		}
		key := keyOf(name)
		if key == "" {
			return flag
		}
		return key[strings.LastIndexByte(key, '.')+1:]
	})
}

// A modelTarget asks for another model than its target would.
type modelTarget struct {
	providers.Target
	model string
}

func (t modelTarget) named(p providers.Prompt) providers.Prompt {
	if p.Model == "" {
		p.Model = t.model
	}
	return p
}

func (t modelTarget) Describe(p providers.Prompt) providers.Facts {
	return t.Target.Describe(t.named(p))
}

func (t modelTarget) Send(ctx context.Context, p providers.Prompt) error {
	return t.Target.Send(ctx, t.named(p))
}
