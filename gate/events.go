package gate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/latgate/latgate/providers"
)

// An event is one of those that go test -json prints, one a line; see go doc
// test2json and go help buildjson.
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	ImportPath  string // of the events of a build
	FailedBuild string // of a package that could not be built
	Path        string // of a test's artifacts
}

// A collector makes a manifest's lists of the events of go test, and a log that people
// can read.
type collector struct {
	module string    // its path
	log    io.Writer // what is told as it comes; nil: nothing
	all    bool      // tell everything, as go test -v does
	kept   int       // how many lines of a test's output are
	out    string    // the directory of the results

	mu       sync.Mutex
	packages map[string]*progress
	builds   map[string][]string // what building printed, by import path
	stray    []string            // lines that are no events
}

// progress is how far a package or a test has come.
type progress struct {
	Ran
	ended  bool
	lines  []string // the last that were printed
	tests  map[string]*progress
	inside bool // of a block of lines that are told
}

func newCollector(module string, log io.Writer, all bool) *collector {
	return &collector{module: module, log: log, all: all, kept: 400, packages: make(map[string]*progress), builds: make(map[string][]string)}
}

// read takes events until there are no more.
func (c *collector) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(lines)
		if len(line) > 0 {
			c.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// longest is how much of a line is kept: a model may answer with a megabyte without a
// line end.
const longest = 1 << 20

// readLine reads a line, of which it keeps the beginning.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < longest {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

// line takes a line of go test's standard output.
func (c *collector) line(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		c.strayLine(string(line))
		return
	}
	switch {
	case e.Action == "build-output":
		c.builds[e.ImportPath] = c.last(append(c.builds[e.ImportPath], e.Output))
		c.tell(e.Output)
	case e.Package == "":
	case e.Test == "":
		c.ofPackage(e)
	default:
		c.ofTest(e)
	}
}

// strayLine takes a line that is no event, such as those of the go command's own.
func (c *collector) strayLine(text string) {
	if text = strings.TrimRight(text, "\r\n"); text != "" {
		c.stray = c.last(append(c.stray, text))
		c.tell(text)
	}
}

// readErrors takes go test's standard error.
func (c *collector) readErrors(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(lines)
		c.mu.Lock()
		c.strayLine(string(line))
		c.mu.Unlock()
		if err != nil {
			return nil
		}
	}
}

func (c *collector) pkg(name string) *progress {
	p := c.packages[name]
	if p == nil {
		p = &progress{Ran: Ran{Package: name, Dir: c.dir(name)}, tests: make(map[string]*progress)}
		c.packages[name] = p
	}
	return p
}

// dir is a package's directory from the module's root.
func (c *collector) dir(importPath string) string {
	inside, ok := strings.CutPrefix(importPath, c.module)
	if !ok || inside != "" && inside[0] != '/' {
		return importPath
	}
	return path.Join(".", inside)
}

func (c *collector) ofPackage(e event) {
	p := c.pkg(e.Package)
	switch e.Action {
	case "output":
		if strings.Contains(e.Output, "(cached)") && strings.HasPrefix(e.Output, "ok") {
			p.Cached = true
		}
		p.lines = c.last(append(p.lines, e.Output))
		if trimmed := strings.TrimSpace(e.Output); trimmed != "PASS" && trimmed != "FAIL" || c.all {
			c.tell(e.Output)
		}
	case "pass", "fail", "skip":
		p.ended, p.Outcome = true, Outcome(e.Action)
		if e.FailedBuild != "" {
			p.lines = append(c.builds[e.FailedBuild], p.lines...)
		}
		for _, t := range p.tests {
			if !t.ended { // it ended the process, or the process was ended
				c.end(t, Failed)
			}
		}
	}
}

func (c *collector) ofTest(e event) {
	p := c.pkg(e.Package)
	name, _, isSub := strings.Cut(e.Test, "/")
	t := p.tests[name]
	if t == nil {
		t = &progress{Ran: Ran{Package: p.Package, Dir: p.Dir, Test: name}}
		p.tests[name] = t
	}
	switch e.Action {
	case "output":
		c.output(t, e.Output)
	case "artifacts":
		if dir, err := filepath.Rel(c.out, e.Path); err == nil && filepath.IsLocal(dir) {
			t.Artifacts = append(t.Artifacts, filepath.ToSlash(dir))
		}
	case "pass", "fail", "skip":
		if !isSub {
			c.end(t, Outcome(e.Action))
		}
	}
}

// output keeps a line of a test's and, where it is latgate's own or belongs to one, as
// a table does, tells it at once.
func (c *collector) output(t *progress, line string) {
	text := strings.TrimRight(line, "\n")
	own := strings.Contains(text, "[latgate]")
	belongs := t.inside && strings.HasPrefix(text, "        ")
	t.inside = own || belongs
	t.lines = c.last(append(t.lines, text))
	if c.all || t.inside {
		c.tell(text)
	}
}

// end notes how a test has ended, and tells of one that failed what was not told.
func (c *collector) end(t *progress, o Outcome) {
	t.ended, t.Outcome = true, o
	if o != Failed || c.all {
		return
	}
	inside := false
	for _, line := range t.lines {
		inside = strings.Contains(line, "[latgate]") || inside && strings.HasPrefix(line, "        ")
		if !inside && !strings.HasPrefix(line, "=== ") {
			c.tell(line)
		}
	}
}

// tell prints lines, harmless to who reads or parses the log.
func (c *collector) tell(text string) {
	if c.log == nil {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(c.log, inert(line))
	}
}

// inert is [providers.Inert] of a line of at most so many bytes.
func inert(line string) string {
	const most = 4096
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return providers.Inert(line)
}

// last returns the last lines, as many as are kept.
func (c *collector) last(lines []string) []string { return lines[max(0, len(lines)-c.kept):] }

// results are the packages and the top-level tests, sorted.
func (c *collector) results() (packages, tests []Ran) {
	for _, name := range slices.Sorted(maps.Keys(c.packages)) {
		p := c.packages[name]
		if !p.ended {
			p.Outcome = Failed // go test was ended before it
		}
		p.Output = p.output()
		packages = append(packages, p.Ran)
		for _, test := range slices.Sorted(maps.Keys(p.tests)) {
			t := p.tests[test]
			if !t.ended {
				t.Outcome = Failed
			}
			t.Cached = p.Cached
			t.Output = t.output()
			tests = append(tests, t.Ran)
		}
	}
	return packages, tests
}

// output is the last that was printed, where it explains something, after the line that
// says why nothing was measured.
func (p *progress) output() string {
	if p.Outcome == Passed {
		return ""
	}
	const most = 20
	lines := p.lines
	if early := len(lines) - most; early > 0 {
		tail := lines[early:]
		if i := slices.IndexFunc(lines[:early], isCause); i >= 0 {
			tail = slices.Concat([]string{lines[i]}, tail)
		}
		lines = tail
	}
	var b bytes.Buffer
	for _, line := range lines {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "=== ") || strings.TrimSpace(line) == "" {
			continue
		}
		b.WriteString(providers.Scrub(line) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
