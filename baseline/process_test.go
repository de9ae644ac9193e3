package baseline_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/providers"
)

// helpers are what the test binary does, instead of testing, when it is started
// by one of its own tests.
var helpers = map[string]func(dir, name string) error{
	"add to several keys": func(dir, name string) error { return addRuns(os.Stdout, dir, name, 20, 5) },
	"add to one key":      func(dir, name string) error { return addRuns(os.Stdout, dir, name, 20, 1) },
	"add for ever":        func(dir, name string) error { return addRuns(os.Stdout, dir, name, 1<<30, 1) },
}

func TestMain(m *testing.M) {
	if help := helpers[os.Getenv("GO_WANT_HELPER_PROCESS")]; help != nil {
		if err := help(os.Args[1], os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(func() int {
		defer os.RemoveAll(shared)
		return m.Run()
	}())
}

func helper(t *testing.T, mode, dir, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, dir, name)
	cmd.Env = append(os.Environ(), "GO_WANT_HELPER_PROCESS="+mode)
	return cmd
}

// loadKey is one of several keys that differ in their load.
func loadKey(n int) providers.Facts {
	return identity(providers.Fact{Name: "load", Value: fmt.Sprintf("closed(%d)", n)})
}

// addRuns stores runs of one second under keys in turn, and prints each path
// when the run is in the store.
func addRuns(w io.Writer, dir, name string, count, keys int) error {
	store := baseline.Dir(dir)
	for i := range count {
		s := scenario(50, 1)
		s.Identity = loadKey(i % keys)
		path, err := store.Add(baseline.NewRun(result(s), s, fmt.Sprint(name, " ", i)))
		if err != nil {
			return err
		}
		fmt.Fprintln(w, path)
	}
	return nil
}

// Two processes store runs of the same keys in the same second while a third
// reads them: no run is lost, and the reader never sees half of one.
func TestTwoProcessesAddAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode       string
		keys, want int // runs that each key ends up with
	}{
		{"add to several keys", 5, 8},
		{"add to one key", 1, baseline.Keep},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			store := baseline.Dir(dir)
			stopped := make(chan error, 2)
			for _, name := range []string{"a", "b"} {
				cmd := helper(t, test.mode, dir, name)
				go func() {
					output, err := cmd.CombinedOutput()
					if err != nil {
						err = fmt.Errorf("%w: %s", err, output)
					}
					stopped <- err
				}()
			}
			before := make([]int, test.keys)
			for running := 2; running > 0; {
				select {
				case err := <-stopped:
					require.NoError(t, err)
					running--
				default:
				}
				for k := range test.keys {
					runs, err := store.Runs(baseline.NewKey(loadKey(k)))
					require.NoError(t, err)
					if test.want < baseline.Keep { // nothing is dropped while it is read
						require.GreaterOrEqual(t, len(runs), before[k], "runs were lost")
						before[k] = len(runs)
					}
				}
			}
			seen := make(map[string]bool)
			for k := range test.keys {
				for _, reason := range reasons(t, store, baseline.NewKey(loadKey(k))) {
					seen[reason] = true
				}
			}
			assert.Len(t, seen, test.keys*test.want)
			assert.Len(t, tree(t, dir), test.keys*test.want, "nothing else is left behind")
			if test.keys == 1 {
				assert.True(t, seen["a 19"] || seen["b 19"], "the newest runs are kept: %v", seen)
			}
		})
	}
}

// A process that is killed while it writes leaves every run it has reported, and
// nothing that a reader would take for one.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := baseline.Dir(dir)
	k := baseline.NewKey(loadKey(0))
	for attempt := range 5 {
		cmd := helper(t, "add for ever", dir, fmt.Sprint("process ", attempt))
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewReader(stdout)
		var last string
		for range 3 + 4*attempt {
			last, err = lines.ReadString('\n')
			require.NoError(t, err, "%s", last)
		}
		time.Sleep(time.Duration(attempt) * 700 * time.Microsecond)
		require.NoError(t, cmd.Process.Kill())
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.Error(t, cmd.Wait())
		if reported := strings.Fields(string(rest)); len(reported) > 0 && bytes.HasSuffix(rest, []byte("\n")) {
			last = reported[len(reported)-1]
		}
		last = strings.TrimSpace(last)

		runs, err := store.Runs(k)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(runs), baseline.Keep+1, "at most the last prune was not finished")
		files := tree(t, dir)
		assert.Contains(t, files, last, "a reported run is lost")
		for name := range files {
			assert.Contains(t, []string{".bench", ".partial"}, filepath.Ext(name))
		}
	}
	s := scenario(50, 1)
	s.Identity = loadKey(0)
	_, err := store.Add(baseline.NewRun(result(s), s, "after all that"))
	require.NoError(t, err)
	got := reasons(t, store, k)
	assert.Len(t, got, baseline.Keep)
	assert.Equal(t, "after all that", got[len(got)-1])
}
