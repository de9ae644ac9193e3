package fakebedrock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/fakes"
)

func TestModeIsLiveOrFakeAndNothingElse(t *testing.T) {
	for mode, want := range map[string]bool{"": false, "fake": false, "replay": false, "live": true, "stored": true} {
		t.Setenv("LATGATE_MODE", mode)
		live, err := fakebedrock.Live()
		require.NoError(t, err)
		assert.Equal(t, want, live, mode)
	}
	t.Setenv("LATGATE_MODE", "Live")
	_, err := fakebedrock.Live()
	require.EqualError(t, err, `LATGATE_MODE="Live": want live or fake, or a mode of latgate run`)
}

func TestLiveWithoutCredentialsFails(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1", "AWS_BEARER_TOKEN_BEDROCK": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_ROLE_ARN": "",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	_, err := fakebedrock.LiveConfig(t.Context())
	require.ErrorContains(t, err, "LATGATE_MODE=live: no AWS credentials and no AWS_BEARER_TOKEN_BEDROCK")

	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "key")
	_, err = fakebedrock.LiveConfig(t.Context())
	require.NoError(t, err)

	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	_, err = fakebedrock.LiveConfig(t.Context())
	require.ErrorContains(t, err, "no AWS region")
}

func TestSlowDownsComeFromTheEnvironment(t *testing.T) {
	p90 := func() time.Duration {
		script, err := fakebedrock.Script()
		require.NoError(t, err)
		return fakes.Quantile(script.TTFT, .9)
	}
	usual := p90()
	t.Setenv("LATGATE_FAKE_SLOWDOWN", "1.3")
	assert.InEpsilon(t, 1.3*float64(usual), float64(p90()), 1e-6)
	t.Setenv("LATGATE_FAKE_SLOWDOWN", "")
	t.Setenv("LATGATE_FAKE_TAIL", "1.5")
	assert.InEpsilon(t, 1.5*float64(usual), float64(p90()), 1e-6)
	for _, bad := range []string{"fast", "0.5", "-1", "NaN", "1e9"} {
		t.Setenv("LATGATE_FAKE_TAIL", bad)
		_, err := fakebedrock.Script()
		require.ErrorContains(t, err, "want a factor from 1 to 100", bad)
	}
}
