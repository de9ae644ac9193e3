package benchmark

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/latgate/latgate/report"
)

// Export writes the files that the results go to, each whole or not at all; directories
// are made. Files of samples are written while the requests are made.
func (r *Results) Export() error {
	var errs []error
	for _, e := range r.Exports {
		var data []byte
		var err error
		switch e.Format {
		case "json":
			data, err = r.Document().JSON()
		case "csv":
			data, err = r.CSV()
		default:
			continue
		}
		if err == nil {
			err = write(e.Path, data)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the results cannot be written: %w", err))
		}
	}
	return errors.Join(errs...)
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return report.WriteFile(path, data)
}

// Check reports whether files can be written where the exports go, before anything is
// paid for. It makes the directories.
func (b *Benchmark) Check() error {
	var errs []error
	for _, e := range b.Exports {
		if err := writable(e.Path); err != nil {
			errs = append(errs, fmt.Errorf("the results cannot be written: %w", err))
		}
	}
	return errors.Join(errs...)
}

func writable(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	file, err := os.CreateTemp(dir, ".latgate-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
