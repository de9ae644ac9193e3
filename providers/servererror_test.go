package providers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/latgate/latgate/providers"
)

// An endpoint may answer with anything; reading its error stays cheap.
func TestErrorOfHostileBodies(t *testing.T) {
	deep := strings.Repeat(`{"error":`, 9000) + `"m"` + strings.Repeat("}", 9000)
	assert.Equal(t, providers.ServerError{}, providers.ErrorOf([]byte(deep)))
	long := `{"error":{"message":"` + strings.Repeat("x", 1<<20) + `"}}`
	assert.Equal(t, providers.ServerError{}, providers.ErrorOf([]byte(long)))
	allocated := testing.AllocsPerRun(3, func() { providers.ErrorOf([]byte(deep)) })
	assert.Less(t, allocated, 200., "allocations for %d bytes", len(deep))
}

func TestErrorOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]providers.ServerError{
		`{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}`:              {Code: "rate_limit_exceeded", Message: "m"},
		`{"type":"error","error":{"type":"overloaded_error","message":"m"},"request_id":"r"}`: {Code: "overloaded_error", Message: "m"},
		`{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[]}}`:     {Code: "RESOURCE_EXHAUSTED", Message: "m", Status: 429},
		`[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]`:                       {Code: "UNAVAILABLE", Message: "m", Status: 503},
		`{"error":{"code":"429","message":"m"}}`:                                              {Code: "429", Message: "m", Status: 429},
		`{"error":{"message":"m","code":"tool_use_failed","status_code":400}}`:                {Code: "tool_use_failed", Message: "m", Status: 400},
		`{"error":"Model is overloaded","error_type":"overloaded"}`:                           {Code: "overloaded", Message: "Model is overloaded"},
		`{"message":"m","originalStatusCode":429}`:                                            {Message: "m", Status: 429},
		`{"Message":"m","OriginalStatusCode":429,"ErrorCode":"x"}`:                            {Message: "m", Status: 429},
		`{"__type":"com.amazon.coral#ThrottlingException:http://x","message":"m"}`:            {Code: "ThrottlingException", Message: "m"},
		`{"object":"error","message":"m","type":"BadRequestError","code":400}`:                {Code: "BadRequestError", Message: "m", Status: 400},
		`{"id":"i","message":"m"}`:                                                            {Message: "m"},
		`{"detail":"Not Found"}`:                                                              {Message: "Not Found"},
		`{"detail":[{"loc":["body"],"msg":"field required"}],"message":7}`:                    {},
		`{"error":null}`: {},
		`{"error":{"message":"slow"},"code":429}`:                 {Code: "429", Message: "slow", Status: 429},
		`{"error":"Too Many Requests","status_code":429}`:         {Message: "Too Many Requests", Status: 429},
		`{"error":{"error":{"error":{"error":{"message":"m"}}}}}`: {},
		`"boom"`:                   {Message: "boom"},
		`<html>Bad Gateway</html>`: {},
		`[]`:                       {},
		`{"error":`:                {},
		`null`:                     {},
		``:                         {},
	} {
		assert.Equal(t, want, providers.ErrorOf([]byte(body)), body)
	}
}
