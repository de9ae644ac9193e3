package protocol

import (
	"net/url"
	"regexp"
	"strings"
)

// The names under which responses of this package are filed.
const (
	Provider = "bedrock"

	StreamAPI = "converse-stream"
	UnaryAPI  = "converse"

	InvokeStreamAPI = "invoke-stream"
	InvokeAPI       = "invoke"
)

// route splits /model/{id}/{operation}; a proxy may have put a prefix before it.
func route(path string) (model, operation string) {
	_, rest, ok := strings.Cut(path, "/model/")
	if !ok {
		return "", ""
	}
	escaped, operation, _ := strings.Cut(rest, "/")
	model, err := url.PathUnescape(escaped)
	if err != nil {
		model = escaped
	}
	return model, operation
}

var account = regexp.MustCompile(`:[0-9]{12}:`)

// MaskAccount hides the AWS account in a model that is named by its ARN.
func MaskAccount(model string) string { return account.ReplaceAllString(model, ":***:") }
