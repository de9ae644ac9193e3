package providertest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// acme is a provider that does everything right.
type acme struct{}

func (acme) Recognizes(x *wire.Exchange) bool {
	return x.Method == http.MethodPost && strings.HasSuffix(x.Path, "/chat")
}

type acmeChunk struct {
	Model   string `json:"model"`
	Text    string `json:"text"`
	Thought string `json:"thought"`
	Stop    string `json:"stop"`
	Usage   struct {
		Input  providers.Count `json:"in"`
		Output providers.Count `json:"out"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

func (acme) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder("acme", "chat", x)
	take := func(data []byte) error {
		var c acmeChunk
		if err := json.Unmarshal(data, &c); err != nil {
			return err
		}
		if len(c.Error) > 0 && string(c.Error) != "null" {
			b.FailStream(providers.ErrorOf(c.Error))
			return nil
		}
		b.Model += c.Model
		b.Add(providers.Reasoning, c.Thought)
		b.Add(providers.Text, c.Text)
		if c.Usage.Input.Known() {
			b.Usage = providers.Usage{Input: c.Usage.Input, Output: c.Usage.Output}
		}
		if c.Stop != "" {
			b.Stop = c.Stop
			b.Finish()
		}
		return nil
	}
	switch {
	case b.Refused():
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
	case b.MediaType() == "application/json":
		var whole json.RawMessage
		if b.Whole(&whole) {
			if err := take(whole); err != nil {
				b.Fail(providers.Parse, "", err.Error())
			}
		}
	default:
		b.SSE(func(e wire.SSEEvent) error { return take(e.Data) })
	}
	return b.Done()
}

var errNoModel = errors.New("no model")

var acmeProtocol = endpoint.Protocol{
	Decoder:  acme{},
	Provider: "acme",
	API:      "chat",
	Path:     func(string, bool) string { return "/chat" },
	Body: func(r endpoint.Request) (map[string]any, error) {
		if r.Model == "" {
			return nil, errNoModel
		}
		return map[string]any{"model": r.Model, "system": r.Prompt.System, "prompt": r.Prompt.Text, "stream": r.Stream}, nil
	},
	Terminal: acmeTerminal,
}

func acmeTerminal(resp *http.Response) func([]byte) bool {
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		return nil
	}
	return wire.SSEEnd(func(e wire.SSEEvent) bool {
		var c acmeChunk
		return json.Unmarshal(e.Data, &c) == nil && c.Stop != ""
	})
}

// acmeCase is the honest provider's.
func acmeCase() Case {
	return Case{
		New: func(url string, client *http.Client) providers.Target {
			return endpoint.New(acmeProtocol, "acme-large", endpoint.Options{BaseURL: url, Client: client})
		},
		Stream: SSE(
			`{"model":"acme-large","text":""}`, `{"thought":"Hm."}`, `{"text":"Hel","usage":{"in":9,"out":2}}`, `{}`,
			`{"text":"lo, 世界"}`, `{"text":"","usage":{"in":9,"out":5}}`, `{"stop":"end"}`,
		),
		Want: Want{
			Text: "Hello, 世界", Reasoning: 3, First: 1, Last: 4, Stop: "end", Model: "acme-large",
			Usage: providers.Usage{Input: providers.CountOf(9), Output: providers.CountOf(5)},
		},
		Empty: SSE(`{"text":""}`, `{"stop":"end"}`),
		Errors: []ErrorReply{
			{"quota", JSON(`{"error":{"code":"rate_limit"}}`).With(429), providers.Throttled, "rate_limit"},
			{"in the stream", SSE(`{"text":"Hel"}`, `{"error":{"code":"broken"}}`), providers.StreamError, "broken"},
		},
		NewUnary: func(url string, client *http.Client) providers.Target {
			return endpoint.New(acmeProtocol, "acme-large", endpoint.Options{BaseURL: url, Client: client, Unary: true})
		},
		Unary:     JSON(`{"text":"Hello","stop":"end"}`),
		UnaryWant: Want{Text: "Hello", Stop: "end"},
	}
}
