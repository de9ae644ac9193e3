package assertions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
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
	Region  string `json:"region,omitzero"` // LATGATE_REGION
	File    string `json:"file,omitzero"`   // of the call of Check, from the module's root
	Line    int    `json:"line,omitzero"`

	Samples string `json:"samples"`          // the sample file, from the record's directory
	Second  string `json:"second,omitzero"`  // that of the second session
	Against string `json:"against,omitzero"` // of two sides that took turns, that of A: Samples are B's
	Blocks  int    `json:"blocks,omitzero"`  // A B B A, that these took
	Store   string `json:"store,omitzero"`   // as the test names it: a directory of the package's, or a URL
	Settled bool   `json:"settled,omitzero"` // the run became a part of the baseline; nothing was judged

	Gates []GateRecord `json:"gates"`
	Rows  []report.Row `json:"rows"` // what the test made of it

	dir string // where it was read from
}

// SampleFile and SecondFile return where the samples of the sessions are, and
// AgainstFile where those of the side A are; the latter two are empty where there is
// no such session, and no such side.
func (r *Record) SampleFile() string { return filepath.Join(r.dir, filepath.FromSlash(r.Samples)) }

func (r *Record) SecondFile() string { return r.beside(r.Second) }

func (r *Record) AgainstFile() string { return r.beside(r.Against) }

// beside is a file from the record's directory; none stays none.
func (r *Record) beside(name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join(r.dir, filepath.FromSlash(name))
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
	for _, name := range []string{r.Samples, r.Second, r.Against, r.Package, r.File} {
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

// A made check is what there is to record of one.
type made struct {
	of, against *latencytest.Result // what was checked; of two sides that took turns, B and A
	blocks      int                 // that these took
	store       baseline.Store
	gates       []Gate
	answers     []answer
	second      string // the sample file of the second session, where there is one

	// first is of as the test has it: what is read again of a file, of a run in low
	// memory, is another one each time.
	first *latencytest.Result
}

// record is the check as it is recorded, with paths from the directory of its samples.
func (m made) record() (*Record, error) {
	settings, err := latencytest.ReadSettings()
	if err != nil {
		return nil, err
	}
	r := &Record{
		Schema: RecordSchema, Package: latencytest.PackageDir(), Test: m.of.Test, Plan: m.of.Plan.Name, Region: settings.Region,
		Samples: fileName(m.of.Plan.SampleFile), Gates: recordGates(m.gates),
	}
	r.File, r.Line = callSite()
	if m.store != nil {
		r.Store = fmt.Sprint(m.store)
	}
	if m.against != nil {
		r.Against, r.Blocks = fileName(m.against.Plan.SampleFile), m.blocks
	}
	if m.second != "" {
		dir, err := filepath.Abs(filepath.Dir(m.of.Plan.SampleFile))
		if err != nil {
			return nil, err
		}
		relative, err := filepath.Rel(dir, m.second)
		if err != nil {
			return nil, err
		}
		r.Second = filepath.ToSlash(relative)
	}
	for _, a := range m.answers {
		r.Settled = r.Settled || a.Gate == "update"
		r.Rows = append(r.Rows, a.Row)
	}
	return r, nil
}

// fileName is the last part of a path; none stays none.
func fileName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}

// leaveRecord writes the record of a check of a test's result. Records of an earlier
// result, whose samples are gone, go as well. A result without a sample file has none.
func (m made) leaveRecord() error {
	if !m.recordable() {
		return nil
	}
	stem := strings.TrimSuffix(m.of.Plan.SampleFile, ".samples.jsonl")
	records.Lock()
	defer records.Unlock()
	if records.of == nil {
		records.of = make(map[string]*checks)
	}
	earlier := records.of[stem]
	if earlier == nil || earlier.of != m.first {
		earlier = &checks{of: m.first}
		records.of[stem] = earlier
		if err := removeRecords(stem); err != nil {
			return err
		}
	}
	r, err := m.record()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	earlier.n++
	return report.WriteFile(fmt.Sprintf("%s.%d%s", stem, earlier.n, RecordSuffix), append(data, '\n'))
}

// recordable reports whether the samples that were checked are in files, where others
// find them: not those of a result, or of a pair, that was put together by hand.
func (m made) recordable() bool {
	if m.of == nil || m.of.Test == "" || m.of.Plan.SampleFile == "" {
		return false
	}
	if m.against == nil {
		_, err := os.Stat(m.of.Plan.SampleFile)
		return !errors.Is(err, fs.ErrNotExist)
	}
	if filepath.Dir(m.against.Plan.SampleFile) != filepath.Dir(m.of.Plan.SampleFile) {
		return false
	}
	for _, side := range []*latencytest.Result{m.against, m.of} {
		stored, err := latencytest.Load(side.Plan.SampleFile)
		if err != nil || stored.Plan.Repetitions != 2*m.blocks {
			return false
		}
	}
	return true
}

// removeRecords removes the records with this beginning of their names, and a number.
func removeRecords(stem string) error {
	names, _ := filepath.Glob(stem + ".*" + RecordSuffix) // the pattern is good
	for _, name := range names {
		number := strings.TrimSuffix(strings.TrimPrefix(name, stem+"."), RecordSuffix)
		if _, err := strconv.Atoi(number); err != nil { // that of another plan, or of a side
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
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
