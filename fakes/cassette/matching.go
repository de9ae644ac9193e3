package cassette

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A matcher tells which recorded requests a live one equals.
type matcher struct {
	matching Matching
	redactor *redactor // makes a live request comparable with recorded ones

	mu   sync.Mutex
	keys map[[sha256.Size]byte]string // of bodies: most requests repeat others
}

// newMatcher returns a matcher for requests against the cassette.
func (c *Cassette) newMatcher(more Matching, scrub []Scrubber) (*matcher, error) {
	rec := Recording{Redact: c.Header.Redacted, Matching: c.Header.Matching.with(more), Scrub: scrub}
	if err := rec.Matching.validate(); err != nil {
		return nil, err
	}
	if c.Header.Redacted && len(more.Ignore) > 0 {
		return nil, errIgnoredTooLate
	}
	for _, name := range more.headers() {
		if !slices.Contains(requestHeaders, name) && !slices.Contains(c.Header.Matching.headers(), name) {
			return nil, fmt.Errorf("cassette: requests cannot be matched by the header %s, which was not recorded: state it in Matching.Headers when recording", name)
		}
	}
	r, err := rec.redactor(c.Header.Salt)
	if err != nil {
		return nil, err
	}
	return &matcher{matching: rec.Matching, redactor: r, keys: make(map[[sha256.Size]byte]string)}, nil
}

// recorded returns the key of a request of the cassette; one without a body has the key
// of those whose body is not known.
func (m *matcher) recorded(q Request) string {
	switch {
	case q.Body == nil:
		return m.key(q, "?")
	case q.key != "":
		return m.key(q, q.key)
	}
	return m.key(q, m.body(q.Body, false))
}

// live returns the keys that a live request has: that of its body, and that of any.
// It returns the request as it would be in the file as well.
func (m *matcher) live(q Request) (keys [2]string, clean Request, err error) {
	if plain, err := gunzipped(q.Body); err == nil {
		q.Body = plain
	}
	body := append([]byte{}, q.Body...)
	q.Body = nil
	if clean, err = m.redactor.request(q); err != nil {
		return keys, clean, err
	}
	fill := m.redactor.fill
	scrub := *m.redactor
	scrub.fill = false
	scrub.body(body, "")
	keys = [2]string{m.key(clean, m.body(body, fill)), m.key(clean, "?")}
	if fill {
		m.redactor.body(body, "")
	}
	clean.Body = body
	return keys, clean, nil
}

// body returns the key of a body without secrets.
func (m *matcher) body(clean []byte, redacted bool) string {
	sum := sha256.Sum256(clean)
	m.mu.Lock()
	key, known := m.keys[sum]
	m.mu.Unlock()
	if known {
		return key
	}
	if redacted {
		key = m.redactor.key(clean)
	} else {
		canonical := sha256.Sum256(m.matching.canonical(clean, false))
		key = hex.EncodeToString(canonical[:16])
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) < 1<<16 {
		m.keys[sum] = key
	}
	return key
}

// key joins what is compared of a request.
func (m *matcher) key(q Request, body string) string {
	h := sha256.New()
	part := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	part(q.Method)
	if m.matching.Host {
		part(strings.ToLower(q.Host))
	}
	part(comparedPath(q.Path))
	part(comparedQuery(q.Query))
	for _, name := range m.matching.headers() {
		part(strings.Join(q.Header.Values(name), ","))
	}
	part(body)
	return string(h.Sum(nil))
}

// comparedPath writes the escapes of a path in one way: SDKs escape a colon, or not.
func comparedPath(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// comparedQuery sorts the parameters, and leaves out those that hold secrets.
func comparedQuery(query string) string {
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return pair == "" || secretParameter(name)
	})
	slices.SortFunc(pairs, cmp.Compare[string])
	return strings.Join(pairs, "&")
}
