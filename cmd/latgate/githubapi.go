package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/latgate/latgate/providers"
)

// What is read of one answer at most, and how many pages of a list.
const (
	maxAnswer = 32 << 20
	maxPages  = 100
)

// A githubAPI is GitHub's REST API, as far as a comment needs it.
type githubAPI struct {
	base   *url.URL
	token  string // empty: what is public can be read
	client *http.Client
}

// newGitHubAPI reads GITHUB_API_URL, and the token from GH_TOKEN or GITHUB_TOKEN.
func newGitHubAPI(lookup func(string) (string, bool)) (*githubAPI, error) {
	address, _ := lookup("GITHUB_API_URL")
	if address == "" {
		address = "https://api.github.com"
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
		return nil, errors.New("GITHUB_API_URL: want https://, a host, and a path at most")
	}
	token, _ := lookup("GH_TOKEN")
	if token == "" {
		token, _ = lookup("GITHUB_TOKEN")
	}
	return &githubAPI{base: base, token: token, client: &http.Client{Timeout: time.Minute, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != base.Host || r.URL.Scheme != base.Scheme || via[0].Method != http.MethodGet || len(via) > 5 {
			return http.ErrUseLastResponse // the token stays here, and what is to be written is not dropped
		}
		return nil
	}}}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// call sends a request and decodes the answer. A path may be that of [next].
func (g *githubAPI) call(ctx context.Context, method string, address *url.URL, body, into any) (http.Header, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	request.Header.Set("User-Agent", "latgate")
	if g.token != "" {
		request.Header.Set("Authorization", "Bearer "+g.token)
	}
	response, err := g.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("GitHub did not answer: %s", providers.Scrub(err.Error()))
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("GitHub's answer broke off: %s", providers.Scrub(err.Error()))
	}
	if response.StatusCode/100 != 2 {
		return nil, refusalOf(method, address.Path, response, data)
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("GitHub's answer has more than %d MiB", maxAnswer>>20)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("GitHub's answer to %s %s is not what it should be: %s", method, address.Path, providers.Scrub(err.Error()))
	}
	return response.Header, nil
}

// path returns the address of an API path, with a query.
func (g *githubAPI) path(query url.Values, elements ...string) *url.URL {
	address := g.base.JoinPath(elements...)
	address.RawQuery = query.Encode()
	return address
}

var nextPage = regexp.MustCompile(`<([^<>]+)>\s*;[^,<]*\brel="?next"?`)

// list returns the elements of all pages of a list.
func list[T any](ctx context.Context, g *githubAPI, address *url.URL) ([]T, error) {
	var all []T
	for range maxPages {
		var page []T
		header, err := g.call(ctx, http.MethodGet, address, nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		match := nextPage.FindStringSubmatch(header.Get("Link"))
		if match == nil {
			return all, nil
		}
		next, err := address.Parse(match[1])
		if err != nil || next.Host != g.base.Host || next.Scheme != g.base.Scheme {
			return nil, errors.New("GitHub's list goes on at another server: it is not followed there")
		}
		address = next
	}
	return nil, fmt.Errorf("GitHub's list has more than %d pages", maxPages)
}

// A refusal is an answer that is no success, in words.
type refusal struct {
	status int
	words  string
}

func (r *refusal) Error() string { return r.words }

func refusalOf(method, path string, response *http.Response, data []byte) *refusal {
	var answer struct {
		Message string `json:"message"`
		Errors  []any  `json:"errors"`
	}
	_ = json.Unmarshal(data, &answer) // a proxy's answer is a page
	said := ""
	if answer.Message != "" {
		said = fmt.Sprintf(" (GitHub says %q)", providers.Scrub(answer.Message))
	}
	words := ""
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized:
		words = "the token in GH_TOKEN or GITHUB_TOKEN is wrong or has run out"
	case status == http.StatusTooManyRequests || status == http.StatusForbidden && isRateLimit(response.Header):
		words = "the rate limit is used up" + until(response.Header) + ": run the job again after that"
	case status == http.StatusForbidden && method == http.MethodGet:
		words = "the token may not read this: give the job permissions: contents: read, pull-requests: read"
	case status == http.StatusForbidden:
		words = "the token may not write comments: give the job permissions: pull-requests: write, and run it for workflow_run, since runs of forks and of Dependabot have a token that can only read; or the conversation is locked"
	case status == http.StatusNotFound:
		words = "there is no such thing, or the token may not see it: check --repo, and the job's permissions"
	case status == http.StatusUnprocessableEntity:
		words = "GitHub does not take this"
		if len(answer.Errors) > 0 {
			details, _ := json.Marshal(answer.Errors)
			words += ": " + providers.Scrub(string(details))
		}
	case status/100 == 3:
		words = "it has moved: the repository has another name now, give that as --repo"
	case status >= 500:
		words = "GitHub failed: run the job again"
	default:
		words = "this was not expected"
	}
	return &refusal{response.StatusCode, fmt.Sprintf("%s %s: %d: %s%s", method, path, response.StatusCode, words, said)}
}

func isRateLimit(h http.Header) bool {
	return h.Get("X-RateLimit-Remaining") == "0" || h.Get("Retry-After") != ""
}

// until says when a rate limit ends.
func until(h http.Header) string {
	if seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32); err == nil {
		return fmt.Sprintf(" for %d s", seconds)
	}
	if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && reset > 0 && reset < 1<<40 {
		return " until " + time.Unix(reset, 0).UTC().Format("15:04:05 UTC")
	}
	return ""
}

// refusedWith reports whether an error is an answer with one of these.
func refusedWith(err error, statuses ...int) bool {
	r, is := errors.AsType[*refusal](err)
	if !is {
		return false
	}
	for _, s := range statuses {
		if r.status == s {
			return true
		}
	}
	return false
}
