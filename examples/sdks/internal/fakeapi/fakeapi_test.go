package fakeapi

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIsolateHidesWhatTheEnvironmentSaysToSDKs(t *testing.T) {
	t.Setenv("OPENAI_BASE_URL", "https://elsewhere.example/v1")
	t.Setenv("ANTHROPIC_API_KEY", "secret")
	t.Setenv("LATGATE_FAKE_TAIL", "1.5")
	t.Run("isolated", func(t *testing.T) {
		Isolate(t)
		for _, name := range []string{"OPENAI_BASE_URL", "ANTHROPIC_API_KEY"} {
			_, set := os.LookupEnv(name)
			assert.False(t, set, name)
		}
		assert.Equal(t, "1.5", os.Getenv("LATGATE_FAKE_TAIL"))
	})
	assert.Equal(t, "https://elsewhere.example/v1", os.Getenv("OPENAI_BASE_URL"), "back when the test is over")
}

func TestLiveWithoutAKeyFails(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	_, err := liveKey("OPENAI_API_KEY")
	require.EqualError(t, err, "LATGATE_MODE=live: no key in OPENAI_API_KEY")
	t.Setenv("OPENAI_API_KEY", "key")
	key, err := liveKey("OPENAI_API_KEY")
	require.NoError(t, err)
	assert.Equal(t, "key", key)
}
