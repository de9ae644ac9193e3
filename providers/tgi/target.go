package tgi

import (
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
)

// model is what the server's own chat completions call the one model that it has.
const model = "tgi"

// Generate returns the endpoint of a server, which has one model:
// POST {base}/generate_stream, or {base}/generate where [endpoint.Options.Unary] is
// set. The base URL must be given. A key is sent as a bearer token where
// [endpoint.Options.Key] is set; no environment variable is looked at. The model is
// described as "tgi", since its name is in neither request nor reply: it takes the
// host in the base URL to tell the measurements of two models apart.
//
// The prompt is the system prompt, the cached context and the text, parted by blank
// lines and sent as they are: no template is applied. A temperature of 0 is sent as
// greedy decoding, and a top-p of 1 not at all, since the server refuses both numbers.
// [endpoint.Options.Fields] adds to the parameters, or replaces some of them:
//
//	Fields: map[string]any{"parameters": map[string]any{"seed": 1, "details": nil}}
func Generate(o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   Decoder{},
		Provider:  provider,
		API:       api,
		Authorize: endpoint.Bearer,
		Path: func(_ string, stream bool) string {
			if stream {
				return "/generate_stream"
			}
			return "/generate"
		},
		Body:     body,
		Terminal: End,
	}, model, o)
}

func body(r endpoint.Request) (map[string]any, error) {
	parameters := map[string]any{
		"max_new_tokens": r.Prompt.Limit(),
		"details":        true, // the usage record is in there
	}
	if t := r.Temperature; t != nil {
		parameters["do_sample"] = *t > 0
		if *t > 0 {
			parameters["temperature"] = *t
		}
	}
	if p := r.TopP; p != nil && *p < 1 {
		parameters["top_p"] = *p
	}
	if k := r.TopK; k != nil {
		parameters["top_k"] = *k
	}
	return map[string]any{"inputs": inputs(r.Prompt), "parameters": parameters}, nil
}

func inputs(p providers.Prompt) string {
	text := ""
	for _, part := range []string{p.System, p.CachedContext} {
		if part != "" {
			text += part + "\n\n"
		}
	}
	return text + p.Text
}
