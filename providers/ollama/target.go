package ollama

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// BaseURL is where a server on this machine listens. OLLAMA_HOST is not looked at:
// what is measured does not depend on the environment.
const BaseURL = "http://localhost:11434"

// Chat measures a model ("llama3.2") at /api/chat of the server at [BaseURL], or
// of the one that o names. A server needs no key; where o has one, it is sent as a
// bearer token, which ollama.com asks for.
//
// The limit of tokens and the sampling parameters go into the member options, with
// which those in o.Fields are merged, the context length for one.
func Chat(model string, o endpoint.Options) *endpoint.Target {
	return target(chat, model, o, func(r endpoint.Request) object {
		var messages []object
		for _, m := range [...]struct{ role, content string }{
			{"system", r.Prompt.System},
			{"user", joined(r)},
		} {
			if m.content != "" {
				messages = append(messages, object{"role": m.role, "content": m.content})
			}
		}
		return object{"messages": messages}
	})
}

// Generate measures a model at /api/generate, as [Chat] does at /api/chat. The
// server applies the model's template unless o.Fields says {"raw": true}.
func Generate(model string, o endpoint.Options) *endpoint.Target {
	return target(generate, model, o, func(r endpoint.Request) object {
		members := object{"prompt": joined(r)}
		if r.Prompt.System != "" {
			members["system"] = r.Prompt.System
		}
		return members
	})
}

type object = map[string]any

// joined returns the context and the text, which are one string here. The server
// keeps a prefix that it has just seen by itself.
func joined(r endpoint.Request) string {
	if r.Prompt.CachedContext == "" {
		return r.Prompt.Text
	}
	return r.Prompt.CachedContext + "\n\n" + r.Prompt.Text
}

func target(api, model string, o endpoint.Options, prompt func(endpoint.Request) object) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder:   Decoder{},
		Provider:  provider,
		API:       api,
		BaseURL:   BaseURL,
		Authorize: endpoint.Bearer,
		Path:      func(string, bool) string { return "/api/" + api },
		Body: func(r endpoint.Request) (object, error) {
			if r.Model == "" {
				return nil, errors.New("no model")
			}
			members := prompt(r)
			members["model"] = r.Model
			members["stream"] = r.Stream
			members["options"] = options(r)
			return members, nil
		},
		Terminal: terminal,
	}, model, o)
}

func options(r endpoint.Request) object {
	options := object{"num_predict": r.Prompt.Limit()}
	if r.Temperature != nil {
		options["temperature"] = *r.Temperature
	}
	if r.TopP != nil {
		options["top_p"] = *r.TopP
	}
	if r.TopK != nil {
		options["top_k"] = *r.TopK
	}
	return options
}

// terminal ends a stream at the line that says that it is done, or an error. It runs
// between two reads, so that most lines are told by their bytes.
func terminal(resp *http.Response) func([]byte) bool {
	if !wire.Streams(resp, "application/x-ndjson") {
		return nil
	}
	return wire.LinesEnd(func(l wire.Line) bool {
		if !bytes.Contains(l.Data, []byte("true")) && !bytes.Contains(l.Data, []byte(`"error"`)) {
			return false
		}
		var end struct {
			Done  bool `json:"done"`
			Error any  `json:"error"`
		}
		return json.Unmarshal(l.Data, &end) == nil && (end.Done || end.Error != nil)
	})
}
