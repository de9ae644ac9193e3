package endpoint

import (
	"context"
	"net/http"
)

// Options say how a [Target] reaches its endpoint and what it asks of the model.
// The zero Options are those of a plain call to the provider's own endpoint.
type Options struct {
	// BaseURL is where the provider's paths begin. Empty means the provider's
	// own, of which its constructor tells.
	BaseURL string

	// Key is the API key. Empty means the value of the provider's environment
	// variable, read with each request; where that is empty as well, none is sent.
	Key string

	// Token, where not nil, is asked before each request for a bearer token, which
	// is sent instead of a key. What it takes is not part of the measurement.
	Token func(context.Context) (string, error)

	// Header is sent with each request, after the provider's own headers, which it
	// can replace; nil values leave one out. Headers that do not say who asks belong
	// to the identity of a measurement.
	Header http.Header

	// Client makes the requests with its transport and time limit. Nil means a
	// transport that keeps its connections, see [wire.Transport]. Redirects are
	// not followed.
	Client *http.Client

	// Temperature, TopP and TopK are sent where they are not nil.
	Temperature *float64
	TopP        *float64
	TopK        *int

	// Fields are members of the request body, under the provider's names. They go
	// before what the provider would send; an object is merged with the one that
	// would be sent, member by member. A member that is nil is left out.
	Fields map[string]any

	// Unary asks for the reply in one piece. The time to its first token is that to
	// the whole then.
	Unary bool
}

// Value returns a pointer to v, for the fields of [Options].
func Value[T any](v T) *T { return &v }
