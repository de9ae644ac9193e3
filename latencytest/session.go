package latencytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// A Session is what a test process is told that only measures: it leaves its samples
// in a directory for the process that started it, and judges nothing. It comes as
// JSON in the environment variable LATGATE_SESSION; latgate itself sets it, to
// measure a suspect once more in a process of its own, and to measure two builds in
// turns.
type Session struct {
	// Dir is where the samples go: <Dir>/<TestName>/latest.samples.jsonl.
	Dir string `json:"dir"`

	// Plan and Scenarios are what is measured: the scenarios of these names of the plan
	// of this name. Of other plans that the tests come across, a single request of each
	// scenario is made, since a test may count on a result. No Scenarios means all,
	// of every plan.
	Plan      string   `json:"plan,omitzero"`
	Scenarios []string `json:"scenarios,omitempty"`
}

// SessionVariable is the name of the environment variable that holds a [Session].
const SessionVariable = "LATGATE_SESSION"

// String returns the variable's value.
func (s Session) String() string {
	text, _ := json.Marshal(s) // strings: cannot fail
	return string(text)
}

func parseSession(text string) (*Session, error) {
	var s Session
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	if !filepath.IsAbs(s.Dir) {
		return nil, errors.New("dir: want an absolute path")
	}
	return &s, nil
}

// SampleFile returns where the samples of a test's plan are.
func (s Session) SampleFile(test, plan string) string {
	return filepath.Join(s.Dir, FileName(test), sampleFileName(plan))
}

// plan is what a test's plan becomes in the session.
func (s *Session) plan(test string, p Plan) Plan {
	p.SampleFile = s.SampleFile(test, p.Name)
	p.Enough = nil // a second opinion is a whole one
	if !s.concerns(p) {
		p.Requests, p.Warmup, p.Repetitions, p.Duration = 1, 0, 1, 0
	}
	return p
}

func (s *Session) concerns(p Plan) bool { return len(s.Scenarios) == 0 || p.Name == s.Plan }
