package s3store_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline/s3store"
)

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for _, test := range []struct{ address, want string }{
		{"", "s3://bucket/prefix, or https://host/path"},
		{"testdata/latgate", "s3://bucket/prefix, or https://host/path"},
		{"gs://bucket/prefix", "s3://bucket/prefix, or https://host/path"},
		{"s3://", "a bucket's name has"},
		{"s3:///prefix", "a bucket's name has"},
		{"s3://Bucket", "a bucket's name has"},
		{"s3://AKIA:" + secret + "@bucket/prefix", "a bucket's name has"},
		{"s3://bucket/" + "a//b", "a prefix is segments of"},
		{"s3://bucket/../other", "a prefix is segments of"},
		{"s3://bucket/a/./b", "a prefix is segments of"},
		{"s3://bucket/a b", "a prefix is segments of"},
		{"s3://bucket/a\nb", "a prefix is segments of"},
		{"s3://bucket/x?secret=" + secret, `there is no setting "secret": there are anonymous, endpoint, region, use_path_style; credentials come from the environment`},
		{"s3://bucket/x?s3ForcePathStyle=true", `there is no setting "s3ForcePathStyle": there are anonymous,`},
		{"s3://bucket/x?" + secret + "/+=1", "a setting that there is not: there are anonymous, endpoint"},
		{"s3://bucket/x?region=eu-west-1&secret_access_key=" + secret, `there is no setting "secret_access_key"`},
		{"s3://bucket/x?region=" + secret + "%0a", "s3://bucket/prefix?region=…: want the name of a region"},
		{"s3://bucket/x?region=", "want the name of a region"},
		{"s3://bucket/x?region=a&region=b", "region is given twice"},
		{"s3://bucket/x?use_path_style=yes", "s3://bucket/prefix?use_path_style=…: want true or false"},
		{"s3://bucket/x?use_path_style", "want true or false"},
		{"s3://bucket/x?anonymous=1", "s3://bucket/prefix?anonymous=…: want true or false"},
		{"s3://bucket/x?endpoint=s3.example.com", "s3://bucket/prefix?endpoint=…: want https://host/path"},
		{"s3://bucket/x?endpoint=https://a:" + secret + "@s3.example.com", "no user, no password and no query"},
		{"s3://bucket/x?region=%zz" + secret, "cannot be read"},
		{"s3://bucket/x?region=a;b=" + secret, "cannot be read"},
		{"https://", "want https://host/path"},
		{"https://user:" + secret + "@host/x", "no user, no password and no query"},
		{"https://user:" + secret + "/x@host:y", "want https://host/path"},
		{"https://host/x?X-Amz-Signature=" + secret, "no user, no password and no query"},
		{"https://host/x#" + secret, "no user, no password and no query"},
		{"http://mirror.example/x", "want https, or anybody on the way could change what is read"},
	} {
		_, err := s3store.Open(t.Context(), test.address, s3store.Options{Config: config()})
		require.ErrorContains(t, err, test.want, "%q", test.address)
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		change func(*s3store.Options)
		want   string
	}{
		{func(o *s3store.Options) { o.Config.Region = "" }, "set AWS_REGION"},
		{func(o *s3store.Options) { o.Endpoint = "s3.example.com" }, "the endpoint: want https://host/path"},
		{func(o *s3store.Options) { o.Endpoint = "https://a:b@s3.example.com" }, "the endpoint: want https://host/path: no user"},
	} {
		o := s3store.Options{Config: config()}
		test.change(&o)
		_, err := s3store.Open(t.Context(), "s3://bucket", o)
		require.ErrorContains(t, err, test.want)
	}
}

// seen opens a store and returns the first request that it makes.
func seen(t *testing.T, address string, change func(*s3store.Options)) (first *http.Request) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if first == nil {
				first = r
			}
			refuse(w, http.StatusNotFound, "NoSuchKey", "")
			return true
		}
		store := openAt(t, s, address, change)
		_, err := store.Runs(key)
		require.NoError(t, err)
	})
	return first
}

func TestAddressingStyles(t *testing.T) {
	t.Parallel()
	object := "/a/b/baselines/TestLatencyChat/all@" + key.Hash() + ".json"
	r := seen(t, "s3://acme-latency/a/b/", func(o *s3store.Options) { o.Endpoint, o.PathStyle = "", false })
	assert.Equal(t, "acme-latency.s3.eu-west-1.amazonaws.com", r.Host)
	assert.Equal(t, object, r.URL.Path)
	r = seen(t, "s3://acme-latency/a/b", func(o *s3store.Options) { o.PathStyle = false })
	assert.Equal(t, "acme-latency.s3.test", r.Host)
	r = seen(t, "s3://acme-latency/a/b", func(o *s3store.Options) { o.Config.Region = "" })
	assert.Equal(t, "s3.test", r.Host)
	assert.Equal(t, "/acme-latency"+object, r.URL.Path)
	assert.Contains(t, r.Header.Get("Authorization"), "/us-east-1/s3/", "servers without regions expect this one")
}

// A bucket that anybody may read needs no credentials.
func TestAnonymousReading(t *testing.T) {
	t.Parallel()
	r := seen(t, "s3://acme-latency", func(o *s3store.Options) { o.Config.Credentials = aws.AnonymousCredentials{} })
	assert.Empty(t, r.Header.Get("Authorization"))
}

func TestTheDefaultChain(t *testing.T) {
	s, _ := twoRuns(t)
	web := httptest.NewServer(s)
	defer web.Close()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_REGION": "eu-west-1", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_ENDPOINT_URL_S3": web.URL,
	} {
		t.Setenv(name, value)
	}
	_, err := s3store.Open(t.Context(), "s3://"+s.bucket+"/"+prefix, s3store.Options{PathStyle: true})
	require.ErrorContains(t, err, "there are no AWS credentials: set AWS_ACCESS_KEY_ID")

	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	store, err := s3store.Open(t.Context(), "s3://"+s.bucket+"/"+prefix, s3store.Options{PathStyle: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, reasons(t, store, key))
}
