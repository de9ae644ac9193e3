package latencytest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// A tape records the exchanges of a run. Nil records nothing.
type tape struct {
	path     string
	recorder *cassette.Recorder
}

// CassetteFile returns where the recording of a test's plan is made:
// testdata/latgate/<Test>.cassette.jsonl.
func CassetteFile(test, plan string) string {
	name := FileName(test)
	if plan != "" {
		name += "." + FileName(plan)
	}
	return filepath.Join(Dir, name+".cassette.jsonl")
}

// record begins a recording where -latgate.record asks for one of this test. Text is
// redacted in CI, unless LATGATE_REDACT says otherwise.
func record(test string, p Plan) (*tape, error) {
	s, err := ReadSettings()
	if err != nil || s.Record == "" {
		return nil, err
	}
	pattern, err := regexp.Compile(s.Record)
	if err != nil {
		return nil, fmt.Errorf("-latgate.record: %w", err)
	}
	if !pattern.MatchString(test) {
		return nil, nil
	}
	facts := map[string]string{"test": test, "commit": provenance().Commit, "load": p.Load.String()}
	if p.Name != "" {
		facts["plan"] = p.Name
	}
	path := CassetteFile(test, p.Name)
	recorder, err := cassette.Create(path, cassette.Recording{Name: test, Provenance: facts, Redact: s.Redact})
	if err != nil {
		return nil, err
	}
	return &tape{path, recorder}, nil
}

// below is what a capture puts below its transport.
func (t *tape) below() func(http.RoundTripper) http.RoundTripper {
	if t == nil {
		return nil
	}
	return t.recorder.Transport
}

// add writes the exchanges of an operation.
func (t *tape) add(exchanges []*wire.Exchange) error {
	if t == nil {
		return nil
	}
	for _, x := range exchanges {
		if err := t.recorder.Add(x); err != nil {
			return err
		}
	}
	return nil
}

// close ends the recording and returns where it is. That of a run which failed stays
// a .partial, and what was recorded before it is left alone.
func (t *tape) close(runErr error) (path string, err error) {
	switch {
	case t == nil:
		return "", nil
	case runErr != nil:
		return "", t.recorder.Abandon()
	}
	return t.path, t.recorder.Close()
}
