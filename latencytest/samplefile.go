package latencytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/latgate/latgate/providers"
)

// SampleSchema names the format of sample files: one JSON object a line, a
// "run" first, then a "sample" for each attempt as it ended, an "end" last. A
// file without the end is that of a run that was killed; its samples are good.
const SampleSchema = "latgate.samples/1"

type sampleLine struct {
	Run    *runRecord `json:"run,omitempty"`
	Sample *Sample    `json:"sample,omitempty"`
	End    *endRecord `json:"end,omitempty"`
}

type runRecord struct {
	Schema      string      `json:"schema"`
	Metrics     string      `json:"metrics"`
	Test        string      `json:"test"`
	Plan        string      `json:"plan,omitzero"`
	Requests    int         `json:"requests"`
	Repetitions int         `json:"repetitions"`
	Warmup      int         `json:"warmup"`
	Load        string      `json:"load"`
	Duration    nanoseconds `json:"duration,omitzero"`
	MaxTokens   int64       `json:"max_tokens,omitzero"`
	Budget      float64     `json:"budget,omitzero"` // dollars
	Cache       CachePolicy `json:"prompt_cache"`
	DialAnew    bool        `json:"dial_anew,omitzero"`
	Pause       nanoseconds `json:"pause,omitzero"`
	RateLimit   float64     `json:"rate_limit,omitzero"` // requests a second
	Retries     int         `json:"retries,omitzero"`
	Backoff     nanoseconds `json:"backoff,omitzero"`
	Storm       float64     `json:"storm"`
	Timeout     nanoseconds `json:"timeout"`
	Grace       nanoseconds `json:"grace"`
	Seed        uint64      `json:"seed"`
	Environment string      `json:"environment"`
	Virtual     bool        `json:"virtual,omitzero"`
	Started     time.Time   `json:"started"`
	Provenance  Provenance  `json:"provenance"`
	Scenarios   []*Scenario `json:"scenarios"`
}

// nanoseconds is a duration as people write it: "2m0s".
type nanoseconds time.Duration

func (n nanoseconds) MarshalText() ([]byte, error) { return []byte(time.Duration(n).String()), nil }

func (n *nanoseconds) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*n = nanoseconds(d)
	return err
}

type endRecord struct {
	Ended     string      `json:"ended,omitzero"` // see [Result]
	Samples   int         `json:"samples"`
	Scenarios []*Scenario `json:"scenarios"`
}

// A sampleLog writes samples as they come to a temporary file beside the target,
// which it becomes when the run has ended. Nil is a log that goes nowhere.
type sampleLog struct {
	file   *os.File
	target string
	err    error // the first; later samples are not tried
}

func createSampleLog(target string, res *Result) (*sampleLog, error) {
	if target == "" {
		return nil, nil
	}
	fail := func(err error) (*sampleLog, error) {
		return nil, fmt.Errorf("the sample file cannot be written: %w", err)
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	file, err := os.CreateTemp(dir, filepath.Base(target)+".*.partial")
	if err != nil {
		return fail(err)
	}
	l := &sampleLog{file: file, target: target}
	l.line(sampleLine{Run: &runRecord{
		Schema: SampleSchema, Metrics: MetricsVersion, Test: res.Test, Plan: res.Plan.Name,
		Requests: res.Plan.Requests, Repetitions: res.Plan.Repetitions, Warmup: res.Plan.Warmup, Load: res.Plan.Load.String(),
		Duration: nanoseconds(res.Plan.Duration), MaxTokens: res.Plan.MaxTokens, Budget: res.Plan.Budget,
		Cache: res.Plan.Cache, DialAnew: res.Plan.DialAnew, Pause: nanoseconds(res.Plan.Pause), RateLimit: res.Plan.RateLimit, Retries: res.Plan.Retries, Backoff: nanoseconds(res.Plan.Backoff), Storm: res.Plan.Storm,
		Timeout: nanoseconds(res.Plan.Timeout), Grace: nanoseconds(res.Plan.Grace), Seed: res.Plan.Seed, Environment: res.Plan.Environment,
		Virtual: res.Virtual, Started: res.Started, Provenance: res.Provenance, Scenarios: res.Scenarios,
	}})
	if l.err != nil { // before anything was paid for
		return fail(errors.Join(l.err, file.Close(), os.Remove(file.Name())))
	}
	return l, nil
}

// unfinished lists what runs that were killed, or still go on, have left beside target.
func unfinished(target string) []string {
	files, _ := filepath.Glob(target + ".*.partial") // the pattern is good
	return files
}

func (l *sampleLog) write(s *Sample) {
	if l != nil {
		l.line(sampleLine{Sample: s})
	}
}

func (l *sampleLog) line(v sampleLine) {
	if l.err != nil {
		return
	}
	data, err := json.Marshal(v)
	if err == nil {
		_, err = l.file.Write(append(data, '\n'))
	}
	l.err = err
}

// close ends the file and moves it to its place.
func (l *sampleLog) close(res *Result, samples int) error {
	if l == nil {
		return nil
	}
	l.line(sampleLine{End: &endRecord{Ended: res.Ended, Samples: samples, Scenarios: res.Scenarios}})
	return l.release(func() error { return os.Rename(l.file.Name(), l.target) })
}

// abandon leaves the samples of a run that ended early where they are, without an
// end record, and the file of the last whole run untouched.
func (l *sampleLog) abandon() error {
	if l == nil {
		return nil
	}
	return l.release(func() error { return nil })
}

// release lets go of the file, and then does what is left to do with it. After a
// failed write it stays where it is, with the samples that made it.
func (l *sampleLog) release(then func() error) error {
	err := errors.Join(l.err, l.file.Chmod(0o644), l.file.Sync(), l.file.Close())
	if err == nil {
		err = then()
	}
	if err != nil {
		return fmt.Errorf("samples were not all written (what was is in %s): %w", l.file.Name(), err)
	}
	return nil
}

// Load reads a sample file. Of a run that was killed it returns everything up to
// the last whole line, together with an error that wraps [ErrInterrupted].
func Load(path string) (*Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readSamples(file, path)
}

// ErrInterrupted says that a sample file has no end: the run was killed.
var ErrInterrupted = errors.New("the run ended early: the file has no end record")

func readSamples(r io.Reader, name string) (*Result, error) {
	var res *Result
	var end *endRecord
	lines := bufio.NewReaderSize(r, 64<<10)
	for number := 1; ; number++ {
		data, readErr := lines.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return res, fmt.Errorf("%s:%d: %w", name, number, readErr)
		}
		whole := readErr == nil
		if whole || end != nil && len(data) > 0 {
			if err := readSampleLine(data, &res, &end); err != nil {
				return res, fmt.Errorf("%s:%d: %w", name, number, err)
			}
		}
		if readErr == io.EOF {
			break
		}
	}
	if res == nil {
		return nil, fmt.Errorf("%s: no run record: not a sample file of latgate, or cut before its first line ended", name)
	}
	if end != nil {
		res.Scenarios, res.Ended = end.Scenarios, end.Ended
	}
	slices.SortStableFunc(res.Samples, func(a, b Sample) int { return a.Number - b.Number })
	res.distribute()
	switch {
	case end == nil:
		return res, fmt.Errorf("%s: %w after %d samples", name, ErrInterrupted, len(res.Samples))
	case end.Samples != len(res.Samples):
		return res, fmt.Errorf("%s: the end record counts %d samples, the file holds %d: it was edited", name, end.Samples, len(res.Samples))
	}
	return res, nil
}

