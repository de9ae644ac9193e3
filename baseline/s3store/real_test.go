package s3store_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/baseline/s3store"
)

// The tests of this file need a real server:
//
//	LATGATE_S3=1 go test ./baseline/s3store                      builds and starts one, which takes minutes the first time
//	LATGATE_S3=http://localhost:9000 go test ./baseline/s3store  takes one that runs, with the credentials of the environment
//
// They create a bucket of their own and leave it there.
const realServerVariable = "LATGATE_S3"

// A site is how a real server is reached. Processes hand it on by environment.
type site struct{ endpoint, socket, bucket string }

func (r site) options(ctx context.Context) (s3store.Options, error) {
	o := s3store.Options{Endpoint: r.endpoint, PathStyle: true}
	if r.socket == "" {
		cfg, err := awsconfig.LoadDefaultConfig(ctx)
		o.Config = &cfg
		return o, err
	}
	o.Config = &aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("latgate", secretKey, "")}
	o.HTTPClient = &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", r.socket)
		},
	}}
	return o, nil
}

func (r site) open(ctx context.Context) (*s3store.Store, error) {
	o, err := r.options(ctx)
	if err != nil {
		return nil, err
	}
	return s3store.Open(ctx, "s3://"+r.bucket+"/"+prefix, o)
}

// client is somebody with all rights.
func (r site) client(t *testing.T) *s3.Client {
	t.Helper()
	o, err := r.options(t.Context())
	require.NoError(t, err)
	if o.Config.Region == "" {
		o.Config.Region = "us-east-1"
	}
	return s3.NewFromConfig(*o.Config, func(so *s3.Options) {
		so.BaseEndpoint, so.UsePathStyle = &r.endpoint, true
		if o.HTTPClient != nil {
			so.HTTPClient = o.HTTPClient
		}
	})
}

const writerVariable = "GO_WANT_S3_WRITER"

