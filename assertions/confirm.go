package assertions

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// A second opinion is what the scenarios that seem to have moved measure in another
// session.
type secondOpinion struct {
	result *latencytest.Result
	file   string  // of its samples; empty where they are in memory only
	stale  bool    // it was measured by the process of the first
	doubts []error // why it is no better
}

// again measures scenarios of a result once more: in a process of its own, which
// shares no connection and no state with this one, and only where that cannot be,
// in this one.
func again(ctx context.Context, res *latencytest.Result, scenarios []string) (o secondOpinion) {
	second, file, err := inFreshProcess(ctx, res, scenarios)
	if err == nil {
		o.result, o.file = second, file
		return o
	}
	o.doubts = append(o.doubts, fmt.Errorf("no second session in a fresh process: %w", err))
	if second, err = res.Again(ctx, scenarios...); err == nil {
		o.result, o.stale = second, true
		return o
	}
	o.doubts = append(o.doubts, fmt.Errorf("no second session in this one: %w", err))
	return o
}

// inFreshProcess starts the test binary again, for the one test, as a process that
// only measures. It has a seed of its own, so that fakes do not draw the same times.
func inFreshProcess(ctx context.Context, res *latencytest.Result, scenarios []string) (second *latencytest.Result, file string, err error) {
	if res.Test == "" || res.Plan.SampleFile == "" {
		return nil, "", errors.New("it was not measured by a test with a sample file")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	dir, err := filepath.Abs(filepath.Join(filepath.Dir(res.Plan.SampleFile), "second"))
	if err != nil {
		return nil, "", err
	}
	session := latencytest.Session{Dir: dir, Plan: res.Plan.Name, Scenarios: scenarios}
	file = session.SampleFile(res.Test, res.Plan.Name)
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, self, freshArguments(res.Test)...)
	cmd.Env = append(os.Environ(),
		latencytest.SessionVariable+"="+session.String(),
		"LATGATE_SEED="+strconv.FormatUint(secondSeed(latencytest.Seed()), 10), "LATGATE_UPDATE=")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return nil, "", fmt.Errorf("%w: %s", err, ending(output.String()))
	}
	second, err = latencytest.Load(file)
	if err != nil {
		return nil, "", fmt.Errorf("the process measured nothing: %w", err)
	}
	return second, file, nil
}

// secondSeed is as far from the seeds that people choose as it can be.
func secondSeed(seed uint64) uint64 { return seed ^ 1<<63 }

// freshArguments are those of this process that a second one needs: what the user's
// own flags say, and how long a test may take.
func freshArguments(test string) []string {
	arguments := []string{"-test.run=" + runPattern(test), "-test.count=1"}
	flag.Visit(func(f *flag.Flag) {
		switch name, value := f.Name, f.Value.String(); {
		case name == "latgate.update", name == "latgate.reason", name == "latgate.seed":
		case !strings.HasPrefix(name, "test."),
			name == "test.timeout", name == "test.short", name == "test.cpu", name == "test.parallel":
			arguments = append(arguments, "-"+name+"="+value)
		}
	})
	return arguments
}

// ending is the last that a process had to say.
func ending(output string) string {
	const enough = 500
	output = strings.TrimSpace(output)
	return output[max(0, len(output)-enough):]
}
