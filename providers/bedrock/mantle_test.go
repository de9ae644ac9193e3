package bedrock_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/internal/recorded"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/wire"
)

// sendOpenly makes one request and decodes it.
func sendOpenly(t *testing.T, target *endpoint.Target) (*providers.Response, error) {
	t.Helper()
	capture := wire.NewCapture(0)
	err := target.Send(capture.Context(t.Context()), providers.Prompt{Text: "hello"})
	exchanges := capture.Exchanges()
	if len(exchanges) == 0 {
		return nil, err
	}
	return target.Decode(exchanges[0]), err
}

func TestMantleSpeaksAsOpenAIDoes(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key")
	t.Setenv("OPENAI_API_KEY", "openai-key")
	for path, make := range map[string]func(string, string, endpoint.Options) *endpoint.Target{
		"/v1/chat/completions": bedrock.Mantle, "/v1/responses": bedrock.MantleResponses,
	} {
		synctest.Test(t, func(t *testing.T) {
			script := fakes.Script{TTFT: fakes.Constant(300 * ms), Gap: fakes.Constant(20 * ms), OutputTokens: 8}
			network := fakes.NewNetwork(fakes.OpenAI(script))
			defer network.Close()
			wiretap := &seen{network: network.Transport()}
			client := &http.Client{Transport: wiretap}
			target := make("us-west-2", "openai.gpt-oss-120b", endpoint.Options{Client: client})
			assert.Equal(t, "bedrock-mantle.us-west-2.api.aws", target.Describe(providers.Prompt{}).Get("endpoint"))
			r, err := sendOpenly(t, target)
			require.NoError(t, err)
			assert.Equal(t, providers.OK, r.Class, r.Detail)
			require.Len(t, r.Events, 8)
			for i, content := range script.Schedule(0, 0).Content {
				assert.Equal(t, content.At, r.Events[i].At)
			}
			assert.Equal(t, path, wiretap.path)
			assert.Equal(t, "bedrock-mantle.us-west-2.api.aws", wiretap.host)
			assert.Equal(t, "Bearer bedrock-key", wiretap.auth, "not OpenAI's")

			_, err = sendOpenly(t, make("us-west-2", "m", endpoint.Options{Client: client, Key: "own"}))
			require.NoError(t, err)
			assert.Equal(t, "Bearer own", wiretap.auth)
			_, err = sendOpenly(t, make("us-west-2", "m", endpoint.Options{Client: client, BaseURL: "https://elsewhere.test/openai/v1", Token: func(context.Context) (string, error) {
				return "short-lived", nil
			}}))
			require.NoError(t, err)
			assert.Equal(t, "Bearer short-lived", wiretap.auth)
			assert.Equal(t, "elsewhere.test", wiretap.host)
		})
	}
}

func TestMantleWithoutAKeyOrARegion(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "")
	t.Setenv("OPENAI_API_KEY", "openai-key")
	never := &http.Client{Transport: &seen{}, Timeout: time.Second}
	_, err := sendOpenly(t, bedrock.Mantle("us-east-1", "m", endpoint.Options{Client: never}))
	require.ErrorContains(t, err, "no API key in AWS_BEARER_TOKEN_BEDROCK")
	_, err = sendOpenly(t, bedrock.MantleResponses("", "m", endpoint.Options{Client: never, Key: "k"}))
	require.ErrorContains(t, err, "region is empty")
}

func TestMantleDecodesRecordedStreams(t *testing.T) {
	t.Parallel()
	target := bedrock.MantleResponses("us-east-1", "m", endpoint.Options{})
	checked := 0
	for _, r := range recorded.Responses(t) {
		if r["provider"] != "bedrock-mantle" {
			continue
		}
		checked++
		for _, step := range []int{1, 7, 64, r.Int(t, "body_bytes")} {
			x := r.Capture(t, "https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses", step)
			require.True(t, target.Recognizes(x))
			got := target.Decode(x)
			require.Equal(t, providers.OK, got.Class, got.Detail)
			assert.Equal(t, r.Int(t, "n_events"), got.Frames)
			r.CheckContent(t, got, step)
			assert.Equal(t, r.Count(t, "input_tokens"), got.Usage.Input)
			assert.Equal(t, r.Count(t, "output_tokens"), got.Usage.Output)
		}
	}
	assert.Equal(t, 4, checked)
}
