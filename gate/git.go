package gate

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// A ShallowError says that a commit is not in a clone that does not go so far back.
// Nothing is guessed in its place.
type ShallowError struct{ Commit string }

func (e *ShallowError) Error() string {
	return fmt.Sprintf("the commit %s is not in this shallow clone: fetch more of the history (actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)", e.Commit)
}

// git runs git in a directory and returns what it prints.
func git(ctx context.Context, dir string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, arguments...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", arguments[0], err, strings.TrimSpace(said.String()))
	}
	return out.Bytes(), nil
}

// Commit returns the full name of a revision. A revision that a shallow clone does not
// reach is a [*ShallowError].
func Commit(ctx context.Context, root, revision string) (string, error) {
	if strings.HasPrefix(revision, "-") {
		return "", fmt.Errorf("%q is no revision", revision)
	}
	name, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err == nil {
		return strings.TrimSpace(string(name)), nil
	}
	if isShallow(ctx, root) {
		return "", &ShallowError{revision}
	}
	return "", fmt.Errorf("there is no commit %q in this repository: %w", revision, err)
}

func isShallow(ctx context.Context, root string) bool {
	shallow, err := git(ctx, root, "rev-parse", "--is-shallow-repository")
	return err == nil && strings.TrimSpace(string(shallow)) == "true"
}

// MergeBase returns the commit at which two histories part.
func MergeBase(ctx context.Context, root, a, b string) (string, error) {
	for _, revision := range []string{a, b} {
		if _, err := Commit(ctx, root, revision); err != nil {
			return "", err
		}
	}
	name, err := git(ctx, root, "merge-base", a, b)
	if err == nil {
		return strings.TrimSpace(string(name)), nil
	}
	if isShallow(ctx, root) {
		return "", &ShallowError{a}
	}
	return "", fmt.Errorf("%s and %s have no common commit: %w", a, b, err)
}

// treeOf names a path from the module's root in a commit: the module may be a part of
// the repository.
func treeOf(ctx context.Context, root, commit, name string) (string, error) {
	prefix, err := git(ctx, root, "rev-parse", "--show-prefix")
	if err != nil {
		return "", err
	}
	inside := path.Join(strings.TrimSuffix(string(prefix), "\n"), name)
	if inside == "." {
		inside = ""
	}
	return commit + ":" + inside, nil
}

// fileOf returns what a file of the module held in a commit, and whether it was there.
func fileOf(ctx context.Context, root, commit, name string) (content []byte, found bool, err error) {
	object, err := treeOf(ctx, root, commit, name)
	if err != nil {
		return nil, false, err
	}
	if _, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "--end-of-options", object); err != nil {
		return nil, false, nil
	}
	content, err = git(ctx, root, "cat-file", "blob", object)
	return content, true, err
}

// extract writes what a directory of the module held in a commit into another one. A
// directory that was not there leaves it empty.
func extract(ctx context.Context, root, commit, dir, into string) error {
	tree, err := treeOf(ctx, root, commit, dir)
	if err != nil {
		return err
	}
	if _, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "--end-of-options", tree); err != nil {
		return nil
	}
	archive, err := git(ctx, root, "archive", "--format=tar", tree)
	if err != nil {
		return err
	}
	return unpack(bytes.NewReader(archive), into)
}

// unpack writes the regular files of an archive below a directory.
func unpack(archive io.Reader, into string) error {
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		name := filepath.FromSlash(header.Name)
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		file, err := root.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, files)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
}
