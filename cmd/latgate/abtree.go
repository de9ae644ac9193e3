package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/report"
)

// commands runs other programs.
type commands struct {
	ctx  context.Context // its end interrupts them
	hard context.Context // its end kills them
	log  io.Writer
}

// output runs a program in a directory and returns what it printed, with what it
// printed as an error in the error.
func (c commands) output(dir string, env []string, name string, args ...string) (string, error) {
	ctx, kill := context.WithCancel(c.hard)
	defer kill()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := c.ctx.Err(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer context.AfterFunc(c.ctx, func() {
		if cmd.Process.Signal(os.Interrupt) != nil { // there are none on Windows
			kill()
		}
	})()
	if err := cmd.Wait(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, lastLines(stdout.String()+stderr.String()))
	}
	return stdout.String(), nil
}

// lastLines is the end of what a program had to say.
func lastLines(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// A tree is a state of the source code.
type tree struct {
	commands
	root   string // absolute
	from   string // the directory in it that the command runs in, relative
	hash   string // of the commit
	commit string // as it is told
}

// A repository is the tree that somebody works in.
type repository struct{ tree }

func (c commands) openRepository(dir string) (*repository, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if absolute, err = filepath.EvalSymlinks(absolute); err != nil {
		return nil, err
	}
	r := &repository{tree{commands: c}}
	if r.root, err = r.git(absolute, "rev-parse", "--show-toplevel"); err != nil {
		return nil, fmt.Errorf("the base is a revision of a git repository: %w", err)
	}
	if r.root, err = filepath.EvalSymlinks(r.root); err != nil {
		return nil, err
	}
	if r.from, err = filepath.Rel(r.root, absolute); err != nil {
		return nil, err
	}
	if r.commit, err = r.git(r.root, "rev-parse", "--short=7", "HEAD"); err != nil {
		return nil, err
	}
	changes, err := r.git(r.root, "status", "--porcelain", "--untracked-files=no")
	if changes != "" {
		r.commit += " with changes"
	}
	return r, err
}

func (t *tree) git(dir string, args ...string) (string, error) {
	out, err := t.output(dir, []string{"GIT_OPTIONAL_LOCKS=0"}, "git", args...)
	return strings.TrimSpace(out), err
}

func (r *repository) head() *tree { return &r.tree }

// A checkout is another tree of a repository.
type checkout struct {
	tree
	of *repository
}

// checkOut makes a worktree of a revision. What it returns is to be removed, even
// with an error.
func (r *repository) checkOut(revision, dir string) (*checkout, error) {
	commit, err := r.git(r.root, "rev-parse", "--verify", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("--base: there is no revision %q here; a shallow clone has to fetch it first: %w", revision, err)
	}
	c := &checkout{tree{commands: r.commands, root: dir, from: r.from, hash: commit, commit: commit[:min(7, len(commit))]}, r}
	if _, err := r.git(r.root, "worktree", "add", "--detach", dir, commit); err != nil {
		return c, &exitError{exitInternal, err}
	}
	if c.root, err = filepath.EvalSymlinks(dir); err != nil {
		return c, &exitError{exitInternal, err}
	}
	return c, nil
}

// remove takes the worktree away again, also after an interrupt.
func (c *checkout) remove() error {
	c.of.ctx, c.of.hard = context.Background(), context.Background()
	_, err := c.of.git(c.of.root, "worktree", "remove", "--force", "--force", c.root)
	if err == nil {
		return nil
	}
	if err := os.RemoveAll(c.root); err != nil {
		return err
	}
	_, err = c.of.git(c.of.root, "worktree", "prune")
	return err
}

// A testPackage is a package with tests, on one side or on both.
type testPackage struct {
	dir    string    // from the root of either tree, with slashes
	has    [2]bool   // base and head
	binary [2]string // where its tests are built
	in     [2]string // the directory that they run in
}

// The sides, A and B.
const (
	sideBase = iota
	sideHead
)

var sideNames = [2]string{"base", "head"}

// testPackages lists the packages that go test would test on either side, in order.
func (r *repository) testPackages(base *checkout, tests goTest) ([]*testPackage, error) {
	byDir := make(map[string]*testPackage)
	for side, t := range [2]*tree{&base.tree, r.head()} {
		dirs, err := t.packageDirs(tests)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sideNames[side], err)
		}
		for _, dir := range dirs {
			if byDir[dir] == nil {
				byDir[dir] = &testPackage{dir: dir}
			}
			byDir[dir].has[side] = true
			byDir[dir].in[side] = filepath.Join(t.root, filepath.FromSlash(dir))
		}
	}
	var packages []*testPackage
	for _, pkg := range byDir {
		packages = append(packages, pkg)
	}
	slices.SortFunc(packages, func(a, b *testPackage) int { return strings.Compare(a.dir, b.dir) })
	if len(packages) == 0 {
		return nil, fmt.Errorf("no package among %s has tests", strings.Join(tests.packages, " "))
	}
	return packages, nil
}

// packageDirs lists the directories of the packages with tests, from the root. A
// package that does not exist has none.
func (t *tree) packageDirs(tests goTest) ([]string, error) {
	from := filepath.Join(t.root, t.from)
	if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	args := append([]string{"list", "-e", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}"}, tests.build...)
	out, err := t.output(from, nil, "go", slices.Concat(args, []string{"--"}, tests.packages)...)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for dir := range strings.Lines(out) {
		resolved, err := filepath.EvalSymlinks(strings.TrimSpace(dir))
		if err != nil {
			return nil, err
		}
		relative, err := filepath.Rel(t.root, resolved)
		if err != nil || !filepath.IsLocal(relative) {
			return nil, fmt.Errorf("the package in %s is not a part of the repository in %s", resolved, t.root)
		}
		dirs = append(dirs, filepath.ToSlash(relative))
	}
	return dirs, nil
}

// build builds the tests of both sides. A base that cannot be built cannot be
// compared with.
func build(packages []*testPackage, head *tree, base *checkout, tests goTest, into string) error {
	for i, pkg := range packages {
		for side, t := range [2]*tree{&base.tree, head} {
			if !pkg.has[side] {
				continue
			}
			pkg.binary[side] = filepath.Join(into, fmt.Sprintf("%d-%s.test", i, sideNames[side]))
			if runtime.GOOS == "windows" {
				pkg.binary[side] += ".exe"
			}
			args := append([]string{"test", "-c", "-o", pkg.binary[side]}, tests.build...)
			if _, err := t.output(pkg.in[side], nil, "go", args...); err != nil {
				err = fmt.Errorf("the tests of the %s in %s cannot be built: %w", sideNames[side], pkg.dir, err)
				if side == sideBase {
					return &exitError{report.ExitIncomparable, err}
				}
				return err
			}
		}
	}
	return nil
}
