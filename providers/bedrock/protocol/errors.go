package protocol

import (
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// refusal reads a reply with an error status. AWS names the error in a header, or
// in one of several members of the body.
func refusal(x *wire.Exchange) providers.ServerError {
	e := providers.ErrorOf(x.Body)
	if name := providers.AWSName(x.Header.Get("x-amzn-ErrorType")); name != "" {
		e.Code = name
	}
	return e
}
