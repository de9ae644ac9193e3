package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A bucket is the part of S3 that a store needs, on the loopback interface.
type bucket struct {
	*httptest.Server

	mu      sync.Mutex
	first   func(w http.ResponseWriter, r *http.Request) (answered bool) // see before
	objects map[string][]byte
	lost    int // writes whose condition did not hold, those of the probe not counted
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{objects: make(map[string][]byte)}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// address is that of a store in the bucket, with all that it takes to reach it.
func (b *bucket) address() string {
	return "s3://acme-latency/app?endpoint=" + b.URL + "&use_path_style=true"
}

// environment is that of somebody who may read and write the bucket.
func (b *bucket) environment(more ...string) []string {
	return append([]string{
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12", "AWS_REGION=eu-west-1",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_MAX_ATTEMPTS=1", "SCRATCH_STORE=" + b.address(),
	}, more...)
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	first := b.first
	b.mu.Unlock()
	if first != nil && first(w, r) {
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/acme-latency/app/")
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.objects[name]
	tag := func(data []byte) string {
		sum := md5.Sum(data)
		return `"` + hex.EncodeToString(sum[:]) + `"`
	}
	switch match := r.Header.Get("If-Match"); {
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		b.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodGet && !there:
		refuseS3(w, http.StatusNotFound, "NoSuchKey")
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", tag(old))
		w.Write(old)
	case match != "" && (!there || match != tag(old)), match == "" && there:
		if name != "baselines/probe.json" && !strings.HasPrefix(name, "runs/") {
			b.lost++
		}
		refuseS3(w, http.StatusPreconditionFailed, "PreconditionFailed")
	default:
		b.objects[name] = data
		w.Header().Set("ETag", tag(data))
	}
}

func (b *bucket) list(w http.ResponseWriter, prefix string) {
	type contents struct{ Key string }
	var result struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []contents
	}
	for _, name := range slices.Sorted(maps.Keys(b.objects)) {
		if strings.HasPrefix("app/"+name, prefix) {
			result.Contents = append(result.Contents, contents{"app/" + name})
		}
	}
	xml.NewEncoder(w).Encode(result)
}

func refuseS3(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
}

// before has a function see each request first, which may answer it itself, and wait.
func (b *bucket) before(first func(w http.ResponseWriter, r *http.Request) (answered bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first = first
}

// clone is a bucket of the same content.
func (b *bucket) clone(t *testing.T) *bucket {
	t.Helper()
	c := newBucket(t)
	b.mu.Lock()
	objects := maps.Clone(b.objects)
	b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects = objects
	return c
}

// edit replaces what the last object holds whose name a pattern matches, and returns its
// name; nil deletes it.
func (b *bucket) edit(t *testing.T, pattern string, change func([]byte) []byte) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	matches := func(name string) bool { return regexp.MustCompile(pattern).MatchString(name) }
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(name string) bool { return !matches(name) })
	require.NotEmpty(t, names, pattern)
	name := names[len(names)-1]
	if b.objects[name] = change(bytes.Clone(b.objects[name])); b.objects[name] == nil {
		delete(b.objects, name)
	}
	return name
}