// The test binary is a writer when one of its own tests starts it as such.
func TestMain(m *testing.M) {
	if name := os.Getenv(writerVariable); name != "" {
		r := site{os.Getenv("LATGATE_TEST_ENDPOINT"), os.Getenv("LATGATE_TEST_SOCKET"), os.Getenv("LATGATE_TEST_BUCKET")}
		if err := addFour(r, name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// addFour stores two runs under each of two models.
func addFour(r site, name string) error {
	store, err := r.open(context.Background())
	for i := range 4 {
		if err == nil {
			_, err = store.Add(run(fmt.Sprint(name, " ", i), started, model(fmt.Sprint("m", i%2))))
		}
	}
	return err
}

// realServers returns the servers to try, by name, each with a bucket.
func realServers(t *testing.T) map[string]site {
	t.Helper()
	all := make(map[string]site)
	switch endpoint := os.Getenv(realServerVariable); endpoint {
	case "":
		t.Skipf("SKIPPED: no real S3 server was tried, only the one that this package makes up. %s=1 builds one and starts it, %[1]s=http://host:port takes one that runs", realServerVariable)
	case "1":
		binary := filepath.Join(t.TempDir(), "versitygw")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/versity/versitygw/cmd/versitygw")
		build.Dir = filepath.Join("..", "..", ".github", "s3server") // which pins it
		output, err := build.CombinedOutput()
		require.NoError(t, err, "%s", output)
		all["attributes"] = startServer(t, binary, false)
		// Its answers are often torn: content and entity tag are in two files.
		all["sidecar"] = startServer(t, binary, true)
	default:
		all["running"] = site{endpoint: endpoint}
	}
	for name, r := range all {
		r.bucket = fmt.Sprintf("latgate-%x", time.Now().UnixNano())
		client := r.client(t)
		in := &s3.CreateBucketInput{Bucket: &r.bucket}
		require.Eventually(t, func() bool {
			_, err := client.CreateBucket(t.Context(), in)
			return err == nil
		}, time.Minute, 100*time.Millisecond, "the server does not come up")
		_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: &r.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
		require.NoError(t, err)
		all[name] = r
	}
	return all
}

// startServer starts a server on a socket, over a directory of its own.
func startServer(t *testing.T, binary string, sidecar bool) site {
	t.Helper()
	dir, err := os.MkdirTemp("", "s3") // the path of a socket is short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, sub := range []string{"data", "meta", "versions"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	r := site{endpoint: "http://s3.localhost", socket: filepath.Join(dir, "socket")}
	args := []string{"--quiet", "--port", r.socket, "posix", "--versioning-dir", filepath.Join(dir, "versions")}
	if sidecar {
		args = append(args, "--sidecar", filepath.Join(dir, "meta"))
	}
	server := exec.CommandContext(t.Context(), binary, append(args, filepath.Join(dir, "data"))...)
	server.Env = append(os.Environ(), "ROOT_ACCESS_KEY=latgate", "ROOT_SECRET_KEY="+secretKey)
	server.Stdout, server.Stderr = t.Output(), t.Output()
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	return r
}

func TestARealServer(t *testing.T) {
	t.Parallel()
	for name, r := range realServers(t) {
		t.Run(name, func(t *testing.T) { tryServer(t, r) })
	}
}

func tryServer(t *testing.T, r site) {
	store, err := r.open(t.Context())
	require.NoError(t, err)
	client := r.client(t)

	t.Run("empty", func(t *testing.T) {
		assert.Empty(t, reasons(t, store, key))
		assert.Empty(t, hashes(t, store, key))
	})
	t.Run("keep", func(t *testing.T) {
		var want []string
		for day := range baseline.Keep + 2 {
			want = append(want, fmt.Sprint("day ", day))
			add(t, store, run(want[day], started.AddDate(0, 0, day)))
			add(t, store, run(want[day], started.AddDate(0, 0, day)))
		}
		assert.Equal(t, want[2:], reasons(t, store, key))
		assert.Equal(t, []string{key.Hash()}, hashes(t, store, key))
	})
	t.Run("processes race", func(t *testing.T) {
		var writing sync.WaitGroup
		for i := range 5 {
			writer := exec.CommandContext(t.Context(), os.Args[0])
			writer.Env = append(os.Environ(), writerVariable+"=writer "+strconv.Itoa(i),
				"LATGATE_TEST_ENDPOINT="+r.endpoint, "LATGATE_TEST_SOCKET="+r.socket, "LATGATE_TEST_BUCKET="+r.bucket)
			writing.Go(func() {
				output, err := writer.CombinedOutput()
				assert.NoError(t, err, "%s", output)
			})
		}
		writing.Wait()
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprintf("writer %d %d", i/4, i%4))
		}
		assert.ElementsMatch(t, want, append(reasons(t, store, modelKey(0)), reasons(t, store, modelKey(1))...))
		assert.Len(t, hashes(t, store, key), 3)
	})
	t.Run("goroutines race", func(t *testing.T) {
		var want []string
		errs := make([]error, 10)
		var writing sync.WaitGroup
		for i := range errs {
			other, err := r.open(t.Context())
			require.NoError(t, err)
			reason := fmt.Sprint(i)
			want = append(want, reason)
			writing.Go(func() { _, errs[i] = other.Add(run(reason, started, model("m2"))) })
		}
		writing.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		assert.ElementsMatch(t, want, reasons(t, store, modelKey(2)))
	})
	t.Run("pinned", func(t *testing.T) {
		where, err := store.Pin(run("day 1", started.AddDate(0, 0, 1)))
		require.NoError(t, err)
		assert.Equal(t, "day 1", pinned(t, store, key))
		add(t, store, run("day 11", started.AddDate(0, 0, 11)))
		assert.Equal(t, "day 1", pinned(t, store, key))
		dropped, err := store.Prune(baseline.Keep-1, false)
		require.NoError(t, err)
		assert.Len(t, dropped, 4, "one of each key")
		_, object, err := s3store.SplitRun(where)
		require.NoError(t, err)
		_, err = store.Stored(object)
		require.NoError(t, err)
		runs, err := store.Archive()
		require.NoError(t, err)
		assert.Len(t, runs, baseline.Keep+2+20+10)
		v, err := store.Verify()
		require.NoError(t, err)
		assert.Empty(t, v.Broken)
		assert.Equal(t, baseline.Keep+2+20+10, v.Runs)
	})
	t.Run("runs have one version", func(t *testing.T) {
		out, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &r.bucket, Prefix: aws.String(prefix + "/runs/")})
		require.NoError(t, err)
		seen := make(map[string]bool)
		for _, v := range out.Versions {
			assert.False(t, seen[*v.Key], "%s was written twice", *v.Key)
			seen[*v.Key] = true
		}
		assert.Len(t, seen, baseline.Keep+2+20+10)
	})
	t.Run("hostile names", func(t *testing.T) {
		k := baseline.NewKey(identity(model("x")))
		for _, name := range []string{"../../../x", "a+b=c,d@e", "größe", strings.Repeat("long/", 300)} {
			r := run("x", started, model("x"))
			r.Header.Provenance.Commit = name
			add(t, store, r)
			assert.Contains(t, reasons(t, store, k), "x")
		}
	})
	t.Run("tampering", func(t *testing.T) {
		where := strings.TrimPrefix(add(t, store, run("x", started, model("y"))), "s3://"+r.bucket+"/")
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.bucket, Key: &where, Body: bytes.NewReader([]byte("padded"))})
		require.NoError(t, err)
		var changed *s3store.DigestError
		_, err = store.Runs(baseline.NewKey(identity(model("y"))))
		require.ErrorAs(t, err, &changed)
		_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &r.bucket, Key: &where})
		require.NoError(t, err)
		_, err = store.Runs(baseline.NewKey(identity(model("y"))))
		require.ErrorAs(t, err, &changed)
		assert.Empty(t, changed.Got)
	})
	t.Run("no bucket", func(t *testing.T) {
		other := site{r.endpoint, r.socket, "no-such-bucket-here"}
		store, err := other.open(t.Context())
		require.NoError(t, err)
		_, err = store.Runs(key)
		require.ErrorContains(t, err, "NoSuchBucket")
		_, err = store.Add(run("x", started))
		require.ErrorContains(t, err, "create the bucket")
	})
	t.Run("wrong credentials", func(t *testing.T) {
		if r.socket == "" {
			t.Skip("SKIPPED: some servers take any credentials")
		}
		o, err := r.options(t.Context())
		require.NoError(t, err)
		cfg := o.Config.Copy()
		cfg.Credentials = credentials.NewStaticCredentialsProvider("nobody", secretKey, "")
		o.Config = &cfg
		store, err := s3store.Open(t.Context(), "s3://"+r.bucket, o)
		require.NoError(t, err)
		_, err = store.Runs(key)
		var failed *s3store.ServerError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "XAdminUserNotFound", failed.Code, "InvalidAccessKeyId on AWS")
		assert.NotContains(t, err.Error(), secretKey)
	})
}
