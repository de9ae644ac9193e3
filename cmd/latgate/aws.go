package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/sagemaker"
)

// bedrockKey is the variable of Bedrock's own API keys, which the SDK reads.
const bedrockKey = "AWS_BEARER_TOKEN_BEDROCK"

// aws returns the configuration of AWS's default chain, after asking it for
// credentials: without any, nothing is sent.
func (c *choice) aws(ctx context.Context, bearer string) (aws.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 16384 // with the SDK's ten, a burst would dial anew
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.flags.region), config.WithHTTPClient(client))
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("--region: there is none; AWS_REGION is not set either")
	}
	if bearer != "" && c.env.secret(bearer) != "" {
		return cfg, nil
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if c.flags.baseURL == "" {
			names := "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
			if bearer != "" {
				names += ", or " + bearer
			}
			return aws.Config{}, fmt.Errorf("there are no AWS credentials: set %s: %w", names, err)
		}
		cfg.Credentials = credentials.NewStaticCredentialsProvider("none", "none", "") // a fake does not look at them
	}
	return cfg, nil
}

func (c *choice) bedrock(ctx context.Context) (*bedrockruntime.Client, []bedrock.Option, error) {
	cfg, err := c.aws(ctx, bedrockKey)
	if err != nil {
		return nil, nil, err
	}
	var options []bedrock.Option
	switch c.latency {
	case "optimized":
		options = append(options, bedrock.Optimized())
	case "standard":
		options = append(options, bedrock.Standard())
	}
	if t := c.options.Temperature; t != nil {
		options = append(options, bedrock.Temperature(float32(*t)))
	}
	if p := c.options.TopP; p != nil {
		options = append(options, bedrock.TopP(float32(*p)))
	}
	if k := c.options.TopK; k != nil {
		options = append(options, bedrock.TopK(*k))
	}
	return bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) {
		if c.flags.baseURL != "" {
			o.BaseEndpoint = &c.flags.baseURL
		}
	}), options, nil
}

func converse(ctx context.Context, c *choice) (providers.Target, error) {
	client, options, err := c.bedrock(ctx)
	if err != nil {
		return nil, err
	}
	if c.options.Unary {
		return bedrock.Converse(client, c.model, options...), nil
	}
	return bedrock.ConverseStream(client, c.model, options...), nil
}

var families = []bedrock.ModelFamily{
	bedrock.Anthropic, bedrock.Nova, bedrock.Titan, bedrock.Llama, bedrock.Llama4,
	bedrock.Command, bedrock.CommandR, bedrock.Mistral, bedrock.Chat,
}

func invokeModel(ctx context.Context, c *choice) (providers.Target, error) {
	client, options, err := c.bedrock(ctx)
	if err != nil {
		return nil, err
	}
	if f := bedrock.ModelFamily(c.flags.family); f != "" {
		if !slices.Contains(families, f) {
			return nil, fmt.Errorf("--family: bedrock-invoke has no %q: want one of %v", f, families)
		}
		options = append(options, bedrock.Family(f))
	}
	if c.options.Unary {
		return bedrock.InvokeModel(client, c.model, options...), nil
	}
	return bedrock.InvokeModelWithResponseStream(client, c.model, options...), nil
}

func invokeEndpoint(ctx context.Context, c *choice) (providers.Target, error) {
	cfg, err := c.aws(ctx, "")
	if err != nil {
		return nil, err
	}
	client := sagemakerruntime.NewFromConfig(cfg, func(o *sagemakerruntime.Options) {
		if c.flags.baseURL != "" {
			o.BaseEndpoint = &c.flags.baseURL
		}
	})
	var options []sagemaker.Option
	switch c.flags.family {
	case "", "chat":
	case "tgi":
		options = append(options, sagemaker.TGI())
	default:
		return nil, fmt.Errorf("--family: sagemaker has no %q: want chat or tgi", c.flags.family)
	}
	if t := c.options.Temperature; t != nil {
		options = append(options, sagemaker.Temperature(*t))
	}
	if p := c.options.TopP; p != nil {
		options = append(options, sagemaker.TopP(*p))
	}
	if k := c.options.TopK; k != nil {
		options = append(options, sagemaker.TopK(*k))
	}
	if len(c.options.Fields) > 0 {
		options = append(options, sagemaker.Fields(c.options.Fields))
	}
	if c.options.Unary {
		return sagemaker.InvokeEndpoint(client, c.model, options...), nil
	}
	return sagemaker.InvokeEndpointWithResponseStream(client, c.model, options...), nil
}
