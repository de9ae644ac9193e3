package yourapp_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
)

// virtual is what latencytest.Replay does, for a test that wants to see the misses
// itself.
func virtual(t *testing.T, recording *cassette.Cassette, f func(*testing.T, http.RoundTripper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		player, err := recording.Handler(cassette.ReplayOptions{Repeat: true})
		require.NoError(t, err)
		network := fakes.NewNetwork(player)
		defer network.Close()
		f(t, network.Transport())
		require.NotEmpty(t, player.Misses())
	})
}