func readSampleLine(data []byte, res **Result, end **endRecord) error {
	if *res == nil {
		var peek struct {
			Run struct {
				Schema string `json:"schema"`
			} `json:"run"`
		}
		if json.Unmarshal(data, &peek) == nil && peek.Run.Schema != "" && peek.Run.Schema != SampleSchema {
			return fmt.Errorf("schema %q is not %q: the file was written by another version of latgate", peek.Run.Schema, SampleSchema)
		}
	}
	if *end != nil {
		return errors.New("a line after the end record")
	}
	var line sampleLine
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&line); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON value on the line")
	}
	switch {
	case line.Run != nil && *res == nil:
		loaded, err := line.Run.result()
		*res = loaded
		return err
	case *res == nil:
		return errors.New("the first line is not a run record")
	case line.Sample != nil:
		if !slices.Contains(providers.Classes, line.Sample.Class) {
			return fmt.Errorf("class %q is none that there is", line.Sample.Class)
		}
		if (*res).Scenario(line.Sample.Scenario) == nil {
			return fmt.Errorf("scenario %q is not in the run record", line.Sample.Scenario)
		}
		(*res).Samples = append((*res).Samples, *line.Sample)
	case line.End != nil:
		if !slices.EqualFunc(line.End.Scenarios, (*res).Scenarios, func(a, b *Scenario) bool { return a != nil && a.Name == b.Name }) {
			return errors.New("the end record has other scenarios than the run record")
		}
		*end = line.End
	default:
		return errors.New("neither a sample nor an end record")
	}
	return nil
}

func (r *runRecord) result() (*Result, error) {
	switch {
	case r.Schema != SampleSchema:
		return nil, fmt.Errorf("schema %q is not %q", r.Schema, SampleSchema)
	case r.Metrics != MetricsVersion:
		return nil, fmt.Errorf("the metrics are those of %q, not of %q: such numbers are never compared", r.Metrics, MetricsVersion)
	case slices.Contains(r.Scenarios, nil):
		return nil, errors.New("scenarios: null")
	}
	load, err := ParseLoad(r.Load)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return &Result{
		Test: r.Test, Started: r.Started, Virtual: r.Virtual, Provenance: r.Provenance, Scenarios: r.Scenarios,
		Plan: Plan{
			Name: r.Plan, Requests: r.Requests, Repetitions: r.Repetitions, Warmup: r.Warmup, Load: load,
			Duration: time.Duration(r.Duration), MaxTokens: r.MaxTokens, Budget: r.Budget,
			Cache: r.Cache, DialAnew: r.DialAnew, Pause: time.Duration(r.Pause), RateLimit: r.RateLimit, Retries: r.Retries, Backoff: time.Duration(r.Backoff), Storm: r.Storm,
			Timeout: time.Duration(r.Timeout), Grace: time.Duration(r.Grace), Seed: r.Seed, Environment: r.Environment,
		},
	}, nil
}
