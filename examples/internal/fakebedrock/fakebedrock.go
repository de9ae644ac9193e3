// Package fakebedrock is the endpoint of the examples: Amazon Bedrock, or the
// fake of it that they run against by default, without a key or a network.
//
//	LATGATE_MODE=live              use real Bedrock, with AWS's default credentials
//	LATGATE_SEED=7                 another day: every draw of the fake follows from it
//	LATGATE_FAKE_SLOWDOWN=1.3      the fake takes 1.3 times as long for everything
//	LATGATE_FAKE_TAIL=1.5          only its slow tail does, from P90 on
//
// The stored runs of the examples are five days of it, made from the root by
//
//	for seed in 101 102 103 104 105; do
//		LATGATE_SEED=$seed LATGATE_UPDATE=1 LATGATE_REASON="day $seed" go test ./examples/... -run Latency
//	done
package fakebedrock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// Live reports whether the examples are to use real Bedrock.
func Live() (bool, error) {
	switch mode := os.Getenv("LATGATE_MODE"); mode {
	case "", "fake", "replay": // the last is that of latgate run where no secrets are
		return false, nil
	case "live", "stored", "ab", "track":
		return true, nil
	default:
		return false, fmt.Errorf("LATGATE_MODE=%q: want live or fake, or a mode of latgate run", mode)
	}
}

// LiveConfig loads AWS's default configuration. It fails, rather than falling
// back to the fake, where there are no credentials.
func LiveConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, err
	}
	if cfg.Region == "" {
		return cfg, errors.New("LATGATE_MODE=live: no AWS region: set AWS_REGION")
	}
	if os.Getenv("AWS_BEARER_TOKEN_BEDROCK") != "" {
		return cfg, nil
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, fmt.Errorf("LATGATE_MODE=live: no AWS credentials and no AWS_BEARER_TOKEN_BEDROCK: %w", err)
	}
	return cfg, nil
}

// Test runs f with a configuration of the fake, in virtual time, or of real
// Bedrock where LATGATE_MODE=live.
func Test(t *testing.T, f func(*testing.T, aws.Config)) {
	t.Helper()
	live, err := Live()
	if err != nil {
		t.Fatal(err)
	}
	if live {
		cfg, err := LiveConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f(t, cfg)
		return
	}
	script, err := Script()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(script))
		defer network.Close()
		f(t, Config(network.Client()))
	})
}

// Config is a configuration for the fake, which client leads to.
func Config(client *http.Client) aws.Config {
	return aws.Config{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("fake", "fake", ""),
		HTTPClient:  client,
	}
}

// Script is what the fake does, with the slow-downs that the environment asks for.
func Script() (fakes.Script, error) {
	slowdown, err := factor("LATGATE_FAKE_SLOWDOWN")
	if err != nil {
		return fakes.Script{}, err
	}
	tail, err := factor("LATGATE_FAKE_TAIL")
	if err != nil {
		return fakes.Script{}, err
	}
	scaled := func(d fakes.Dist) fakes.Dist { return fakes.Scale(d, slowdown) }
	return fakes.Script{
		Seed:         latencytest.Seed(),
		TTFT:         fakes.StretchTail(scaled(fakes.Lognormal(400*time.Millisecond, .3)), tail),
		Head:         scaled(fakes.Constant(60 * time.Millisecond)),
		Gap:          scaled(fakes.Lognormal(20*time.Millisecond, .25)),
		OutputTokens: 40,
		Padding:      true,
		Session:      .015,
	}, nil
}

func factor(variable string) (float64, error) {
	text := os.Getenv(variable)
	if text == "" {
		return 1, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 1 && f <= 100) {
		return 0, fmt.Errorf("%s=%q: want a factor from 1 to 100, such as 1.3", variable, text)
	}
	return f, nil
}
