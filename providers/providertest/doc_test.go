package providertest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/providertest"
	"github.com/latgate/latgate/providers/wire"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Case{
		New: func(url string, client *http.Client) providers.Target {
			return acme.Chat("acme-large", endpoint.Options{BaseURL: url, Client: client})
		},
		Stream: providertest.SSE(`{"role":"assistant"}`, `{"text":"Hel"}`, `{"text":"lo"}`, `{"stop":"end"}`),
		Want:   providertest.Want{Text: "Hello", First: 1, Last: 2, Stop: "end"},
	})
}

// acme stands for the package of a user's own provider.
var acme vendor

type vendor struct{}

func (vendor) Chat(model string, o endpoint.Options) *endpoint.Target {
	return endpoint.New(endpoint.Protocol{
		Decoder: decoder{}, Provider: "acme", API: "chat",
		Path: func(string, bool) string { return "/chat" },
		Body: func(r endpoint.Request) (map[string]any, error) {
			return map[string]any{"model": r.Model, "system": r.Prompt.System, "prompt": r.Prompt.Text}, nil
		},
		Terminal: func(resp *http.Response) func([]byte) bool {
			if resp.StatusCode != http.StatusOK {
				return nil
			}
			return wire.SSEEnd(func(e wire.SSEEvent) bool { return strings.Contains(string(e.Data), `"stop"`) })
		},
	}, model, o)
}

type decoder struct{}

func (decoder) Recognizes(x *wire.Exchange) bool { return strings.HasSuffix(x.Path, "/chat") }

func (decoder) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder("acme", "chat", x)
	if b.Refused() {
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
		return b.Done()
	}
	b.SSE(func(e wire.SSEEvent) error {
		var chunk struct{ Text, Stop string }
		if err := json.Unmarshal(e.Data, &chunk); err != nil {
			return err
		}
		b.Add(providers.Text, chunk.Text)
		if b.Stop = chunk.Stop; b.Stop != "" {
			b.Finish()
		}
		return nil
	})
	return b.Done()
}

func TestDocumentationShowsATestThatPasses(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	here, err := os.ReadFile("doc_test.go")
	require.NoError(t, err)
	var shown strings.Builder
	for line := range strings.Lines(string(doc)) {
		if code, is := strings.CutPrefix(line, "//\t"); is {
			shown.WriteString(code)
		}
	}
	assert.Contains(t, shown.String(), "providertest.Run")
	assert.Contains(t, string(here), shown.String())
}
