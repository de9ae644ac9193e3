package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrReadOnly says that something was to be written to a mirror.
var ErrReadOnly = errors.New("a mirror is only read: write to the bucket, as s3://bucket/prefix")

// ErrUnlisted says that a mirror was to tell all that it has. Files that are served one
// by one cannot be listed.
var ErrUnlisted = errors.New("a mirror cannot be listed, only asked for the runs of one key: list the bucket, as s3://bucket/prefix")

// ErrUnconditional says that the server ignores the conditions of a write, or
// cannot check them. Runs are not stored there without them.
var ErrUnconditional = errors.New("the server does not honor conditional writes: of two jobs that write at once, one would lose its run; " +
	"use a server or a version that honors If-None-Match and If-Match of PutObject")

// A DigestError says that a stored run is not what was stored.
type DigestError struct {
	Object string // where it is
	Want   string // SHA-256 in the pointer, 64 hex digits; or the 16 in its name
	Got    string // SHA-256 of what is there; empty where nothing is
}

func (e *DigestError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("%s is gone, its pointer names it with the SHA-256 %s: somebody, or a lifecycle rule, deleted it; restore it", e.Object, e.Want)
	}
	if len(e.Want) < len(e.Got) {
		return fmt.Sprintf("%s has the SHA-256 %s, its name says %s: it was changed after it was stored; restore its first version", e.Object, e.Got, e.Want)
	}
	return fmt.Sprintf("%s has the SHA-256 %s, its pointer says %s: it was changed after it was stored; restore its first version", e.Object, e.Got, e.Want)
}

// A ServerError is an answer of the server other than success, or none.
type ServerError struct {
	Operation string // as in S3's permissions: GetObject, PutObject
	Object    string // where it is
	Status    int    // of HTTP; 0 without an answer
	Code      string // of S3, such as AccessDenied
	Message   string // scrubbed

	cause error // the context's, where that has ended
}

func (e *ServerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: ", e.Object, e.Operation)
	switch {
	case e.cause != nil:
		b.WriteString("no answer in time")
	case e.Status == 0:
		b.WriteString("no answer")
	default:
		fmt.Fprintf(&b, "HTTP %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if advice := e.advice(); advice != "" {
		b.WriteString("; " + advice)
	}
	return b.String()
}

// Unwrap returns the context's error where that has ended. What else there is may
// quote the request, and is not passed on.
func (e *ServerError) Unwrap() error { return e.cause }

func (e *ServerError) advice() string {
	switch {
	case e.Code == "NoSuchBucket":
		return "create the bucket, or correct its name and region"
	case e.Code == "ExpiredToken" || e.Code == "RequestTimeTooSkewed":
		return "get new credentials, and check the clock"
	case e.Status == http.StatusMovedPermanently || e.Code == "AuthorizationHeaderMalformed":
		return "the bucket is in another region: set AWS_REGION to its own"
	case e.Status == http.StatusForbidden && e.Operation == "GET":
		return "the mirror lets nobody read it, or says 403 of what is not there: it must say 404"
	case e.Status == http.StatusForbidden && e.Operation == "GetObject":
		return "the role needs s3:GetObject there, and s3:ListBucket below the prefix to be told that an object is not there"
	case e.Status == http.StatusForbidden:
		return "the role needs s3:" + e.Operation + " there"
	case e.Status == http.StatusTooManyRequests || e.Status >= 500 && e.Status != http.StatusNotImplemented:
		return "the server is overloaded or broken, try again later"
	}
	return ""
}

// A lostError says that the condition of a write did not hold, or could not be
// checked as another writer was at it.
type lostError struct{ *ServerError }

func (e *lostError) Unwrap() error { return e.ServerError }

// A transientError may be gone when asked again.
type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }
