package sagemaker

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/latgate/latgate/providers"
)

type settings struct {
	tgi         bool
	temperature *float64
	topP        *float64
	topK        *int
	fields      map[string]any
	component   string
	variant     string
	sdkRetries  bool
}

// An Option changes what a [Target] sends.
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// TGI sends prompts as text-generation-inference takes them, as {"inputs": …,
// "parameters": …}, and so do DJL's containers. The prompt is one text then, without
// the marks of a model's template.
func TGI() Option { return option(func(s *settings) { s.tgi = true }) }

// Temperature sends a sampling temperature. To TGI 0 goes as greedy decoding, since
// it refuses the number.
func Temperature(v float64) Option { return option(func(s *settings) { s.temperature = &v }) }

// TopP sends a nucleus sampling limit.
func TopP(v float64) Option { return option(func(s *settings) { s.topP = &v }) }

// TopK sends a top-k sampling limit.
func TopK(k int) Option { return option(func(s *settings) { s.topK = &k }) }

// Fields sets members of the request body, under the container's names. They go
// before what would be sent otherwise. A member that is nil is left out:
//
//	sagemaker.Fields(map[string]any{"model": "my-model", "stream_options": nil})
func Fields(fields map[string]any) Option { return option(func(s *settings) { s.fields = fields }) }

// InferenceComponent names the component to invoke, of an endpoint that has several.
func InferenceComponent(name string) Option { return option(func(s *settings) { s.component = name }) }

// Variant names the production variant to invoke, of an endpoint that has several.
func Variant(name string) Option { return option(func(s *settings) { s.variant = name }) }

// SDKRetries keeps the client's own retries on. Each attempt is then a part of
// the sample, which runs from the first attempt's start.
func SDKRetries() Option { return option(func(s *settings) { s.sdkRetries = true }) }

// body returns the request body for a prompt.
func (s settings) body(p providers.Prompt, stream bool) ([]byte, error) {
	members := s.chat(p, stream)
	if s.tgi {
		members = s.generate(p, stream)
	}
	maps.Copy(members, s.fields)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	body, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("sagemaker: Fields: %w", err)
	}
	return body, nil
}

func (s settings) chat(p providers.Prompt, stream bool) map[string]any {
	type message map[string]string
	messages := []message{{"role": "user", "content": user(p)}}
	if p.System != "" {
		messages = append([]message{{"role": "system", "content": p.System}}, messages...)
	}
	members := map[string]any{"messages": messages, "max_tokens": p.Limit()}
	if stream {
		members["stream"] = true
		members["stream_options"] = map[string]any{"include_usage": true}
	}
	if s.temperature != nil {
		members["temperature"] = *s.temperature
	}
	if s.topP != nil {
		members["top_p"] = *s.topP
	}
	if s.topK != nil {
		members["top_k"] = *s.topK
	}
	return members
}

func (s settings) generate(p providers.Prompt, stream bool) map[string]any {
	parameters := map[string]any{
		"max_new_tokens": p.Limit(),
		"details":        true, // the usage record is in there
	}
	if t := s.temperature; t != nil {
		parameters["do_sample"] = *t > 0
		if *t > 0 {
			parameters["temperature"] = *t
		}
	}
	if v := s.topP; v != nil && *v < 1 { // TGI refuses 1, which is its default
		parameters["top_p"] = *v
	}
	if s.topK != nil {
		parameters["top_k"] = *s.topK
	}
	inputs := user(p)
	if p.System != "" {
		inputs = p.System + "\n\n" + inputs
	}
	members := map[string]any{"inputs": inputs, "parameters": parameters}
	if stream {
		members["stream"] = true
	}
	return members
}

// user returns what the user says. Containers cache prompts by themselves, if at
// all: what is to be cached goes first, without a mark.
func user(p providers.Prompt) string {
	if p.CachedContext == "" {
		return p.Text
	}
	return p.CachedContext + "\n\n" + p.Text
}
