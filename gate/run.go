package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Run says how the tests of a build are run.
type Run struct {
	Root      string   // of the module
	Dir       string   // where go test runs; empty: Root
	Out       string   // where the results go, those of a shard to shard-0-of-3 below it; empty: .latgate in Root
	Arguments []string // of go test: packages and flags
	Situation
	Shard  Shard  // the zero value is the whole
	Region string // that is measured from: a stratum of its own; empty where there is one
	Tool   string // the version of latgate

	// MaxUSD and MaxRequests are what all shards together may spend; 0: no limit.
	MaxUSD      float64
	MaxRequests int

	// Log is told what go test and latgate's own lines say, as it comes, in a form that
	// is harmless to who reads logs. Nil means nobody.
	Log io.Writer

	// Kill, where not nil, ends the tests at once; the end of the context that Do is
	// called with only interrupts them, so that they can save what they have.
	Kill context.Context
}

// FindRoot returns the root of the module that a directory is in.
func FindRoot(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for root := absolute; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return root, nil
		}
		if root == filepath.Dir(root) {
			return "", fmt.Errorf("there is no go.mod in %s or above it: run this in a module", absolute)
		}
	}
}

// OutDir returns the directory of a build's results: the one that was named, that of
// LATGATE_OUT, or .latgate at the root of the module.
func OutDir(root, named string, lookup func(string) (string, bool)) (string, error) {
	if named == "" {
		named, _ = lookup("LATGATE_OUT")
	}
	if named == "" {
		named = filepath.Join(root, ".latgate")
	}
	return filepath.Abs(named)
}

// Do runs go test, and writes what it has run into the manifest in Out. The tests leave
// their samples and records there. How they ended is in the manifest, and no error:
// the gate judges. An interrupt is an error, and what there is by then is written.
func (r Run) Do(ctx context.Context) (*Manifest, error) {
	if r.Shard == (Shard{}) {
		r.Shard = whole
	}
	if r.Dir == "" {
		r.Dir = r.Root
	}
	var err error
	if r.Out, err = OutDir(r.Root, r.Out, func(string) (string, bool) { return "", false }); err != nil {
		return nil, err
	}
	if r.Shard.Of > 1 && r.Situation.Run == "" {
		return nil, errors.New("nothing names the build that the shards are of: set LATGATE_RUN to the same text for all of them")
	}
	parent := r.Out
	if r.Shard.Of > 1 { // side by side: some CI systems unpack all into one directory
		name := fmt.Sprintf("shard-%d-of-%d", r.Shard.Index, r.Shard.Of)
		if r.Region != "" {
			name += "@" + r.Region
		}
		r.Out = filepath.Join(parent, name)
	}
	a, err := parseArguments(r.Arguments)
	if err != nil {
		return nil, err
	}
	module, err := r.modulePath(ctx)
	if err != nil {
		return nil, err
	}
	env, err := r.environment()
	if err != nil {
		return nil, err
	}
	if err := prepareOut(r.Out); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(parent, marker), []byte("*\n"), 0o644); err != nil {
		return nil, err
	}
	m := &Manifest{
		Tool: r.Tool, Run: r.Situation.Run, Attempt: max(1, r.Attempt), Shard: r.Shard.Index, Shards: r.Shard.Of,
		Region: r.Region, Mode: r.Mode, ModeReason: r.ModeReason, Queue: r.Queue, Base: r.Base, Head: r.Head,
		Started: time.Now().UTC().Truncate(time.Second), Arguments: r.Arguments,
	}
	if m.Run == "" {
		m.Run = "local-" + m.Started.Format("20060102T150405Z")
	}
	err = r.run(ctx, a, m, module, env)
	m.Ended = time.Now().UTC().Truncate(time.Second)
	if writeErr := m.Write(r.Out); writeErr != nil {
		return nil, errors.Join(err, writeErr)
	}
	return m, err
}

// environment is that of the tests.
func (r Run) environment() ([]string, error) {
	env := append(os.Environ(),
		"LATGATE_OUT="+r.Out, "LATGATE_MODE="+string(r.Mode), "LATGATE_REGION="+r.Region, "LATGATE_SESSION=",
		"LATGATE_SPENT="+filepath.Join(r.Out, spentDir), "LATGATE_MAX_USD=", "LATGATE_MAX_REQUESTS=")
	if r.MaxUSD > 0 {
		env = append(env, "LATGATE_MAX_USD="+strconv.FormatFloat(r.MaxUSD/float64(r.Shard.Of), 'g', -1, 64))
	}
	if r.MaxRequests > 0 {
		own := r.Shard.share(r.MaxRequests)
		if own == 0 {
			return nil, fmt.Errorf("%d requests cannot be divided over %d shards: raise the budget, or take fewer shards", r.MaxRequests, r.Shard.Of)
		}
		env = append(env, "LATGATE_MAX_REQUESTS="+strconv.Itoa(own))
	}
	return env, nil
}

// spentDir is where the processes of a build tell each other what they have spent.
const spentDir = ".spent"

func (r Run) modulePath(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "edit", "-json")
	cmd.Dir = r.Root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod edit -json in %s: %w: %s", r.Root, err, stderrOf(err))
	}
	var mod struct{ Module struct{ Path string } }
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", fmt.Errorf("go mod edit -json: %w", err)
	}
	return mod.Module.Path, nil
}

func stderrOf(err error) string {
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}

// prepareOut empties the directory of results. One that holds something else is left
// alone.
func prepareOut(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ManifestName || e.Name() == marker })
	if len(entries) > 0 && !ours {
		return fmt.Errorf("%s is not empty, and holds no results of latgate: name another directory with --out", out)
	}
	if len(entries) > 0 {
		if err := beginUnfinished(out); err != nil {
			return err
		}
		for _, e := range entries {
			if e.Name() == ManifestName {
				continue
			}
			if err := os.RemoveAll(filepath.Join(out, e.Name())); err != nil {
				return err
			}
		}
		if err := endUnfinished(out); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, marker), []byte("*\n"), 0o644)
}

// marker keeps results out of the user's repository, and tells whose directory it is.
const marker = ".gitignore"

// run lists the tests and runs those of the shard.
func (r Run) run(ctx context.Context, a arguments, m *Manifest, module string, env []string) error {
	list := newCollector(module, nil, false)
	list.kept = 1 << 20
	if err := r.goTest(ctx, env, list, a.listing()...); err != nil { // from the cache, if it is there
		return err
	}
	byPackage, failed := list.listed(a)
	for pkg, tests := range byPackage {
		for _, test := range tests {
			m.Planned = append(m.Planned, pkg+" "+test)
		}
	}
	slices.Sort(m.Planned)
	verbose := slices.ContainsFunc(a.rest, func(word string) bool { return slices.Contains([]string{"-v", "--v", "-test.v", "-v=true"}, word) })
	c := newCollector(module, r.Log, verbose)
	c.out = r.Out
	var err error
	if r.Shard.Of == 1 {
		err = r.goTest(ctx, env, c, slices.Concat(measuring, a.keeping(r.Out), a.all)...)
	} else {
		err = r.part(ctx, a, m.Planned, failed, env, c)
	}
	m.Packages, m.Tests = c.results()
	if err == nil && len(m.Packages) == 0 && (r.Shard.Of == 1 || len(m.Planned) == 0 && len(failed) == 0) {
		return fmt.Errorf("go test has run nothing: %s", strings.Join(slices.Concat(list.stray, c.stray)[:min(5, len(list.stray)+len(c.stray))], "\n"))
	}
	return err
}

// part runs the tests of a shard, package by package: a test of the same name in
// another package may belong to another shard. The first shard says what cannot be
// built.
func (r Run) part(ctx context.Context, a arguments, planned, failed, env []string, c *collector) error {
	own := make(map[string][]string)
	for _, test := range r.Shard.part(planned) {
		pkg, name, _ := strings.Cut(test, " ")
		own[pkg] = append(own[pkg], name)
	}
	_, subtests := top(a.run)
	if r.Shard.Index == 0 {
		for _, pkg := range failed {
			own[pkg] = nil
		}
	}
	packages := make([]string, 0, len(own))
	for pkg := range own {
		packages = append(packages, pkg)
	}
	slices.Sort(packages)
	for _, pkg := range packages {
		arguments := slices.Concat(measuring, a.keeping(r.Out))
		if tests := own[pkg]; len(tests) > 0 {
			arguments = append(arguments, "-run", "^(?:"+strings.Join(tests, "|")+")$"+subtests)
		}
		if a.skip != "" {
			arguments = append(arguments, "-skip", a.skip)
		}
		arguments = slices.Concat(arguments, a.flags(), []string{pkg}, a.args)
		if err := r.goTest(ctx, env, c, arguments...); err != nil {
			return err
		}
	}
	return nil
}

// measuring are the flags that keep measurements what they are: not from a cache, and
// one package after the other, so that they do not load each other.
var measuring = []string{"-count=1", "-p=1"}

// goTest calls go test and collects what it has to say. How it ended is no error.
func (r Run) goTest(ctx context.Context, env []string, c *collector, arguments ...string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	kill := r.Kill
	if kill == nil {
		kill = context.Background()
	}
	cmd := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	cmd.Dir, cmd.Env = r.Dir, env
	inGroup(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = interrupt(cmd) })() // it may have ended just now
	defer context.AfterFunc(kill, func() { _ = killGroup(cmd) })()
	done := make(chan error)
	go func() { done <- c.readErrors(said) }()
	err = errors.Join(c.read(out), <-done)
	waitErr := cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ended := errors.AsType[*exec.ExitError](waitErr); waitErr != nil && !ended {
		err = errors.Join(err, waitErr)
	}
	return err
}

// listing are the arguments that list the tests that would run.
func (a arguments) listing() []string {
	pattern, _ := top(a.run)
	if pattern == "" {
		pattern = "."
	}
	return slices.Concat([]string{"-vet=off", "-list", pattern}, a.rest, a.args)
}

var testName = regexp.MustCompile(`^(?:Test|Example|Fuzz)[\pL\pN_]*$`)

// listed returns the top-level tests by package, and the packages that could not be
// listed.
func (c *collector) listed(a arguments) (tests map[string][]string, failed []string) {
	tests = make(map[string][]string)
	var skipped *regexp.Regexp
	if first, rest := top(a.skip); first != "" && rest == "" {
		skipped = regexp.MustCompile(first)
	}
	for name, p := range c.packages {
		if p.Outcome != Passed && p.Outcome != Skipped {
			failed = append(failed, name)
			continue
		}
		for _, line := range p.lines {
			line = strings.TrimSpace(line)
			if testName.MatchString(line) && (skipped == nil || !skipped.MatchString(line)) {
				tests[name] = append(tests[name], line)
			}
		}
	}
	slices.Sort(failed)
	return tests, failed
}
