package s3store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/latgate/latgate/providers"
)

// Options say how a server is reached. The zero value is AWS, as the SDK's default
// chain finds region and credentials: environment, profile, web identity, role.
type Options struct {
	Config     *aws.Config   // instead of the default chain
	Endpoint   string        // of another server: "https://s3.example.com"; AWS_ENDPOINT_URL_S3 does the same
	Region     string        // instead of the configuration's
	PathStyle  bool          // https://endpoint/bucket/… instead of https://bucket.endpoint/…
	Anonymous  bool          // without credentials: a bucket that anybody may read
	HTTPClient *http.Client  // instead of the SDK's, or of the default one for a mirror
	Timeout    time.Duration // of each call of the store, retries included; 2 minutes when 0
}

const defaultTimeout = 2 * time.Minute

// Open returns the store at an address: s3://bucket/prefix, one prefix for each
// repository, or what [Mirror] takes. The context ends the calls of the store as
// well, whose methods take none. Of the server nothing is asked yet.
//
// The address of a bucket may end with settings, which go before those of the options:
//
//	s3://bucket/prefix?endpoint=https://s3.example.com&region=auto&use_path_style=true
//
// They are endpoint, region, use_path_style and anonymous, as package
// gocloud.dev/blob/s3blob has them. Any other is an error.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	switch scheme, rest, _ := strings.Cut(address, "://"); scheme {
	case "s3":
		return openBucket(ctx, rest, o)
	case "https", "http":
		return Mirror(ctx, address, o)
	}
	// The address is not quoted: who mistypes it may have put a secret there.
	return nil, errors.New("the address of a store is s3://bucket/prefix, or https://host/path for a mirror that is only read")
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixName = regexp.MustCompile(`^[A-Za-z0-9!_.*'()@=+,-]+$`) // of one segment
)

func openBucket(ctx context.Context, address string, o Options) (*Store, error) {
	address, query, _ := strings.Cut(address, "?")
	name, prefix, _ := strings.Cut(address, "/")
	prefix = strings.TrimSuffix(prefix, "/")
	if !bucketName.MatchString(name) {
		return nil, errors.New("s3://bucket/prefix: a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens")
	}
	if prefix != "" {
		for segment := range strings.SplitSeq(prefix, "/") {
			if !prefixName.MatchString(segment) || strings.Trim(segment, ".") == "" {
				return nil, errors.New("s3://bucket/prefix: a prefix is segments of letters, digits and !_.*'()@=+,- between single slashes")
			}
		}
		prefix += "/"
	}
	if err := readSettings(query, &o); err != nil {
		return nil, err
	}
	client, err := newClient(ctx, o)
	if err != nil {
		return nil, err
	}
	return newStore(ctx, &bucket{client: client, name: name, prefix: prefix, settings: o.query()}, o), nil
}

func newClient(ctx context.Context, o Options) (*s3.Client, error) {
	if o.Endpoint != "" {
		if _, err := checkedURL(o.Endpoint); err != nil {
			return nil, fmt.Errorf("the endpoint: %w", err)
		}
	}
	var cfg aws.Config
	if o.Config != nil {
		cfg = o.Config.Copy()
	} else {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx); err != nil {
			return nil, fmt.Errorf("the configuration of AWS: %s", providers.Scrub(err.Error()))
		}
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil && !o.Anonymous {
			return nil, fmt.Errorf("there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or let the job assume a role: %s", providers.Scrub(err.Error()))
		}
	}
	if o.Anonymous {
		cfg.Credentials = aws.AnonymousCredentials{}
	}
	cfg.Region = cmp.Or(o.Region, cfg.Region)
	if cfg.Region == "" {
		if o.Endpoint == "" {
			return nil, errors.New("there is no region: set AWS_REGION to that of the bucket, or name it in the store's address: s3://bucket/prefix?region=eu-west-1")
		}
		cfg.Region = "us-east-1" // what servers without regions expect
	}
	return s3.NewFromConfig(cfg, func(so *s3.Options) {
		so.UsePathStyle = o.PathStyle
		if o.Endpoint != "" {
			so.BaseEndpoint = &o.Endpoint
		}
		if o.HTTPClient != nil {
			so.HTTPClient = o.HTTPClient
		}
		if cfg.RetryMaxAttempts == 0 {
			so.RetryMaxAttempts = 5
		}
		// What is written has its SHA-256 with it, and what is read is compared with
		// the pointer. Many servers do not know the SDK's own checksums.
		so.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		so.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}), nil
}

// checkedURL parses the address of a server. Its errors do not quote it.
func checkedURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("want https://host/path")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("want https://host/path: no user, no password and no query, they would be printed with every error")
	}
	return u, nil
}
