package assertions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// RecordSchema is the version of a record's format. A reader refuses any other.
const RecordSchema = "latgate.check/1"

// A Record is what a check in a test leaves beside its samples, for whoever judges
// the build as a whole: what was asked of which samples, and where.
type Record struct {
	Schema  string `json:"schema"`
	Package string `json:"package"` // directory from the module's root, with slashes
	Test    string `json:"test"`
	Plan    string `json:"plan,omitzero"`
	File    string `json:"file,omitzero"` // of the call of Check, from the module's root
	Line    int    `json:"line,omitzero"`

	Samples string `json:"samples"`          // the sample file, from the record's directory
	Second  string `json:"second,omitzero"`  // that of the second session
	Store   string `json:"store,omitzero"`   // as the test names it: a directory of the package's, or a URL
	Settled bool   `json:"settled,omitzero"` // the run became a part of the baseline; nothing was judged

	Gates []GateRecord `json:"gates"`
	Rows  []report.Row `json:"rows"` // what the test made of it

	dir string // where it was read from
}

// SampleFile and SecondFile return where the samples of the sessions are; the latter
// is empty where there is one session.
func (r *Record) SampleFile() string { return filepath.Join(r.dir, filepath.FromSlash(r.Samples)) }

func (r *Record) SecondFile() string {
	if r.Second == "" {
		return ""
	}
	return filepath.Join(r.dir, filepath.FromSlash(r.Second))
}

// ReadRecord reads the record of a check, strictly.
func ReadRecord(path string) (*Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Record{dir: filepath.Dir(path)}
	if err := report.Unmarshal(data, "record", r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Schema != RecordSchema {
		return nil, fmt.Errorf("%s: schema %.40q, this version of latgate reads %q: run the tests again", path, r.Schema, RecordSchema)
	}
	for _, name := range []string{r.Samples, r.Second, r.Package, r.File} {
		if name != "" && !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("%s: the path %.80q leads out of its directory", path, name)
		}
	}
	return r, nil
}

// RecordSuffix is how the names of records end.
const RecordSuffix = ".check.json"

// records counts the checks of each result in this process, by its sample file.
var records struct {
	sync.Mutex
	of map[string]*checks
}

type checks struct {
	of *latencytest.Result
	n  int
}

// leaveRecord writes the record of a check of a test's result. Records of an earlier
// result, whose samples are gone, go as well. A result without a sample file has none.
func leaveRecord(res *latencytest.Result, store baseline.Store, list []Gate, answers []answer, second string) error {
	if res == nil || res.Test == "" || res.Plan.SampleFile == "" {
		return nil
	}
	if _, err := os.Stat(res.Plan.SampleFile); errors.Is(err, fs.ErrNotExist) {
		return nil // the result was put together by hand
	}
	stem := strings.TrimSuffix(res.Plan.SampleFile, ".samples.jsonl")
	records.Lock()
	defer records.Unlock()
	if records.of == nil {
		records.of = make(map[string]*checks)
	}
	made := records.of[stem]
	if made == nil || made.of != res {
		made = &checks{of: res}
		records.of[stem] = made
		old, _ := filepath.Glob(stem + ".*" + RecordSuffix) // the pattern is good
		for _, name := range old {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	made.n++
	r := Record{
		Schema: RecordSchema, Package: latencytest.PackageDir(), Test: res.Test, Plan: res.Plan.Name,
		Samples: filepath.Base(res.Plan.SampleFile), Gates: recordGates(list),
	}
	r.File, r.Line = callSite()
	if store != nil {
		r.Store = fmt.Sprint(store)
	}
	if second != "" {
		dir, err := filepath.Abs(filepath.Dir(res.Plan.SampleFile))
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, second)
		if err != nil {
			return err
		}
		r.Second = filepath.ToSlash(relative)
	}
	for _, a := range answers {
		r.Settled = r.Settled || a.Gate == "update"
		r.Rows = append(r.Rows, a.Row)
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return report.WriteFile(fmt.Sprintf("%s.%d%s", stem, made.n, RecordSuffix), append(data, '\n'))
}

// callSite is where a test called into this package, from its module's root.
func callSite() (file string, line int) {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if frame.File != "" && !strings.Contains(frame.Function, "/latgate/assertions.") {
			return relativeToModule(frame.File), frame.Line
		}
		if !more {
			return "", 0
		}
	}
}

// relativeToModule is a source file's name from its module's root, "" where it cannot
// be told. With -trimpath a name begins with the module's path instead of a directory.
func relativeToModule(file string) string {
	if !filepath.IsAbs(file) {
		return latencytest.PackageDir() + "/" + filepath.Base(file)
	}
	for root := filepath.Dir(file); ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			relative, err := filepath.Rel(root, file)
			if err != nil {
				return ""
			}
			return filepath.ToSlash(relative)
		}
		if root == filepath.Dir(root) {
			return ""
		}
	}
}
