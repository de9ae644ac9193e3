package latencytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadPrices(t *testing.T) {
	t.Parallel()
	read := func(text string) (Prices, error) {
		path := filepath.Join(t.TempDir(), "prices.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return ReadPrices(path)
	}
	prices, err := read(`{
		"gpt-4o-mini": {"max_tokens": 16384, "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-08, "litellm_provider": "openai", "supports_vision": true},
		"dall-e-3": {"mode": "image_generation", "input_cost_per_pixel": 4e-8}}`)
	require.NoError(t, err)
	assert.Len(t, prices, 1)
	assert.Equal(t, 6e-07, *prices["gpt-4o-mini"].Output)
	assert.Nil(t, prices["gpt-4o-mini"].CacheWrite)

	_, err = read(`{"b": {"input_cost_per_token": "0.001"}, "a": {"input_cost_per_token": -1}, "c": {"output_cost_per_token": 2}, "d": 5}`)
	for _, want := range []string{
		"prices.json: a: input_cost_per_token: want dollars per token, 0 to 1, got -1",
		"prices.json: b: input_cost_per_token: want a number, got a string",
		"prices.json: c: output_cost_per_token: want dollars per token, 0 to 1, got 2",
		"prices.json: d: ",
	} {
		assert.ErrorContains(t, err, want)
	}
	for _, text := range []string{"", "[]", "null5", `{"a":`} {
		_, err = read(text)
		assert.ErrorContains(t, err, "want a JSON object with a price for each model", text)
	}
	_, err = ReadPrices(filepath.Join(t.TempDir(), "none.json"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
