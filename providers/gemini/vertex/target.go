package vertex

import (
	"context"
	"errors"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/gemini"
)

// GenerateContent measures a Gemini model of a project at a location
// of Vertex AI: a region ("europe-west1"), a multi-region ("us", "eu"), or "global".
// Where o names no base URL, it is https://{location}-aiplatform.googleapis.com/v1
// for a region, https://aiplatform.{location}.rep.googleapis.com/v1 for a
// multi-region, and https://aiplatform.googleapis.com/v1 for "global".
//
// Each request has a token of source, which is asked anew only when the last token
// has expired, before the measurement begins. A nil source leaves authorization to
// o: its Token, or its Key, which is sent as x-goog-api-key.
//
// The description of a measurement names the endpoint, and with it the location,
// but not the project.
func GenerateContent(project, location, model string, source oauth2.TokenSource, o endpoint.Options) *endpoint.Target {
	if source != nil {
		o.Token = bearer(source)
	}
	if o.BaseURL == "" {
		o.BaseURL = baseURL(location)
	}
	p := gemini.GenerateContent(model, o).Protocol
	p.BaseURL, p.KeyEnv = "", ""
	p.Path = func(model string, stream bool) string {
		return "/projects/" + url.PathEscape(project) + "/locations/" + url.PathEscape(location) +
			"/publishers/google/models/" + url.PathEscape(model) + gemini.Method(stream)
	}
	body := p.Body
	p.Body = func(r endpoint.Request) (map[string]any, error) {
		switch {
		case project == "":
			return nil, errors.New("vertex: no project")
		case location == "":
			return nil, errors.New("vertex: no location")
		}
		return body(r)
	}
	return endpoint.New(p, model, o)
}

func baseURL(location string) string {
	switch location {
	case "global":
		return "https://aiplatform.googleapis.com/v1"
	case "us", "eu": // {location}-aiplatform.googleapis.com does not exist
		return "https://aiplatform." + location + ".rep.googleapis.com/v1"
	}
	return "https://" + location + "-aiplatform.googleapis.com/v1"
}

// bearer returns the access tokens of source, each of them until it expires.
func bearer(source oauth2.TokenSource) func(context.Context) (string, error) {
	source = oauth2.ReuseTokenSource(nil, source)
	return func(context.Context) (string, error) {
		token, err := source.Token()
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	}
}
