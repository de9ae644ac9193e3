package cassette

import (
	"net/http"
	"slices"
	"strings"
)

// Headers are kept by name, because nobody can list every name a credential travels
// under. These tell requests apart.
var requestHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Type", "User-Agent",
	"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Stainless-Retry-Count",
	"Anthropic-Version", "Anthropic-Beta", "Openai-Beta",
	"X-Amzn-Bedrock-Performanceconfig-Latency", "X-Amzn-Bedrock-Service-Tier",
}

// And these tell a client what to do, or an observer how long something took.
var responseHeaders = []string{
	"Content-Type", "Cache-Control", "Date", "Server", "Retry-After", "Retry-After-Ms", "Server-Timing",
	"X-Amz-Retry-After", "X-Amzn-Errortype", "X-Should-Retry", "X-Accel-Buffering",
	"X-Amzn-Sagemaker-Content-Type", "X-Amzn-Invoked-Production-Variant",
	"Openai-Processing-Ms", "Openai-Version", "Openai-Model",
	"X-Envoy-Upstream-Service-Time", "X-Kong-Upstream-Latency", "Cmp-Upstream-Response-Duration",
	"X-Litellm-Version", "X-Litellm-Response-Duration-Ms", "X-Litellm-Overhead-Duration-Ms", "X-Litellm-Attempted-Retries",
	"X-Total-Time", "X-Validation-Time", "X-Queue-Time", "X-Inference-Time", "X-Time-Per-Token", "X-Prompt-Tokens", "X-Generated-Tokens",
	"X-Ms-Region", "Cf-Cache-Status",
}

// Names of requests, which are made unrecognizable where text is.
var requestIDs = []string{
	"X-Amzn-Requestid", "Request-Id", "X-Request-Id", "Apim-Request-Id", "X-Generation-Id",
	"Mistral-Correlation-Id", "X-Debug-Trace-Id", "X-Ds-Trace-Id", "Inference-Id", "Cf-Ray",
}

var responsePrefixes = []string{"X-Ratelimit-", "Anthropic-Ratelimit-", "Ratelimit-", "X-Amzn-Bedrock-"}

func (r *redactor) requestHeader(h http.Header) http.Header {
	return r.headers(h, func(name string) bool {
		return slices.Contains(requestHeaders, name) || slices.Contains(r.matching.headers(), name)
	})
}

func (r *redactor) responseHeader(h http.Header) http.Header {
	return r.headers(h, func(name string) bool {
		return r.keep[name] || slices.Contains(responseHeaders, name) || slices.Contains(requestIDs, name) ||
			slices.ContainsFunc(responsePrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
}

// headers returns those that are kept, clean.
func (r *redactor) headers(h http.Header, kept func(name string) bool) http.Header {
	out := make(http.Header)
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		if !kept(name) || secretName(name) {
			continue
		}
		for _, value := range values {
			value = r.line(value)
			if r.fill && slices.Contains(requestIDs, name) {
				b := []byte(value)
				r.pseudonym(b)
				value = string(b)
			}
			out[name] = append(out[name], value)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// secretName reports whether a header of that name is taken for a credential.
func secretName(name string) bool {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, "x-ratelimit-") || strings.HasPrefix(name, "anthropic-ratelimit-") || strings.HasPrefix(name, "ratelimit-") ||
		strings.HasPrefix(name, "x-amzn-bedrock-") {
		return false // they count tokens
	}
	if slices.Contains([]string{"x-prompt-tokens", "x-generated-tokens", "x-time-per-token"}, name) {
		return false // and so do these
	}
	for _, part := range []string{"auth", "cookie", "token", "secret", "signature", "credential", "password", "session", "api-key", "apikey", "access-key"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "-key") || name == "key"
}

// secretParameter reports whether a query parameter holds a credential.
func secretParameter(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "key", "code", "sig", "se", "sp", "skoid", "sktid":
		return true
	}
	return strings.HasPrefix(name, "x-amz-") || strings.HasPrefix(name, "x-goog-") || secretName(name) || secretWord([]byte(name))
}
