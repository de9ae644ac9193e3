package providertest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

func TestRunPassesAnHonestProvider(t *testing.T) {
	t.Parallel()
	Run(t, acmeCase())
}

// plain is a protocol of lines that nothing ends but the body.
type plain struct{}

func (plain) Recognizes(x *wire.Exchange) bool { return acme{}.Recognizes(x) }

func (plain) Decode(x *wire.Exchange) *providers.Response {
	b := providers.NewBuilder("plain", "lines", x)
	if b.Refused() {
		b.Refuse(providers.ErrorOf(b.Exchange.Body))
		return b.Done()
	}
	b.Lines(func(line wire.Line) error {
		var word string
		if err := json.Unmarshal(line.Data, &word); err != nil {
			return err
		}
		b.Add(providers.Text, word)
		return nil
	})
	if x.Ending == wire.EndEOF {
		b.Complete()
	}
	return b.Done()
}

func TestRunPassesAProtocolWithoutATerminalEvent(t *testing.T) {
	t.Parallel()
	protocol := acmeProtocol
	protocol.Decoder, protocol.Provider, protocol.API, protocol.Terminal = plain{}, "plain", "lines", nil
	protocol.Body = func(r endpoint.Request) (map[string]any, error) {
		return map[string]any{"prompt": r.Prompt.Text}, nil
	}
	Run(t, Case{
		New: func(url string, client *http.Client) providers.Target {
			return endpoint.New(protocol, "plain", endpoint.Options{BaseURL: url, Client: client})
		},
		Stream:   Lines(`"Hello"`, `", you"`),
		Want:     Want{Text: "Hello, you", First: 0, Last: 1, EndsWithBody: true},
		NoSystem: true,
	})
}

func TestEventsNamesThem(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"event: a\ndata: 1\n\n", "data: 2\n\n"}, Events("a", "1", "", "2").Pieces)
}

func TestRunRefusesACaseThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		spoil func(*Case)
	}{
		{"New is nil", func(c *Case) { c.New = nil }},
		{"Stream has no pieces", func(c *Case) { c.Stream = Reply{} }},
		{"indexes of the 7 pieces", func(c *Case) { c.Want.Last = 7 }},
		{"indexes of the 7 pieces", func(c *Case) { c.Want.First = 5 }},
		{"indexes of the 7 pieces", func(c *Case) { c.Want.First = -1 }},
		{"indexes of the 7 pieces", func(c *Case) { c.Want.Terminal = 9 }},
		{"NewUnary without Unary", func(c *Case) { c.Unary = Reply{} }},
	} {
		spoilt := acmeCase()
		c.spoil(&spoilt)
		assert.ErrorContains(t, spoilt.validate(), c.want)
	}
	c := acmeCase()
	assert.NoError(t, c.validate())
}
