package bedrock

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/latgate/latgate/providers"
)

type settings struct {
	latency     types.PerformanceConfigLatency
	temperature *float32
	topP        *float32
	topK        *int
	family      ModelFamily
	sdkRetries  bool
}

// An Option changes what a [Target] sends.
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// Optimized asks for latency-optimized inference. Bedrock falls back to standard
// in silence when the quota is used up; samples say what really served them.
func Optimized() Option {
	return option(func(s *settings) { s.latency = types.PerformanceConfigLatencyOptimized })
}

// Standard asks for standard inference by name. Without Optimized or Standard
// nothing is sent, and Bedrock's default is in force.
func Standard() Option {
	return option(func(s *settings) { s.latency = types.PerformanceConfigLatencyStandard })
}

// Temperature sends a sampling temperature, 0 included.
func Temperature(v float32) Option { return option(func(s *settings) { s.temperature = &v }) }

// TopP sends a nucleus sampling limit.
func TopP(v float32) Option { return option(func(s *settings) { s.topP = &v }) }

// TopK sends a top-k sampling limit, which each model family takes under a name
// of its own. For a family without one, sending fails with an error.
func TopK(k int) Option { return option(func(s *settings) { s.topK = &k }) }

// Family says in which words [InvokeModel] and [InvokeModelWithResponseStream] ask
// the model, where its id does not tell: that of an application inference profile,
// or of a custom or imported model. Converse takes no notice.
func Family(f ModelFamily) Option { return option(func(s *settings) { s.family = f }) }

// SDKRetries keeps the client's own retries on. Each attempt is then a part of
// the sample, which runs from the first attempt's start.
func SDKRetries() Option { return option(func(s *settings) { s.sdkRetries = true }) }

// A request is what ConverseStream and Converse have in common.
type request struct {
	model       string
	messages    []types.Message
	system      []types.SystemContentBlock
	inference   *types.InferenceConfiguration
	performance *types.PerformanceConfiguration
	additional  document.Interface
}

func (s settings) request(p providers.Prompt, model string) (*request, error) {
	r := &request{
		model: model,
		inference: &types.InferenceConfiguration{
			MaxTokens:   aws.Int32(int32(p.Limit())),
			Temperature: s.temperature,
			TopP:        s.topP,
		},
	}
	if p.System != "" {
		r.system = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: p.System}}
	}
	var content []types.ContentBlock
	if p.CachedContext != "" {
		content = append(content, &types.ContentBlockMemberText{Value: p.CachedContext})
		if p.Caching {
			content = append(content, &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{
				Type: types.CachePointTypeDefault, Ttl: types.CacheTTL(p.CacheTTL),
			}})
		}
	}
	content = append(content, &types.ContentBlockMemberText{Value: p.Text})
	r.messages = []types.Message{{Role: types.ConversationRoleUser, Content: content}}

	if latency := s.latencyFor(p); latency != "" {
		r.performance = &types.PerformanceConfiguration{Latency: latency}
	}
	if s.topK != nil {
		fields, err := topKFields(model, *s.topK)
		if err != nil {
			return nil, err
		}
		r.additional = document.NewLazyDocument(fields)
	}
	return r, nil
}

// latencyFor returns the performance configuration to ask for, "" for none.
func (s settings) latencyFor(p providers.Prompt) types.PerformanceConfigLatency {
	if p.Profile != "" {
		return types.PerformanceConfigLatency(p.Profile)
	}
	return s.latency
}

// topKFields names top-k as the model's family does.
func topKFields(model string, k int) (map[string]any, error) {
	switch {
	case strings.Contains(model, "anthropic."), strings.Contains(model, "mistral."):
		return map[string]any{"top_k": k}, nil
	case strings.Contains(model, "amazon.nova"):
		return map[string]any{"inferenceConfig": map[string]any{"topK": k}}, nil
	case strings.Contains(model, "cohere."):
		return map[string]any{"k": k}, nil
	}
	return nil, fmt.Errorf("bedrock: TopK: %s takes no top-k that is known; leave the option out", model)
}

func (r *request) stream() *bedrockruntime.ConverseStreamInput {
	return &bedrockruntime.ConverseStreamInput{
		ModelId: &r.model, Messages: r.messages, System: r.system, InferenceConfig: r.inference,
		PerformanceConfig: r.performance, AdditionalModelRequestFields: r.additional,
	}
}

func (r *request) unary() *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{
		ModelId: &r.model, Messages: r.messages, System: r.system, InferenceConfig: r.inference,
		PerformanceConfig: r.performance, AdditionalModelRequestFields: r.additional,
	}
}
