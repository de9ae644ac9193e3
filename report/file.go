package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/latgate/latgate/baseline"
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
	if err := Unmarshal(data, "verdict", build); err != nil {
		return nil, err
	}
	if err := build.check(); err != nil {
		return nil, err
	}
	return build, nil
}

// Unmarshal reads one JSON value strictly: members that v does not have, and anything
// after the value, are errors. Name is what the value is called in them.
func Unmarshal(data []byte, name string, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return errors.New(Line(err.Error(), 300)) // it quotes the file
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more after the %s", name)
	}
	return nil
}

// check reports what does not fit together.
func (b *Build) check() error {
	var wrong []error
	add := func(format string, args ...any) {
		if len(wrong) < 10 { // a stranger's file may have any number
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	if len(b.Rows) == 0 {
		add("there are no rows: nothing was judged")
	}
	var verdicts []baseline.Verdict
	for i, row := range b.Rows {
		verdicts = append(verdicts, row.Verdict)
		if rank(row.Verdict) == len(severity) {
			add("row %d: there is no verdict %.40q", i, row.Verdict)
		}
		if row.File != "" && (!filepath.IsLocal(filepath.FromSlash(row.File)) || strings.ContainsAny(row.File, `\:`)) {
			add("row %d: the file %.80q is no path from the root of the module", i, row.File)
		}
		if q := row.Quantity; q != nil && (q.Quantile <= 0 || q.Quantile >= 1) {
			add("row %d: there is no quantile %v", i, q.Quantile)
		}
	}
	if rank(b.Verdict) == len(severity) {
		add("there is no verdict %.40q", b.Verdict)
	} else if worst := Worst(verdicts...); len(verdicts) > 0 && b.Verdict != worst {
		add("the verdict is %s, the worst of the rows is %.40q", b.Verdict, worst)
	}
	switch b.Mode {
	case Replay, Stored, AB, Track:
	default:
		add("there is no mode %.40q", b.Mode)
	}
	if !slices.Contains(exitCodes, b.ExitCode) {
		add("there is no exit code %d", b.ExitCode)
	} else if b.ExitCode == ExitPass && Fails(b.Verdict) && len(b.Relaxed) == 0 && b.Mode != Track {
		add("the exit code passes %s, and nothing says what allowed that", b.Verdict)
	}
	if b.Failed < 0 || b.Requests < b.Failed {
		add("%d of %d requests failed", b.Failed, b.Requests)
	}
	return errors.Join(wrong...)
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
	return WriteFile(path, append(data, '\n'))
}

// WriteFile replaces a file's content at once, so that it is there whole or not at all.
func WriteFile(path string, data []byte) (err error) {
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
