package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/latgate/latgate/providers"
)

// A bucket is the objects below a prefix.
type bucket struct {
	client *s3.Client
	name   string
	prefix string // empty, or with a slash at its end

	settings string // as a query of its address; empty, or with a question mark
}

func (b *bucket) String() string {
	return strings.TrimSuffix(b.address(""), "/") + b.settings
}

func (b *bucket) names(ctx context.Context, prefix string) (names []string, err error) {
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: aws.String(b.prefix + prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, b.failed("ListBucket", prefix, err)
		}
		for _, object := range page.Contents {
			if name, ok := strings.CutPrefix(aws.ToString(object.Key), b.prefix); ok {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func (b *bucket) address(name string) string { return "s3://" + b.name + "/" + b.prefix + name }

func (b *bucket) get(ctx context.Context, name string, limit int64) ([]byte, string, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: aws.String(b.prefix + name)})
	if err != nil {
		failed := b.failed("GetObject", name, err)
		if failed.Code == "NoSuchKey" || failed.Status == http.StatusForbidden && b.absent(ctx, name) {
			return nil, "", errMissing
		}
		return nil, "", failed
	}
	defer out.Body.Close()
	data, err := readAll(out.Body, limit, b.address(name))
	return data, aws.ToString(out.ETag), err
}

// absent reports whether the bucket lists no object of this name. Whoever may not
// list it gets 403 for an object that is not there, and so does whoever may list
// only what is below a prefix.
func (b *bucket) absent(ctx context.Context, name string) bool {
	key := b.prefix + name
	out, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &key, MaxKeys: aws.Int32(1)})
	return err == nil && (len(out.Contents) == 0 || aws.ToString(out.Contents[0].Key) != key)
}

func (b *bucket) put(ctx context.Context, name string, data []byte, etag string) error {
	sum := sha256.Sum256(data)
	in := &s3.PutObjectInput{
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])), // the server checks what arrives
		Bucket:         &b.name, Key: aws.String(b.prefix + name), Body: bytes.NewReader(data),
		ContentType: aws.String("text/plain; charset=utf-8"), CacheControl: aws.String("public, max-age=31536000, immutable"),
	}
	if strings.HasSuffix(name, ".json") {
		in.ContentType, in.CacheControl = aws.String("application/json"), aws.String("no-cache")
	}
	if etag == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = &etag
	}
	_, err := b.client.PutObject(ctx, in)
	if err == nil {
		return nil
	}
	failed := b.failed("PutObject", name, err)
	switch {
	case failed.Status == http.StatusPreconditionFailed, failed.Status == http.StatusConflict,
		failed.Code == "NoSuchKey": // the object that had the entity tag is gone
		return &lostError{failed}
	case failed.Status == http.StatusNotImplemented:
		return fmt.Errorf("%w: %w", failed, ErrUnconditional)
	}
	return failed
}

// failed makes an error of the SDK fit to be printed.
func (b *bucket) failed(operation, name string, err error) *ServerError {
	e := &ServerError{Operation: operation, Object: b.address(name), cause: contextError(err)}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		e.Status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code, e.Message = b.scrub(api.ErrorCode()), b.scrub(api.ErrorMessage())
	} else {
		e.Message = b.scrub(innermost(err).Error())
	}
	return e
}

// scrub takes the store's own credentials out of a text as well, which look like
// nothing in particular.
func (b *bucket) scrub(text string) string {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // those that were used: nobody is asked for new ones
	if provider := b.client.Options().Credentials; provider != nil {
		used, _ := provider.Retrieve(ctx)
		for _, secret := range []string{used.SecretAccessKey, used.SessionToken} {
			if len(secret) >= 8 {
				text = strings.ReplaceAll(text, secret, "***")
			}
		}
	}
	return providers.Scrub(text)
}

// innermost follows an error down to what went wrong: the layers of the SDK
// around it say the same of every error.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func contextError(err error) error {
	for _, ended := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	return nil
}

// readAll reads a body to its end, which a connection that broke does not reach.
func readAll(body io.Reader, limit int64, address string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	switch {
	case err != nil:
		return nil, &transientError{&ServerError{Operation: "read", Object: address, Message: providers.Scrub(err.Error()), cause: contextError(err)}}
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s: it is longer than %d bytes: latgate did not write it", address, limit)
	}
	return data, nil
}
