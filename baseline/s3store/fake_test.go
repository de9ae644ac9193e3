package s3store_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/s3store"
	"github.com/latgate/latgate/fakes"
)

// A server is the part of S3 that the store uses, for one bucket in path style.
// It keeps every version of an object.
type server struct {
	bucket string

	// before, where set, may answer a request itself, and wait.
	before func(w http.ResponseWriter, r *http.Request) (answered bool)

	// lose, where set, says which answers get lost: what was asked has been done.
	lose func(r *http.Request) bool

	ignores string // a conditional header that is ignored, unless it is about the probe and probeOnly
	honest  bool   // the probe gets what it wants to see
	noTag   bool   // no entity tags
	kms     bool   // entity tags that are no MD5

	// torn, where set, says which answers, so long after the last write, have the
	// content of the version before the one whose entity tag they have.
	torn func(age time.Duration) bool

	mu       sync.Mutex
	versions map[string][][]byte // the last is the current one
	written  map[string]time.Time
	requests []string // "PUT key"
}

func newServer() *server {
	return &server{bucket: "acme-latency", versions: make(map[string][][]byte), written: make(map[string]time.Time)}
}

func (s *server) etag(data []byte) string {
	sum := md5.Sum(data)
	if s.kms {
		sum[0]++
	}
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil && s.before(w, r) {
		return
	}
	key, ok := strings.CutPrefix(r.URL.Path, "/"+s.bucket+"/")
	if r.URL.Path == "/"+s.bucket {
		ok = true
	}
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		refuse(w, http.StatusForbidden, "AccessDenied", "not signed")
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		s.list(w, r)
	case r.Method == http.MethodGet:
		s.get(w, key)
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	default: // nothing is ever deleted
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", r.Method)
	}
}

func (s *server) get(w http.ResponseWriter, key string) {
	s.mu.Lock()
	s.requests = append(s.requests, "GET "+key)
	data := s.current(key)
	etag := s.etag(data)
	if n := len(s.versions[key]); n > 1 && s.torn != nil && s.torn(time.Since(s.written[key])) {
		data = s.versions[key][n-2]
	}
	s.mu.Unlock()
	if data == nil {
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	if !s.noTag {
		w.Header().Set("ETag", etag)
	}
	w.Write(data)
}

func (s *server) put(w http.ResponseWriter, r *http.Request, key string) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if sum := sha256.Sum256(data); r.Header.Get("X-Amz-Checksum-Sha256") != base64.StdEncoding.EncodeToString(sum[:]) {
		refuse(w, http.StatusBadRequest, "BadDigest", "The SHA256 you specified did not match")
		return
	}
	match, noneMatch := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if (match == "") == (noneMatch == "") {
		refuse(w, http.StatusForbidden, "AccessDenied", "the bucket's policy demands a condition")
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, "PUT "+key)
	status := s.condition(key, match, noneMatch)
	if status == 0 {
		s.versions[key] = append(s.versions[key], data)
		s.written[key] = time.Now()
	}
	s.mu.Unlock()
	switch {
	case s.lose != nil && s.lose(r):
		panic(http.ErrAbortHandler)
	case status == http.StatusNotFound:
		refuse(w, status, "NoSuchKey", "The specified key does not exist.")
	case status != 0:
		refuse(w, status, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	default:
		w.Header().Set("ETag", s.etag(data))
	}
}

// condition returns the status of a write whose condition does not hold.
func (s *server) condition(key, match, noneMatch string) int {
	ignored := s.ignores
	if s.honest && strings.HasSuffix(key, "/probe.json") {
		ignored = ""
	}
	data := s.current(key)
	switch {
	case noneMatch != "" && ignored != "If-None-Match" && data != nil:
		return http.StatusPreconditionFailed
	case match != "" && ignored != "If-Match" && data == nil:
		return http.StatusNotFound
	case match != "" && ignored != "If-Match" && s.etag(data) != match:
		return http.StatusPreconditionFailed
	}
	return 0
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	type contents struct{ Key string }
	result := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Contents              []contents
		IsTruncated           bool
		NextContinuationToken string
	}{}
	query := r.URL.Query()
	most, err := strconv.Atoi(query.Get("max-keys"))
	if err != nil {
		most = 3 // a thousand, at S3
	}
	s.mu.Lock()
	s.requests = append(s.requests, "LIST "+query.Get("prefix"))
	for _, key := range slices.Sorted(maps.Keys(s.versions)) {
		if !strings.HasPrefix(key, query.Get("prefix")) || s.current(key) == nil || key <= query.Get("continuation-token") {
			continue
		}
		if result.IsTruncated = len(result.Contents) == most; result.IsTruncated {
			break
		}
		result.Contents, result.NextContinuationToken = append(result.Contents, contents{key}), key
	}
	s.mu.Unlock()
	xml.NewEncoder(w).Encode(result)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	type answer struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}
	xml.NewEncoder(w).Encode(answer{Code: code, Message: message})
}

// current returns what an object holds; nil is none. The caller has the lock.
func (s *server) current(key string) []byte {
	if versions := s.versions[key]; len(versions) > 0 {
		return versions[len(versions)-1]
	}
	return nil
}

// object returns what an object holds.
func (s *server) object(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current(key)
}

// replace is somebody with more rights than the store needs; nil deletes.
func (s *server) replace(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[key] = append(s.versions[key], data)
}

// keys are the objects that there are, sorted.
func (s *server) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.versions))
}

// count returns how many requests there were that begin so.
func (s *server) count(request string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, request) {
			n++
		}
	}
	return n
}

// only finds the one object whose key contains a text.
func (s *server) only(t *testing.T, text string) string {
	t.Helper()
	keys := slices.DeleteFunc(s.keys(), func(key string) bool { return !strings.Contains(key, text) })
	require.Len(t, keys, 1)
	return keys[0]
}

// edit replaces a text in an object.
func (s *server) edit(t *testing.T, key, old, new string) {
	t.Helper()
	data := s.object(key)
	require.Contains(t, string(data), old)
	s.replace(key, bytes.ReplaceAll(data, []byte(old), []byte(new)))
}

const prefix = "github.com/acme/app"

const (
	secretKey    = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"
	sessionToken = "FwoGZXIvYXdzEBYaDHqa0AP1EXAMPLETOKENxyzFwoGZXIvYXdzEBYaDHqa0AP1EXAMPLETOKENxyz"
)

// config is that of a job with a role.
func config() *aws.Config {
	return &aws.Config{
		Region:      "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", secretKey, sessionToken),
	}
}

// open returns a store in the server's bucket with a connection of its own. In a
// synctest bubble it is to be opened there.
func open(t *testing.T, s *server, change ...func(*s3store.Options)) *s3store.Store {
	t.Helper()
	return openAt(t, s, fmt.Sprintf("s3://%s/%s", s.bucket, prefix), change...)
}

func openAt(t *testing.T, s *server, address string, change ...func(*s3store.Options)) *s3store.Store {
	t.Helper()
	network := fakes.NewNetwork(s)
	t.Cleanup(func() { network.Close() })
	o := s3store.Options{Config: config(), Endpoint: "https://s3.test", PathStyle: true, HTTPClient: network.Client()}
	for _, c := range change {
		c(&o)
	}
	store, err := s3store.Open(context.WithoutCancel(t.Context()), address, o)
	require.NoError(t, err)
	return store
}
