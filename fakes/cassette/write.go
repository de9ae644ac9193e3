package cassette

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A lineWriter writes the lines of a cassette, each with one call of Write, so that
// a process that dies leaves whole lines behind.
type lineWriter struct {
	w   io.Writer
	n   int
	sum string
	err error // the first; later lines are not tried
}

func (l *lineWriter) line(kind string, v any) error {
	value, err := encode(v)
	if err != nil {
		return err
	}
	return l.encoded(kind, value)
}

func (l *lineWriter) encoded(kind string, value []byte) error {
	if l.err != nil {
		return l.err
	}
	sum := sumOf(l.sum, value)
	line := make([]byte, 0, len(value)+64)
	line = append(line, `{"n":`...)
	line = strconv.AppendInt(line, int64(l.n), 10)
	line = append(line, `,"sum":"`...)
	line = append(line, sum...)
	line = append(line, `","`...)
	line = append(line, kind...)
	line = append(line, `":`...)
	line = append(line, value...)
	line = append(line, "}\n"...)
	if _, l.err = l.w.Write(line); l.err == nil {
		l.sum = sum
		l.n++
	}
	return l.err
}

// A file is a cassette on its way to its place: it is written beside it, and moved
// there once it is whole.
type file struct {
	lineWriter
	disk   *os.File
	gzip   *gzip.Writer // nil without
	target string
}

// flushed is a gzip writer whose every Write can be read back after a crash.
type flushed struct{ *gzip.Writer }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	return n, errors.Join(err, f.Flush())
}

func createFile(target string, h Header, durable bool) (*file, error) {
	fail := func(err error) (*file, error) {
		return nil, fmt.Errorf("the cassette cannot be written: %w", err)
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	disk, err := os.CreateTemp(dir, filepath.Base(target)+".*.partial")
	if err != nil {
		return fail(err)
	}
	f := &file{disk: disk, target: target, lineWriter: lineWriter{w: disk}}
	if strings.HasSuffix(target, ".gz") {
		f.gzip = gzip.NewWriter(disk)
		f.w = f.gzip
		if durable {
			f.w = flushed{f.gzip}
		}
	}
	if err := f.line(kindHeader, h); err != nil {
		return fail(errors.Join(err, disk.Close(), os.Remove(disk.Name())))
	}
	return f, nil
}

// commit ends the file and moves it to its place.
func (f *file) commit() error {
	_ = f.line(kindEnd, endRecord{Exchanges: f.n - 1}) // release tells
	return f.release(func() error { return os.Rename(f.disk.Name(), f.target) })
}

// discard removes the file.
func (f *file) discard() error { return errors.Join(f.disk.Close(), os.Remove(f.disk.Name())) }

// release lets go of the file, and then does what is left to do with it. After a
// failure it stays where it is, with the lines that made it.
func (f *file) release(then func() error) error {
	err := f.err
	if f.gzip != nil {
		err = errors.Join(err, f.gzip.Close())
	}
	err = errors.Join(err, f.disk.Chmod(0o644), f.disk.Sync(), f.disk.Close())
	if err == nil {
		err = then()
	}
	if err != nil {
		return fmt.Errorf("the cassette was not written whole (what was is in %s): %w", f.disk.Name(), err)
	}
	return nil
}

// Write writes the cassette to a file, whole or not at all: compressed where the name
// ends in .gz, replacing what was there.
func Write(path string, c *Cassette) error {
	f, err := createFile(path, c.Header, false)
	if err != nil {
		return err
	}
	for _, i := range c.All() {
		if err := f.line(kindExchange, exchangeOf(i)); err != nil {
			return errors.Join(fmt.Errorf("the cassette cannot be written: %w", err), f.discard())
		}
	}
	if err := f.commit(); err != nil {
		return errors.Join(err, os.Remove(f.disk.Name()))
	}
	return nil
}
