package assertions

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// wayOut is the lines that a failure ends with: the commands to see it again and,
// where that is a way out, to accept it, ready to be copied.
func wayOut(res *latencytest.Result, acceptable bool) []string {
	if res == nil || res.Test == "" {
		return nil
	}
	var lines []string
	if res.Plan.SampleFile != "" {
		lines = append(lines, "    samples:  "+filepath.ToSlash(res.Plan.SampleFile))
	}
	again := fmt.Sprintf("go test %s -run %s -count=1", goPackage(), quoted(runPattern(res.Test)))
	if settings, err := latencytest.ReadSettings(); err == nil {
		if settings.Seed != 1 {
			again += fmt.Sprintf(" -latgate.seed=%d", settings.Seed)
		}
		if settings.Requests > 0 {
			again += fmt.Sprintf(" -latgate.requests=%d", settings.Requests)
		}
	}
	lines = append(lines, "    again:    "+again+" -v")
	if acceptable {
		lines = append(lines, "    accept:   "+again+" -latgate.update -latgate.reason='why this is right'")
	}
	return lines
}

// runPattern matches one test or subtest and nothing else.
func runPattern(test string) string {
	return "^" + strings.ReplaceAll(regexp.QuoteMeta(test), "/", "$/^") + "$"
}

// goPackage is the test's package as an argument of the go command's.
func goPackage() string {
	if dir := latencytest.PackageDir(); dir != "." {
		return "./" + dir
	}
	return "."
}

// quoted makes one word of a text for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
