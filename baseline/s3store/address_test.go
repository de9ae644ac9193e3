package s3store_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/s3store"
)

// What an address says goes before the options, and is what the store calls itself.
func TestSettingsOfAnAddress(t *testing.T) {
	t.Parallel()
	object := "/acme-latency/a/b/baselines/TestLatencyChat/all@" + key.Hash() + ".json"
	r := seen(t, "s3://acme-latency/a/b?endpoint=https://other.test&use_path_style=true&region=auto", func(o *s3store.Options) { o.PathStyle = false })
	assert.Equal(t, "other.test", r.Host)
	assert.Equal(t, object, r.URL.Path)
	assert.Contains(t, r.Header.Get("Authorization"), "/auto/s3/")
	r = seen(t, "s3://acme-latency/a/b/?endpoint=https%3A%2F%2Fother.test%2Fbelow&use_path_style=false", func(*s3store.Options) {})
	assert.Equal(t, "acme-latency.other.test", r.Host)
	assert.Equal(t, "/below"+object[len("/acme-latency"):], r.URL.Path)
	assert.Contains(t, r.Header.Get("Authorization"), "/eu-west-1/s3/")
	r = seen(t, "s3://acme-latency/a/b?anonymous=true", func(*s3store.Options) {})
	assert.Empty(t, r.Header.Get("Authorization"))
}

func TestAStoreNamesItself(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		options s3store.Options
		want    string
	}{
		{"s3://acme-latency", s3store.Options{}, "s3://acme-latency"},
		{"s3://acme-latency/a/b/", s3store.Options{}, "s3://acme-latency/a/b"},
		{"s3://acme-latency/a?use_path_style=false", s3store.Options{}, "s3://acme-latency/a"},
		{"s3://acme-latency/a", s3store.Options{Endpoint: "https://s3.test:9000/x", PathStyle: true}, "s3://acme-latency/a?endpoint=https://s3.test:9000/x&use_path_style=true"},
		{"s3://acme-latency/a?region=auto&anonymous=true&endpoint=http%3a%2f%2flocalhost:9000", s3store.Options{Endpoint: "https://s3.test"}, "s3://acme-latency/a?anonymous=true&endpoint=http://localhost:9000&region=auto"},
		{"https://latency.acme.example/a+b/", s3store.Options{}, "https://latency.acme.example/a%2Bb"},
	} {
		o := test.options
		o.Config = config()
		store, err := s3store.Open(t.Context(), test.address, o)
		require.NoError(t, err)
		assert.Equal(t, test.want, store.String())
		again, err := s3store.Open(t.Context(), store.String(), s3store.Options{Config: config()})
		require.NoError(t, err)
		assert.Equal(t, test.want, again.String(), "it can be opened by its name alone")
		assert.Equal(t, store.Location(key), again.Location(key))
	}
}

// From the environment and the address alone, as the command opens a store.
func TestAnAddressIsEnough(t *testing.T) {
	s, _ := twoRuns(t)
	web := httptest.NewServer(s)
	defer web.Close()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_ENDPOINT_URL_S3": "http://nowhere.invalid",
	} {
		t.Setenv(name, value)
	}
	address := "s3://" + s.bucket + "/" + prefix
	_, err := s3store.Open(t.Context(), address, s3store.Options{})
	require.ErrorContains(t, err, "s3://bucket/prefix?region=eu-west-1")
	store, err := s3store.Open(t.Context(), address+"?use_path_style=true&endpoint="+web.URL, s3store.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, store, key))

	store, err = s3store.Open(t.Context(), address+"?endpoint="+web.URL, s3store.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, store, key), "an address in numbers has no host for a bucket")

	t.Setenv("AWS_ENDPOINT_URL_S3", web.URL)
	store, err = s3store.Open(t.Context(), address+"?use_path_style=true&region=eu-west-1", s3store.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, store, key))

	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	signed := 0
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" {
			signed++
		}
		refuse(w, http.StatusForbidden, "AccessDenied", "not signed")
		return true
	}
	store, err = s3store.Open(t.Context(), address+"?use_path_style=true&region=eu-west-1&anonymous=true", s3store.Options{})
	require.NoError(t, err)
	_, err = store.Runs(key)
	require.ErrorContains(t, err, "AccessDenied")
	assert.Zero(t, signed)
}
