package latencytest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Uncached makes it impossible for go test to reuse the running test's result. A
// test that read a file inside the module is not cached while that file is younger
// than two seconds when the test binary ends, which a date in the future ensures
// however long the other tests of the package take. [Run], [RunFunc] and every
// check of package assertions call it; in a program that is no test it does nothing.
func Uncached() error {
	if !testing.Testing() {
		return nil
	}
	if err := ignoreSampleFiles(); err != nil {
		return err
	}
	path := filepath.Join(Dir, "uncached")
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err == nil {
		future := Now().Add(24 * time.Hour)
		err = errors.Join(file.Close(), os.Chtimes(path, future, future))
	}
	if err != nil {
		return fmt.Errorf("go test might reuse this result later: %w", err)
	}
	return nil
}
