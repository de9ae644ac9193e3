package assertions

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// wayOut is the lines that a failure ends with: the commands to see it again and,
// where that is a way out, to accept it, ready to be copied, after the files that tell
// more.
func wayOut(res *latencytest.Result, acceptable bool, detail string) []string {
	if res == nil || res.Test == "" {
		return nil
	}
	var lines []string
	if res.Plan.SampleFile != "" {
		lines = append(lines, "    samples:  "+filepath.ToSlash(res.Plan.SampleFile))
	}
	if detail != "" {
		lines = append(lines, "    detail:   "+filepath.ToSlash(detail))
	}
	again := command(latencytest.PackageDir(), res.Test)
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
		lines = append(lines, "    accept:   "+accepting(again))
	}
	return lines
}

// runPattern matches one test or subtest and nothing else.
func runPattern(test string) string {
	return "^" + strings.ReplaceAll(regexp.QuoteMeta(test), "/", "$/^") + "$"
}

// command runs one test of the package in that directory.
func command(dir, test string) string {
	return fmt.Sprintf("go test %s -run %s -count=1", goPackage(dir), quoted(runPattern(test)))
}

// accepting is the command that makes what another one measures a part of the
// baseline.
func accepting(command string) string {
	return command + " -latgate.update -latgate.reason='why this is right'"
}

// goPackage is a package's directory as an argument of the go command's.
func goPackage(dir string) string {
	if dir == "." {
		return "."
	}
	return "./" + dir
}

// quoted makes one word of a text for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
