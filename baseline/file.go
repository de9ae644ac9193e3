package baseline

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// Schema names the format of a stored run:
//
//	# {"schema":"latgate.baseline/1", ...}        where the run came from, a Header
//	metrics: metrics/1                            the key: benchstat compares nothing
//	test: TestLatencySupportChat                  when any of these lines differs
//	...
//	Unit ttft-ns better=lower
//	BenchmarkLatencySupportChat/all 1 310747974 ttft-ns 62.87 otps-tok/s
//	# {"n":8,"prompt":"p1", ...}                  what benchstat must not see of it
//	...
//	# {"requests":200,"sha256":"..."}             of everything before this line
//
// A request that failed has its comment line alone.
const Schema = "latgate.baseline/1"

type footer struct {
	Requests int    `json:"requests"`
	SHA256   string `json:"sha256"`
}

// Format renders the run as a file.
func (r *Run) Format() ([]byte, error) {
	var b bytes.Buffer
	if err := comment(&b, r.Header); err != nil {
		return nil, err
	}
	for _, f := range r.Key.facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	var metrics []latencytest.Metric
	for _, m := range latencytest.Metrics {
		if slices.ContainsFunc(r.Entries, func(e Entry) bool { _, ok := e.Values[m]; return ok }) {
			metrics = append(metrics, m)
			fmt.Fprintf(&b, "Unit %s better=%s\n", m.Unit(), better(m))
		}
	}
	for _, e := range r.Entries {
		facts := e.Facts
		switch {
		case len(e.Values) == 0: // benchstat takes no line without a number
		case e.Facts.Class == "":
			r.benchmarkLine(&b, e, metrics)
		default:
			facts.Values = make(map[string]float64)
			for m, v := range e.Values {
				facts.Values[m.Unit()] = v
			}
		}
		if err := comment(&b, facts); err != nil {
			return nil, err
		}
	}
	if err := comment(&b, footer{Requests: len(r.Entries), SHA256: digest(b.Bytes())}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// digest does not see line ends, which git changes on some machines.
func digest(content []byte) string {
	sum := sha256.Sum256(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
	return hex.EncodeToString(sum[:])
}

func comment(b *bytes.Buffer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "# %s\n", data)
	return nil
}

func better(m latencytest.Metric) string {
	if m.HigherIsBetter() {
		return "higher"
	}
	return "lower"
}

// benchmarkLine writes a request for benchstat. benchfmt's own writer would turn
// 310747974 ns into 3.10747974e+08, which nobody can review.
func (r *Run) benchmarkLine(b *bytes.Buffer, e Entry, metrics []latencytest.Metric) {
	test := strings.TrimPrefix(latencytest.FileName(r.Key.Get("test")), "Test")
	fmt.Fprintf(b, "Benchmark%s/%s 1", cmp.Or(test, "Latency"), latencytest.FileName(r.Key.Get("scenario")))
	for _, m := range metrics {
		if v, ok := e.Values[m]; ok {
			fmt.Fprintf(b, " %s %s", strconv.FormatFloat(v, 'f', -1, 64), m.Unit())
		}
	}
	b.WriteByte('\n')
}

// Parse reads a run that Format wrote. It accepts nothing else: a file that was
// cut or edited by hand, an unknown field, metric or schema is an error that
// says where, and what to do about it.
func Parse(data []byte, name string) (*Run, error) {
	r := &Run{file: name}
	lines := bytes.Split(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"))
	requests, err := checkEnds(lines)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	err = r.parseBody(data, lines)
	if err == nil && len(r.Entries) != requests {
		err = fmt.Errorf(": %d requests, the last line says %d", len(r.Entries), requests)
	}
	if err != nil {
		return nil, fmt.Errorf("%s%w: this version of latgate did not write it; %s", name, err, restore)
	}
	return r, nil
}

const restore = "restore it with git, or delete it and record a new run"

// checkEnds checks the schema on the first line, and the last line, whose number
// of requests it returns, against all others.
func checkEnds(lines [][]byte) (requests int, err error) {
	first, ok := bytes.CutPrefix(lines[0], []byte("# "))
	var header struct {
		Schema string `json:"schema"`
	}
	if !ok || json.Unmarshal(first, &header) != nil {
		return 0, fmt.Errorf("not a baseline of latgate, the first line is no header; %s", restore)
	}
	if header.Schema != Schema {
		return 0, fmt.Errorf("schema %q: this version of latgate reads %q; use the version that wrote the file, or record the baseline again", header.Schema, Schema)
	}
	last := len(lines) - 2 // the file ends with a line end
	var end footer
	if last < 1 || len(lines[last+1]) != 0 || strict(bytes.TrimPrefix(lines[last], []byte("# ")), &end) != nil {
		return 0, fmt.Errorf("the last line is no checksum: it was cut or edited by hand; %s", restore)
	}
	end.SHA256 = digest(append(bytes.Join(lines[:last], []byte("\n")), '\n'))
	var want bytes.Buffer
	if err := comment(&want, end); err != nil {
		return 0, err
	}
	if want.String() != string(lines[last])+"\n" {
		return 0, fmt.Errorf("the checksum does not match: it was cut or edited by hand; %s", restore)
	}
	return end.Requests, nil
}

func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

// parseBody reads the header, the key, the benchmark lines and the comments after
// them. Its errors start with ":line: ".
func (r *Run) parseBody(data []byte, lines [][]byte) error {
	if err := strict(bytes.TrimPrefix(lines[0], []byte("# ")), &r.Header); err != nil {
		return fmt.Errorf(":1: %w", err)
	}
	values := make(map[int]map[latencytest.Metric]float64) // by line
	reader := benchfmt.NewReader(bytes.NewReader(data), r.file)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return fmt.Errorf(":%d: %s", record.Line, record.Msg)
		case *benchfmt.Result:
			_, line := record.Pos()
			if len(r.Key.facts) == 0 {
				r.Key = keyOfConfig(record.Config)
			}
			parsed, err := valuesOf(record)
			if err != nil {
				return fmt.Errorf(":%d: %w", line, err)
			}
			values[line] = parsed
		}
	}
	if err := reader.Err(); err != nil {
		return fmt.Errorf(": %w", err)
	}
	for i := 1; i < len(lines)-2; i++ {
		text, ok := bytes.CutPrefix(lines[i], []byte("# "))
		if !ok {
			continue
		}
		e, err := parseEntry(text, values[i]) // of the line before, counted from 1
		if err != nil {
			return fmt.Errorf(":%d: %w", i+1, err)
		}
		delete(values, i)
		r.Entries = append(r.Entries, e)
	}
	if len(values) > 0 {
		return fmt.Errorf(":%d: no comment follows it", slices.Min(slices.Collect(maps.Keys(values))))
	}
	return nil
}

// parseEntry reads the comment line of a request; values are those of its
// benchmark line.
func parseEntry(text []byte, values map[latencytest.Metric]float64) (Entry, error) {
	e := Entry{Values: values}
	if err := strict(text, &e.Facts); err != nil {
		return e, err
	}
	switch failed := e.Facts.Class != ""; {
	case failed && !slices.Contains(providers.Classes[1:], e.Facts.Class):
		return e, fmt.Errorf("unknown class %q", e.Facts.Class)
	case failed && values != nil:
		return e, errors.New("the request failed, and has a benchmark line")
	case !failed && e.Facts.Values != nil:
		return e, errors.New("the request did not fail, and has values beside its benchmark line")
	}
	if e.Values == nil {
		e.Values = make(map[latencytest.Metric]float64)
	}
	for unit, v := range e.Facts.Values {
		m, err := measured(unit, v)
		if err != nil {
			return e, err
		}
		e.Values[m] = v
	}
	e.Facts.Values = nil
	return e, nil
}

func keyOfConfig(config []benchfmt.Config) Key {
	var facts providers.Facts
	for _, c := range config {
		if c.File {
			facts = append(facts, providers.Fact{Name: c.Key, Value: string(c.Value)})
		}
	}
	return NewKey(facts)
}

func valuesOf(record *benchfmt.Result) (map[latencytest.Metric]float64, error) {
	values := make(map[latencytest.Metric]float64, len(record.Values))
	for _, v := range record.Values {
		number, unit := v.Value, v.Unit
		if v.OrigUnit != "" { // the reader has made seconds of nanoseconds
			number, unit = v.OrigValue, v.OrigUnit
		}
		m, err := measured(unit, number)
		if err != nil {
			return nil, err
		}
		values[m] = number
	}
	return values, nil
}

// measured returns the metric of a unit, and refuses a value that none can have.
func measured(unit string, v float64) (latencytest.Metric, error) {
	m, ok := latencytest.MetricByUnit(unit)
	switch {
	case !ok:
		return m, fmt.Errorf("unknown metric %q", unit)
	case !(v > 0 && v <= math.MaxFloat64):
		return m, fmt.Errorf("%s: want a positive number, got %v", unit, v)
	}
	return m, nil
}

// Content renders the run as a [Store] keeps it, and refuses one that would make a
// bad baseline: without requests or values, with a tenth of its requests failed,
// or with a fact that the format cannot hold.
func (r *Run) Content() ([]byte, error) { return r.content() }

// Absorb reports whether o is a record of the same measurement as r under the same
// reason, and whether it brought values of metrics that r lacked; r then has them
// as well. A [Store] absorbs instead of holding one measurement twice.
func (r *Run) Absorb(o *Run) (same, more bool) {
	if r.Header.Reason != o.Header.Reason || !r.sameMeasurement(o) {
		return false, false
	}
	return true, r.adopt(o)
}
