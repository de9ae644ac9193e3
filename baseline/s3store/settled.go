package s3store

import (
	"bytes"
	"context"
	"crypto/fips140"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// For how long answers must not change before they are believed whose entity tag
// is no MD5 sum: where such sums are the rule, as the probe object shows, a write
// is under way, on a server that may be slow.
const (
	agreement    = 200 * time.Millisecond
	agreementMD5 = 5 * time.Second
)

// settled reads an object that is to be replaced. Some servers answer with the
// content of one version and the entity tag of the next while somebody writes:
// the condition of the replacement would hold, and a run would be lost. An entity
// tag that is the content's MD5, as S3's are without KMS, shows that both belong
// together; otherwise the object is read until it stays as it is.
func (s *Store) settled(ctx context.Context, name string) (data []byte, etag string, err error) {
	var since time.Time
	for attempt := range attempts {
		if err := pause(ctx, attempt); err != nil {
			return nil, "", s.ended(err)
		}
		again, tag, err := s.fetch(ctx, name, maxDocument)
		if err == nil && (tag == "" || strings.HasPrefix(tag, "W/")) {
			err = fmt.Errorf("%s: its entity tag is %q, want a strong one: %w", s.address(name), tag, ErrUnconditional)
		}
		if err != nil || isMD5(tag, again) {
			return again, tag, err
		}
		switch {
		case attempt == 0 || tag != etag || !bytes.Equal(again, data):
			data, etag, since = again, tag, time.Now()
		case time.Since(since) >= s.agreement:
			return data, etag, nil
		}
	}
	return nil, "", fmt.Errorf("%s: it changed whenever it was read: add the run again when fewer jobs write", s.address(name))
}

func isMD5(etag string, data []byte) bool {
	if fips140.Enforced() {
		return false // no MD5 there
	}
	sum := md5.Sum(data)
	return strings.Trim(etag, `"`) == hex.EncodeToString(sum[:])
}
