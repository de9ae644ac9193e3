package vertex_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini/vertex"
	"github.com/latgate/latgate/providers/wire"
)

// network keeps the last request on its way to a fake.
type network struct {
	*fakes.Network
	request *http.Request
}

func newNetwork(t *testing.T) *network {
	n := &network{Network: fakes.NewNetwork(fakes.Gemini(fakes.Script{OutputTokens: 8, Reasoning: 2}))}
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	return n
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.request = req
	return n.Transport().RoundTrip(req)
}

func (n *network) options() endpoint.Options {
	return endpoint.Options{Client: &http.Client{Transport: n}}
}

// tokens counts how often it is asked.
type tokens struct {
	token *oauth2.Token
	err   error
	asked int
}

func (s *tokens) Token() (*oauth2.Token, error) {
	s.asked++
	return s.token, s.err
}

func measure(t *testing.T, target providers.Target) *providers.Response {
	t.Helper()
	capture := wire.NewCapture(0)
	require.NoError(t, target.Send(capture.Context(t.Context()), providers.Prompt{Text: "Hi"}))
	exchanges := capture.Exchanges()
	require.Len(t, exchanges, 1)
	require.True(t, target.Recognizes(exchanges[0]))
	return target.Decode(exchanges[0])
}

func TestRequest(t *testing.T) {
	t.Setenv("GEMINI_API_KEY", "of-another-service")
	for location, url := range map[string]string{
		"europe-west1": "https://europe-west1-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west1/publishers/google/models/gemini-2.5-flash",
		"us":           "https://aiplatform.us.rep.googleapis.com/v1/projects/my-project/locations/us/publishers/google/models/gemini-2.5-flash",
		"eu":           "https://aiplatform.eu.rep.googleapis.com/v1/projects/my-project/locations/eu/publishers/google/models/gemini-2.5-flash",
		"global":       "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/google/models/gemini-2.5-flash",
	} {
		n := newNetwork(t)
		source := &tokens{token: &oauth2.Token{AccessToken: "ya29", Expiry: time.Now().Add(time.Hour)}}
		target := vertex.GenerateContent("my-project", location, "gemini-2.5-flash", source, n.options())
		for range 3 {
			r := measure(t, target)
			require.Equal(t, providers.OK, r.Class, r.Detail)
			assert.Equal(t, "gemini-2.5-flash", r.Model)
			assert.Equal(t, providers.CountOf(8), r.Usage.Output)
			assert.Equal(t, url+":streamGenerateContent?alt=sse", n.request.URL.String())
			assert.Equal(t, "Bearer ya29", n.request.Header.Get("Authorization"))
			assert.Empty(t, n.request.Header.Get("X-Goog-Api-Key"))
		}
		assert.Equal(t, 1, source.asked, "a token is used until it expires")
	}
}

func TestExpiredTokensAreReplaced(t *testing.T) {
	t.Parallel()
	source := &tokens{token: &oauth2.Token{AccessToken: "ya29", Expiry: time.Now().Add(-time.Hour)}}
	target := vertex.GenerateContent("p", "global", "m", source, newNetwork(t).options())
	measure(t, target)
	measure(t, target)
	assert.Equal(t, 2, source.asked)
}

func TestReplyInOnePiece(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	o := n.options()
	o.Unary, o.BaseURL = true, "http://proxy.test/vertex/v1"
	r := measure(t, vertex.GenerateContent("p", "us-central1", "m", &tokens{token: &oauth2.Token{AccessToken: "ya29"}}, o))
	assert.Equal(t, providers.OK, r.Class, r.Detail)
	assert.Equal(t, "http://proxy.test/vertex/v1/projects/p/locations/us-central1/publishers/google/models/m:generateContent", n.request.URL.String())
}

// Without a source, what the options say is sent.
func TestNoSource(t *testing.T) {
	t.Setenv("GEMINI_API_KEY", "of-another-service")
	n := newNetwork(t)
	measure(t, vertex.GenerateContent("p", "global", "m", nil, n.options()))
	assert.Empty(t, n.request.Header.Get("Authorization"))
	assert.Empty(t, n.request.Header.Get("X-Goog-Api-Key"))

	o := n.options()
	o.Key = "express"
	measure(t, vertex.GenerateContent("p", "global", "m", nil, o))
	assert.Equal(t, "express", n.request.Header.Get("X-Goog-Api-Key"))
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	denied := &tokens{err: errors.New("no credentials")}
	for want, target := range map[string]providers.Target{
		"gemini: vertex: no project":            vertex.GenerateContent("", "global", "m", nil, endpoint.Options{}),
		"gemini: vertex: no location":           vertex.GenerateContent("p", "", "m", nil, endpoint.Options{}),
		"gemini: no model":                      vertex.GenerateContent("p", "global", "", nil, endpoint.Options{}),
		"gemini: Options.Token: no credentials": vertex.GenerateContent("p", "global", "m", denied, endpoint.Options{}),
	} {
		require.EqualError(t, target.Send(t.Context(), providers.Prompt{Text: "Hi"}), want)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	source := &tokens{}
	target := vertex.GenerateContent("my-project", "europe-west1", "gemini-2.5-flash", source, endpoint.Options{Key: "secret"})
	facts := target.Describe(providers.Prompt{Text: "secret text"})
	assert.Equal(t, "provider=gemini api=generate-content model=gemini-2.5-flash endpoint=europe-west1-aiplatform.googleapis.com", facts.String())
	assert.Zero(t, source.asked)
}
