package benchmark

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/latgate/latgate/latencytest"
)

// PartialFiles lists the files of runs that did not end beside a sample file.
func PartialFiles(sampleFile string) []string {
	if sampleFile == "" {
		return nil
	}
	dir := filepath.Dir(sampleFile)
	var names []string
	entries, _ := os.ReadDir(dir) // of no directory, none
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".partial") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}

// SampleFiles returns where the samples of results are, in their order: a run that ended
// early leaves a file of another name. Before are the [PartialFiles] of earlier runs.
func SampleFiles(results []*latencytest.Result, before []string) []string {
	var files []string
	for _, res := range results {
		file := res.Plan.SampleFile
		if file == "" {
			continue
		}
		for _, partial := range PartialFiles(file) {
			if strings.HasPrefix(partial, filepath.Clean(file)+".") && !slices.Contains(before, partial) {
				file = partial
			}
		}
		files = append(files, file)
	}
	return files
}
