package fakes

import "net/http"

// An openAIError is an error in OpenAI's words.
type openAIError struct {
	status     int
	kind, code string // an empty code is null
	message    string
}

// openAIErrors are the nearest to Bedrock's exceptions.
var openAIErrors = map[Exception]openAIError{
	Validation:           {http.StatusBadRequest, "invalid_request_error", "", "The request is invalid."},
	ServiceQuotaExceeded: {http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."},
	AccessDenied:         {http.StatusForbidden, "invalid_request_error", "", "You have insufficient permissions for this operation."},
	UnrecognizedClient:   {http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
	ExpiredToken:         {http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "The API key has expired."},
	ResourceNotFound:     {http.StatusNotFound, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
	UnknownOperation:     {http.StatusNotFound, "invalid_request_error", "", "Invalid URL"},
	ModelTimeout:         {http.StatusGatewayTimeout, "server_error", "", "The request timed out."},
	ModelError:           {http.StatusInternalServerError, "server_error", "server_error", "The model produced invalid content."},
	ModelStreamError:     {http.StatusInternalServerError, "server_error", "server_error", "The server had an error while streaming the response."},
	Throttling:           {http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached on requests per min (RPM): Limit 500, Used 500, Requested 1."},
	ModelNotReady:        {http.StatusServiceUnavailable, "server_error", "", "That model is still being loaded."},
	InternalServer:       {http.StatusInternalServerError, "server_error", "server_error", "The server had an error while processing your request. Sorry about that!"},
	ServiceUnavailable:   {http.StatusServiceUnavailable, "server_error", "service_unavailable", "The engine is currently overloaded, please try again later."},
}

// azureCodes are those of the errors that Azure's gateway makes itself, and which
// have neither a type nor a parameter.
var azureCodes = map[Exception]string{
	Throttling:         "RateLimitReached",
	UnrecognizedClient: "401",
	ExpiredToken:       "401",
	ResourceNotFound:   "DeploymentNotFound",
	UnknownOperation:   "404",
}

// openAIErrorOf returns the error for an exception. The exception's own message
// stands for OpenAI's; any other is sent as it is. A name that is no exception of
// Bedrock's becomes the code of a server error.
func openAIErrorOf(e Exception, message string) openAIError {
	report, known := openAIErrors[e]
	if !known {
		return openAIError{http.StatusInternalServerError, "server_error", string(e), message}
	}
	if message != e.Message() {
		report.message = message
	}
	return report
}

// fields returns the error as JSON.
func (e openAIError) fields() object {
	fields := object{"message": e.message, "type": e.kind, "param": nil, "code": nil}
	if e.code != "" {
		fields["code"] = e.code
	}
	return fields
}

// thrown returns the error that ends a stream, if one does.
func (a *openAIAttempt) thrown() (e openAIError, ok bool) {
	switch e := a.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		return openAIErrorOf(exception, exception.Message()), true
	case ThrowUnmodelled:
		return openAIErrorOf(Exception(e.code()), e.Message), true
	}
	return openAIError{}, false
}
