package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// An environment is where keys come from. It remembers those that it gave out.
type environment struct {
	lookup  func(string) (string, bool)
	secrets []string
}

// secret returns a variable that holds a key, "" where it is not set. Line ends
// after a key, such as files of secrets have, are left out.
func (e *environment) secret(name string) string {
	value, _ := e.lookup(name)
	value = strings.TrimRight(value, "\r\n")
	if value != "" {
		e.secrets = append(e.secrets, value)
	}
	return value
}

func (e *environment) get(name string) string {
	value, _ := e.lookup(name)
	return value
}

// redact takes secrets out of what is stored of a sample: there are endpoints that
// repeat a key in their error.
func (e *environment) redact(s *latencytest.Sample) {
	for _, secret := range e.secrets {
		s.Error = strings.ReplaceAll(s.Error, secret, "***")
		s.Code = strings.ReplaceAll(s.Code, secret, "***")
	}
}

var (
	variable   = regexp.MustCompile(`\$\{([^{}]*)\}`)
	headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// credentialHeaders are those that hold keys.
var credentialHeaders = []string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "Proxy-Authorization", "Cookie"}

// header reads the values of --header. Errors do not show values, which may be secret.
func (e *environment) header(lines []string) (http.Header, error) {
	h := make(http.Header)
	for _, line := range lines {
		name, value, found := strings.Cut(line, "=")
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if !found || !headerName.MatchString(name) {
			return nil, errors.New("--header: want NAME=VALUE")
		}
		if slices.Contains(credentialHeaders, name) && !variable.MatchString(value) {
			return nil, fmt.Errorf("--header: %s holds a key, which other users of this machine could see: put it into an environment variable, as in --header '%s=${MY_KEY}'", name, name)
		}
		var missing string
		value = variable.ReplaceAllStringFunc(value, func(found string) string {
			secret := e.secret(found[2 : len(found)-1])
			if secret == "" {
				missing = found[2 : len(found)-1]
			}
			return secret
		})
		if missing != "" {
			return nil, fmt.Errorf("--header: %s: the environment variable %s is not set", name, missing)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, fmt.Errorf("--header: %s: there is a line end in its value", name)
		}
		h.Add(name, value)
	}
	return h, nil
}
