// Package endpoint sends prompts to endpoints that take a JSON body over HTTP,
// which most do. A provider states its [Protocol]: where the body goes, how it is
// made, how a key is sent. The rest is the same for all, and is here:
//
//	var protocol = endpoint.Protocol{
//		Decoder:   Decoder{},
//		Provider:  "acme",
//		API:       "chat",
//		BaseURL:   "https://api.acme.test/v1",
//		KeyEnv:    "ACME_API_KEY",
//		Authorize: endpoint.Bearer,
//		Path:      func(model string, stream bool) string { return "/chat" },
//		Body: func(r endpoint.Request) (map[string]any, error) {
//			return map[string]any{"model": r.Model, "prompt": r.Prompt.Text, "stream": r.Stream}, nil
//		},
//	}
//
//	func Chat(model string, o endpoint.Options) *endpoint.Target { return endpoint.New(protocol, model, o) }
//
// Its user then measures
//
//	acme.Chat("acme-large", endpoint.Options{Temperature: endpoint.Value(0.0)})
package endpoint
