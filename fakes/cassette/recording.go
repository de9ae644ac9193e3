package cassette

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/latgate/latgate/providers"
)

// A Recording says what a new cassette is called, what it keeps, and how its requests
// are told apart. The zero Recording keeps text, without what looks like a secret.
type Recording struct {
	Name       string            // of the scenario
	Provenance map[string]string // where it comes from: commit, CI run, region

	// Redact replaces text, of requests and of replies, by filler of the same shape:
	// letters by x, X or é, digits by 1. Spaces, punctuation, framing and the
	// structure of JSON stay, so that each event has the same bytes at the same
	// offset. Counts, models, roles, types and stop reasons stay as well. Requests are
	// matched by a salted hash then.
	//
	// An application that acts on what the model says acts on filler.
	Redact bool

	// Scrub finds what is secret besides credentials, ARNs and account ids, which are
	// always found.
	Scrub []Scrubber

	// KeepHeaders are response headers to keep beside those that are known to be
	// harmless.
	KeepHeaders []string

	Matching Matching
}

// A Scrubber returns the ranges of a text that are secret, as
// [regexp.Regexp.FindAllIndex] does. Letters and digits in them become filler. It is
// given each string of a JSON body by itself, as it is escaped there, other bodies
// whole, and header values, paths and queries. It must be safe for concurrent use.
type Scrubber func(text []byte) [][]int

// header returns the header of a cassette that is recorded now.
func (rec Recording) header(r *redactor) Header {
	h := Header{
		Schema: Schema, Name: rec.Name, Source: "latgate", Started: time.Now().Round(0).UTC(), Tool: tool(),
		Redacted: rec.Redact, Salt: r.salt, Matching: rec.Matching,
	}
	for name, value := range rec.Provenance {
		if h.Provenance == nil {
			h.Provenance = make(map[string]string)
		}
		h.Provenance[name] = r.line(value)
	}
	return h
}

// tool names the version of this module and of Go.
func tool() string {
	const module = "github.com/latgate/latgate"
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == module && m.Version != "" {
				version = " " + m.Version
			}
		}
	}
	return "latgate" + version + " " + runtime.Version()
}

// redactor returns what cleans interactions of this recording. A cassette that is
// there already brings its salt.
func (rec Recording) redactor(salt []byte) (*redactor, error) {
	if err := rec.Matching.validate(); err != nil {
		return nil, err
	}
	keep := make(map[string]bool)
	for _, name := range rec.KeepHeaders {
		if secretName(name) {
			return nil, fmt.Errorf("cassette: the header %s is never kept: by its name it holds a credential", name)
		}
		keep[http.CanonicalHeaderKey(name)] = true
	}
	if rec.Redact && len(salt) == 0 {
		salt = make([]byte, 16)
		_, _ = rand.Read(salt) // never fails
	}
	return &redactor{fill: rec.Redact, salt: salt, scrubbers: rec.Scrub, keep: keep, matching: rec.Matching}, nil
}

// A redactor takes out of interactions what a file must not hold.
type redactor struct {
	fill      bool // all text
	salt      []byte
	scrubbers []Scrubber
	keep      map[string]bool
	matching  Matching
}

// interaction returns a copy that may be written.
func (r *redactor) interaction(i *Interaction) (*Interaction, error) {
	out := *i
	request, err := r.request(i.Request)
	if err != nil {
		return nil, err
	}
	out.Request = request
	plain, err := i.Exchange(time.Time{}).Identity()
	if err != nil {
		return nil, fmt.Errorf("the reply cannot be searched for secrets: %w", err)
	}
	out.Response.Body = bytes.Clone(plain.Body)
	if out.Response.Body == nil {
		out.Response.Body = []byte{}
	}
	out.Response.Reads = plain.Marks
	out.Response.Ending = plain.Ending
	out.Response.Header = r.responseHeader(plain.Header)
	out.Response.Err = ""
	if plain.Err != nil {
		out.Response.Err = r.line(providers.Scrub(plain.Err.Error()))
	}
	out.Response.Proto = providers.Inert(out.Response.Proto)
	r.body(out.Response.Body, out.Response.mediaType())
	return &out, nil
}

// request returns the request as the file holds it, with the hash of what it was.
func (r *redactor) request(q Request) (Request, error) {
	out := q
	out.Host, out.Path, out.Query = r.line(q.Host), r.path(q.Path), r.query(q.Query)
	out.Header = r.requestHeader(q.Header)
	if q.Body == nil {
		return out, nil
	}
	body, err := gunzipped(q.Body)
	if err != nil {
		return Request{}, fmt.Errorf("the request cannot be searched for secrets: %w", err)
	}
	body = append([]byte{}, body...)
	if r.fill {
		clean := append([]byte{}, body...)
		scrub := *r
		scrub.fill = false
		scrub.body(clean, "")
		out.key = r.key(clean)
	}
	r.body(body, "")
	out.Body = body
	return out, nil
}

// key returns the hash that a redacted request body is matched by.
func (r *redactor) key(clean []byte) string {
	return stretched(r.salt, r.matching.canonical(clean, true))
}

const longestRequest = 64 << 20

// gunzipped returns a request body without its compression, which only its first
// bytes tell of.
func gunzipped(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte("\x1f\x8b\x08")) {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, longestRequest+1))
	if err == nil && len(plain) > longestRequest {
		err = errors.New("it decompresses to more than 64 MiB")
	}
	return plain, err
}

// line cleans a text of one line: a host, a header value, an error.
func (r *redactor) line(s string) string {
	b := []byte(providers.Inert(s))
	r.secrets(b)
	return string(b)
}

// secrets fills what is secret in a text, in place.
func (r *redactor) secrets(b []byte) {
	maskSecrets(b)
	for _, scrub := range r.scrubbers {
		for _, at := range scrub(b) {
			if len(at) >= 2 && 0 <= at[0] && at[0] < at[1] && at[1] <= len(b) {
				fillText(b[at[0]:at[1]], false)
			}
		}
	}
}

// path cleans an escaped path. Long hexadecimal segments are accounts, or worse.
func (r *redactor) path(path string) string {
	b := []byte(path)
	r.secrets(b)
	for start := 0; start < len(b); {
		end := bytes.IndexByte(b[start:], '/')
		if end < 0 {
			end = len(b) - start
		}
		if segment := b[start : start+end]; len(segment) >= 24 && hexadecimal(segment) {
			fillText(segment, false)
		}
		start += end + 1
	}
	return string(b)
}

func hexadecimal(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-') {
			return false
		}
	}
	return true
}

// query cleans a raw query. The values of secret parameters go, as their length says
// something.
func (r *redactor) query(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for k, pair := range pairs {
		name, value, valued := strings.Cut(pair, "=")
		switch b := []byte(value); {
		case !valued:
			b = []byte(name)
			r.secrets(b)
			pairs[k] = string(b)
		case secretParameter(name):
			pairs[k] = name + "=***"
		default:
			r.secrets(b)
			if r.fill && !vocabulary(b) {
				fillText(b, false)
			}
			pairs[k] = name + "=" + string(b)
		}
	}
	return strings.Join(pairs, "&")
}
