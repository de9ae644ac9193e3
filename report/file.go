package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MaxSize is the largest verdict.json that is read, in bytes.
const MaxSize = 8 << 20

// Read returns the build in a file. It is read strictly: a file that is too large, of
// another schema, or with members that are unknown or do not fit together, is
// refused.
func Read(path string) (*Build, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, err
	}
	build, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return build, nil
}

// Parse is [Read] of a file's content.
func Parse(data []byte) (*Build, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("more than %d MiB: this is no verdict that latgate wrote", MaxSize>>20)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("schema %.40q, this version of latgate reads %q: judge the build again, or use the version that wrote it", head.Schema, Schema)
	}
	build := new(Build)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(build); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the verdict")
	}
	return build, build.check()
}

// check reports what does not fit together.
func (b *Build) check() error {
	var worst []error
	if len(b.Rows) == 0 {
		worst = append(worst, errors.New("there are no rows: nothing was judged"))
	}
	for i, row := range b.Rows {
		if rank(row.Verdict) == len(severity) {
			worst = append(worst, fmt.Errorf("row %d: there is no verdict %.40q", i, row.Verdict))
		}
		if row.File != "" && !filepath.IsLocal(filepath.FromSlash(row.File)) {
			worst = append(worst, fmt.Errorf("row %d: the file %.80q is outside of the module", i, row.File))
		}
	}
	if rank(b.Verdict) == len(severity) {
		worst = append(worst, fmt.Errorf("there is no verdict %.40q", b.Verdict))
	}
	return errors.Join(worst...)
}

// Write writes the build to a file, whole or not at all.
func (b *Build) Write(path string) (err error) {
	b.Schema = Schema
	if err := b.check(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(path, append(data, '\n'))
}

// writeWhole replaces the file's content at once.
func writeWhole(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".latgate-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
