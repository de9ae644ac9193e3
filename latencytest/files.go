package latencytest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Dir is where a package's baselines, recordings and latest samples live.
const Dir = "testdata/latgate"

// PackageDir returns the directory of the package whose tests run, from its module's
// root and with slashes: a test runs in its package's directory. It is "." where
// there is no module.
func PackageDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			relative, err := filepath.Rel(root, dir)
			if err != nil {
				return "."
			}
			return filepath.ToSlash(relative)
		}
		if root == filepath.Dir(root) {
			return "."
		}
	}
}

func sampleFileName(plan string) string {
	if plan == "" {
		return "latest.samples.jsonl"
	}
	return FileName(plan) + ".latest.samples.jsonl"
}

// ignoreSampleFiles keeps samples out of the user's repository: baselines are
// reviewed and committed, the latest run is neither.
func ignoreSampleFiles() error {
	path := filepath.Join(Dir, ".gitignore")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("*.samples.jsonl\n*.check.json\n*.partial\nuncached\n"), 0o644)
}

var (
	unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9._,=+@-]+`)
	reservedName  = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// FileName turns a test's or scenario's name into a file name that every
// operating system takes. Where letters or the end of the name are lost, a digest
// of it keeps the file apart from those of similar names.
func FileName(name string) string {
	safe := strings.Trim(unsafeInNames.ReplaceAllString(name, "_"), ".")
	if safe == "" || reservedName.MatchString(safe) {
		safe = "_" + safe
	}
	if len(safe) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		sum := sha256.Sum256([]byte(name))
		safe = safe[:min(len(safe), 91)] + "-" + hex.EncodeToString(sum[:4])
	}
	return safe
}
