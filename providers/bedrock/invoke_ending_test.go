package bedrock_test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

func TestInvokedStreamThatIsLeftOpenEndsAfterItsMetrics(t *testing.T) {
	t.Parallel()
	piece := func(w http.ResponseWriter, json string) {
		event(w, "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(json))+`"}`)
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			piece(w, `{"generation":"\"amazon-bedrock-invocationMetrics\":{}","stop_reason":null}`)
			time.Sleep(time.Second)
			piece(w, `{"generation":".","stop_reason":"stop"}`)
			time.Sleep(300 * ms)
			piece(w, `{"generation":"","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":2}}`)
			<-r.Context().Done()
		}))
		defer network.Close()
		target := bedrock.InvokeModelWithResponseStream(client(network.Transport()), "meta.llama3-8b-instruct-v1:0")
		capture := wire.NewCapture(0)
		require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"}))
		x := capture.Exchanges()[0]
		assert.Equal(t, wire.EndTerminal, x.Ending)
		assert.Equal(t, wire.At(1550*ms), x.End)
		r := target.Decode(x)
		assert.Equal(t, providers.OK, r.Class, r.Detail)
		assert.Equal(t, wire.At(1300*ms), r.End, "t_end is the terminal event")
		assert.Equal(t, wire.At(1000*ms), r.Last())
		assert.Equal(t, providers.CountOf(2), r.Usage.Output)
	})
}
