package bedrock

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock/protocol"
)

// An operation is one of the runtime's APIs.
type operation struct {
	api     string
	decoder providers.Decoder
	end     func() func(body []byte) bool // nil for a reply in one piece
	send    func(context.Context, *bedrockruntime.Client, settings, providers.Prompt, string) error
}

var converseStream = operation{
	api: protocol.StreamAPI, decoder: protocol.Converse{}, end: protocol.StreamEnd,
	send: func(ctx context.Context, client *bedrockruntime.Client, s settings, p providers.Prompt, model string) error {
		call, err := s.request(p, model)
		if err != nil {
			return err
		}
		out, err := client.ConverseStream(ctx, call.stream())
		if err != nil {
			return err
		}
		return out.GetStream().Close()
	},
}

var converse = operation{
	api: protocol.UnaryAPI, decoder: protocol.Converse{},
	send: func(ctx context.Context, client *bedrockruntime.Client, s settings, p providers.Prompt, model string) error {
		call, err := s.request(p, model)
		if err != nil {
			return err
		}
		_, err = client.Converse(ctx, call.unary())
		return err
	},
}

var invokeStream = operation{
	api: protocol.InvokeStreamAPI, decoder: protocol.Invoke{}, end: protocol.InvokeStreamEnd,
	send: func(ctx context.Context, client *bedrockruntime.Client, s settings, p providers.Prompt, model string) error {
		body, err := s.invocation(p, model, true)
		if err != nil {
			return err
		}
		out, err := client.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{
			ModelId: &model, Body: body, ContentType: jsonType, Accept: jsonType, PerformanceConfigLatency: s.latencyFor(p),
		})
		if err != nil {
			return err
		}
		return out.GetStream().Close()
	},
}

var invoke = operation{
	api: protocol.InvokeAPI, decoder: protocol.Invoke{},
	send: func(ctx context.Context, client *bedrockruntime.Client, s settings, p providers.Prompt, model string) error {
		body, err := s.invocation(p, model, false)
		if err != nil {
			return err
		}
		_, err = client.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
			ModelId: &model, Body: body, ContentType: jsonType, Accept: jsonType, PerformanceConfigLatency: s.latencyFor(p),
		})
		return err
	},
}

var jsonType = aws.String("application/json")

// invocation returns the body of an InvokeModel request.
func (s settings) invocation(p providers.Prompt, model string, stream bool) ([]byte, error) {
	family := s.family
	if family == "" {
		var err error
		if family, err = familyOf(model); err != nil {
			return nil, err
		}
	}
	body, err := ask{settings: s, Prompt: p, stream: stream}.body(family)
	if err != nil {
		return nil, err
	}
	return json.Marshal(body)
}
