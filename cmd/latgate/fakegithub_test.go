package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	theHead  = "9d03e77aa1b2c3d4e5f60718293a4b5c6d7e8f90"
	theMerge = "1111111111111111111111111111111111111111"
	theBase  = "4f1c2ab0d9e8c7b6a5f4e3d2c1b0a9f8e7d6c5b4"
)

// A fakeGitHub is the part of GitHub's API that a comment needs, with one pull request.
type fakeGitHub struct {
	*httptest.Server

	mu       sync.Mutex
	pulls    []map[string]any
	comments []map[string]any
	user     string // of the token; empty: it is a job's
	refuse   func(w http.ResponseWriter, r *http.Request) bool
	writes   []string // method and path
	tokens   map[string]bool
}

func newFakeGitHub(t *testing.T) *fakeGitHub {
	t.Helper()
	g := &fakeGitHub{pulls: []map[string]any{pull(7, theHead, "feature", "stranger/app")}, tokens: make(map[string]bool)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v3/repos/acme/app/pulls", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "open", r.URL.Query().Get("state"))
		assert.Equal(t, "stranger:feature", r.URL.Query().Get("head"))
		g.page(w, r, g.pulls)
	})
	mux.HandleFunc("GET /api/v3/repos/acme/app/commits/{sha}", func(w http.ResponseWriter, r *http.Request) {
		parents := map[string][]string{theMerge: {theBase, theHead}, theBase: {theHead}, strings.Repeat("2", 40): {theHead, theBase}}[r.PathValue("sha")]
		if parents == nil {
			answer(w, http.StatusUnprocessableEntity, map[string]string{"message": "No commit found for SHA"})
			return
		}
		var list []map[string]string
		for _, p := range parents {
			list = append(list, map[string]string{"sha": p})
		}
		answer(w, http.StatusOK, map[string]any{"sha": r.PathValue("sha"), "parents": list})
	})
	mux.HandleFunc("GET /api/v3/user", func(w http.ResponseWriter, _ *http.Request) {
		if g.user == "" {
			answer(w, http.StatusForbidden, map[string]string{"message": "Resource not accessible by integration"})
			return
		}
		answer(w, http.StatusOK, map[string]string{"login": g.user})
	})
	mux.HandleFunc("GET /api/v3/repos/acme/app/issues/7/comments", func(w http.ResponseWriter, r *http.Request) { g.page(w, r, g.comments) })
	mux.HandleFunc("POST /api/v3/repos/acme/app/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		g.add(by("github-actions[bot]"), read(t, r))
		answer(w, http.StatusCreated, g.comments[len(g.comments)-1])
	})
	mux.HandleFunc("PATCH /api/v3/repos/acme/app/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		g.comments[id-1]["body"] = read(t, r)
		answer(w, http.StatusOK, g.comments[id-1])
	})
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.tokens[r.Header.Get("Authorization")] = true
		if r.Method != http.MethodGet {
			g.writes = append(g.writes, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v3/repos/acme/app"))
		}
		if g.refuse == nil || !g.refuse(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func pull(number int, sha, branch, repository string) map[string]any {
	return map[string]any{"number": number, "title": "::error::", "head": map[string]any{"sha": sha, "ref": branch, "repo": map[string]any{"full_name": repository}}}
}

func by(login string) map[string]any { return map[string]any{"login": login} }

func (g *fakeGitHub) add(user map[string]any, body string) {
	g.comments = append(g.comments, map[string]any{"id": len(g.comments) + 1, "user": user, "body": body})
}

// page answers with two elements of a list at a time.
func (g *fakeGitHub) page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(page, 1)
	from := min(2*(page-1), len(all))
	to := min(from+2, len(all))
	if to < len(all) {
		query := r.URL.Query()
		query.Set("page", fmt.Sprint(page+1))
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=1>; rel="first", <%s%s?%s>; rel="next", <%s%s?page=99>; rel="last"`,
			g.URL, r.URL.Path, g.URL, r.URL.Path, query.Encode(), g.URL, r.URL.Path))
	}
	answer(w, http.StatusOK, append([]map[string]any{}, all[from:to]...))
}

func answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}

// read returns the body of a comment that is posted.
func read(t *testing.T, r *http.Request) string {
	data, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	var content map[string]string
	assert.NoError(t, json.Unmarshal(data, &content))
	assert.Len(t, content, 1)
	return content["body"]
}
