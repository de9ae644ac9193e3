package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

const (
	probeName = "baselines/probe.json"
	probeText = `{"schema": "latgate.probe/1", "about": "latgate writes this to see whether the server honors If-None-Match and If-Match"}` + "\n"
	noETag    = `"00000000000000000000000000000000"` // no object's
)

// probe writes an object under conditions that do not hold, once in the life of a
// store, and looks what its entity tag is. The object always holds the same, so a
// server that writes it nevertheless does no harm.
func (s *Store) probe(ctx context.Context) error {
	s.probing.Lock()
	defer s.probing.Unlock()
	if s.probed {
		return nil
	}
	if _, err := s.refuses(ctx, ""); err != nil { // it is there now
		return err
	}
	for _, c := range []struct{ etag, header string }{{"", "If-None-Match"}, {noETag, "If-Match"}} {
		switch refused, err := s.refuses(ctx, c.etag); {
		case err != nil:
			return err
		case !refused:
			return fmt.Errorf("%s was written against its %s header: %w", s.address(probeName), c.header, ErrUnconditional)
		}
	}
	data, etag, err := s.fetch(ctx, probeName, maxDocument)
	if err != nil {
		return err
	}
	s.agreement = agreement
	if isMD5(etag, data) {
		s.agreement = agreementMD5
	}
	s.probed = true
	return nil
}

// refuses reports whether the server refuses to write the probe object.
func (s *Store) refuses(ctx context.Context, etag string) (bool, error) {
	var lost *lostError
	for attempt := range attempts {
		if err := pause(ctx, attempt); err != nil {
			return false, s.ended(err)
		}
		err := s.put(ctx, probeName, []byte(probeText), etag)
		if !errors.As(err, &lost) {
			return false, err
		}
		if lost.Status != http.StatusConflict { // which says nothing about the condition
			return true, nil
		}
	}
	return false, lost
}
