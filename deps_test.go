package latgate_test

import (
	"os/exec"
	"strings"
	"testing"
)

// BenchmarkDeps measures how light a gate is: the packages and modules that a
// program links which imports latencytest, baseline and assertions, and how many
// of them a provider adds.
//
//	go test -run '^$' -bench Deps -benchtime 1x .
func BenchmarkDeps(b *testing.B) {
	core := []string{module + "/latencytest", module + "/baseline", module + "/assertions"}
	for _, c := range []struct {
		name     string
		packages []string
	}{
		{"core", core},
		{"core+fakes", append(core[:3:3], module+"/fakes")},
		{"core+bedrock", append(core[:3:3], module+"/providers/bedrock")},
	} {
		b.Run(c.name, func(b *testing.B) {
			var packages, modules int
			for b.Loop() {
				packages, modules = linked(b, c.packages)
			}
			b.ReportMetric(float64(packages), "packages")
			b.ReportMetric(float64(modules), "modules")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// linked counts the packages outside of the standard library that the packages
// depend on, themselves included, and the modules they come from beside this one.
func linked(b *testing.B, packages []string) (int, int) {
	b.Helper()
	args := append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.Module.Path}}{{end}}"}, packages...)
	out, err := exec.CommandContext(b.Context(), "go", args...).Output()
	if err != nil {
		b.Fatal(err)
	}
	of := make(map[string]bool)
	count := 0
	for path := range strings.FieldsSeq(string(out)) {
		count++
		of[path] = true
	}
	return count, len(of) - 1
}
