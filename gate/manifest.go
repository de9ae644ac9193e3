package gate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/report"
)

// ManifestSchema is the version of a manifest's format. A reader refuses any other.
const ManifestSchema = "latgate.manifest/1"

// unfinished is the schema of what stands in for a manifest while its directory is
// emptied or filled: whoever is interrupted there leaves no build that looks whole.
const unfinished = "latgate.manifest/unfinished"

func beginUnfinished(dir string) error {
	return report.WriteFile(filepath.Join(dir, ManifestName), []byte(`{"schema": "`+unfinished+"\"}\n"))
}

func endUnfinished(dir string) error { return os.Remove(filepath.Join(dir, ManifestName)) }

// ManifestName is the name of a manifest's file in its directory.
const ManifestName = "manifest.json"

// A Manifest says what go test has run, and as what part of which build.
type Manifest struct {
	Schema string `json:"schema"`
	Tool   string `json:"tool"` // the version of latgate that ran it

	Run     string `json:"run"`     // names the build, the same for all of its shards
	Attempt int    `json:"attempt"` // from 1; only one of a shard's may be judged
	Shard   int    `json:"shard"`   // from 0
	Shards  int    `json:"shards"`  // 1 is a build in one piece

	Region     string      `json:"region,omitzero"` // that was measured from
	Mode       report.Mode `json:"mode"`
	ModeReason string      `json:"mode_reason,omitzero"`
	Queue      bool        `json:"merge_queue,omitzero"`
	Base       string      `json:"base,omitzero"` // commit
	Head       string      `json:"head,omitzero"` // commit

	Started time.Time `json:"started"` // UTC
	Ended   time.Time `json:"ended"`

	Arguments []string `json:"arguments"` // of go test
	Planned   []string `json:"planned"`   // "package test" of all shards, sorted
	Packages  []Ran    `json:"packages"`
	Tests     []Ran    `json:"tests"` // top-level ones of this shard

	dir string // where it was read from
}

// A Ran is how a package or a test ended.
type Ran struct {
	Package string  `json:"package"` // import path
	Dir     string  `json:"dir"`     // from the module's root, with slashes
	Test    string  `json:"test,omitzero"`
	Outcome Outcome `json:"outcome"`
	Cached  bool    `json:"cached,omitzero"`
	Output  string  `json:"output,omitzero"` // the last of it, where it did not pass

	// Artifacts are the directories with what a test and its subtests have kept
	// (testing.T.ArtifactDir), from the manifest's own, with slashes.
	Artifacts []string `json:"artifacts,omitempty"`
}

// An Outcome is how go test says that something ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
)

// ReadManifest reads the manifest of a directory, strictly.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, ManifestName)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Manifest{dir: dir}
	if err := report.Unmarshal(data, "manifest", m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case m.Schema == unfinished:
		return nil, &IncomparableError{fmt.Sprintf("%s: what belongs here was not written to the end: run, or merge, again", path)}
	case m.Schema != ManifestSchema:
		return nil, fmt.Errorf("%s: schema %.40q, this version of latgate reads %q", path, m.Schema, ManifestSchema)
	case m.Region != "" && !latencytest.IsRegion(m.Region):
		return nil, fmt.Errorf("%s: %.80q is no region", path, m.Region)
	case m.Shards < 1 || m.Shard < 0 || m.Shard >= m.Shards:
		return nil, fmt.Errorf("%s: there is no shard %d of %d", path, m.Shard, m.Shards)
	}
	for _, r := range m.Tests {
		if r.Dir != "" && !filepath.IsLocal(filepath.FromSlash(r.Dir)) {
			return nil, fmt.Errorf("%s: the directory %.80q is outside of the module", path, r.Dir)
		}
		for _, dir := range r.Artifacts {
			if !filepath.IsLocal(filepath.FromSlash(dir)) {
				return nil, fmt.Errorf("%s: the artifacts %.80q are outside of its directory", path, dir)
			}
		}
	}
	return m, nil
}

// Write writes the manifest into a directory, whole or not at all.
func (m *Manifest) Write(dir string) error {
	m.Schema = ManifestSchema
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return report.WriteFile(filepath.Join(dir, ManifestName), append(data, '\n'))
}
