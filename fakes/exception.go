package fakes

import (
	"net/http"
	"strings"
)

// An Exception is an error of Amazon Bedrock by the name it has before a stream.
// In a stream it begins with a small letter. Names other than these are sent as
// they are, with status 500.
type Exception string

// The exceptions of Bedrock's runtime, with the HTTP status of each.
const (
	Validation           Exception = "ValidationException"           // 400
	ServiceQuotaExceeded Exception = "ServiceQuotaExceededException" // 400
	AccessDenied         Exception = "AccessDeniedException"         // 403
	UnrecognizedClient   Exception = "UnrecognizedClientException"   // 403
	ExpiredToken         Exception = "ExpiredTokenException"         // 403
	ResourceNotFound     Exception = "ResourceNotFoundException"     // 404
	UnknownOperation     Exception = "UnknownOperationException"     // 404
	ModelTimeout         Exception = "ModelTimeoutException"         // 408
	ModelError           Exception = "ModelErrorException"           // 424
	ModelStreamError     Exception = "ModelStreamErrorException"     // 424
	Throttling           Exception = "ThrottlingException"           // 429
	ModelNotReady        Exception = "ModelNotReadyException"        // 429, though it is not a throttle
	InternalServer       Exception = "InternalServerException"       // 500
	ServiceUnavailable   Exception = "ServiceUnavailableException"   // 503
)

var exceptions = map[Exception]struct {
	status  int
	message string
}{
	Validation:           {http.StatusBadRequest, "The provided model identifier is invalid."},
	ServiceQuotaExceeded: {http.StatusBadRequest, "Your request exceeds the service quota for your account."},
	AccessDenied:         {http.StatusForbidden, "You don't have access to the model with the specified model ID."},
	UnrecognizedClient:   {http.StatusForbidden, "The security token included in the request is invalid."},
	ExpiredToken:         {http.StatusForbidden, "The security token included in the request is expired"},
	ResourceNotFound:     {http.StatusNotFound, "Could not resolve the foundation model from the provided model identifier."},
	UnknownOperation:     {http.StatusNotFound, "The requested operation is not recognized by the service."},
	ModelTimeout:         {http.StatusRequestTimeout, "Model has timed out in processing the request. Try your request again."},
	ModelError:           {http.StatusFailedDependency, "The model returned an error while processing the request."},
	ModelStreamError:     {http.StatusFailedDependency, "The model returned an error while streaming the response."},
	Throttling:           {http.StatusTooManyRequests, "Too many requests, please wait before trying again."},
	ModelNotReady:        {http.StatusTooManyRequests, "Model is not ready for inference. Wait and try your request again."},
	InternalServer:       {http.StatusInternalServerError, "The system encountered an unexpected error during processing. Try your request again."},
	ServiceUnavailable:   {http.StatusServiceUnavailable, "Bedrock is unable to process your request."},
}

func (e Exception) orThrottling() Exception {
	if e == "" {
		return Throttling
	}
	return e
}

// Status returns the HTTP status of a response refused with e.
func (e Exception) Status() int {
	if known, ok := exceptions[e]; ok {
		return known.status
	}
	return http.StatusInternalServerError
}

// Message returns the text that the fake sends with e.
func (e Exception) Message() string {
	if known, ok := exceptions[e]; ok {
		return known.message
	}
	return string(e)
}

// member is the name of e in a stream.
func (e Exception) member() string {
	return strings.ToLower(string(e[:1])) + string(e[1:])
}

// payload is the JSON of e, the same before and in a stream.
func (e Exception) payload(message string) object {
	fields := object{"message": message}
	switch e {
	case ModelStreamError:
		fields["originalMessage"] = "The connection to the model was lost."
		fields["originalStatusCode"] = http.StatusBadGateway
	case ModelError:
		fields["originalStatusCode"] = http.StatusBadGateway
		fields["resourceName"] = "model"
	}
	return fields
}
