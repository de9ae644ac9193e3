package latencytest

import (
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// Provenance is where a run came from. It never decides what may be compared;
// it is what differs between two runs when somebody asks why.
type Provenance struct {
	Commit string `json:"commit,omitzero"` // abbreviated, of the working directory's repository
	Dirty  bool   `json:"dirty,omitzero"`  // with changes that were not committed
	Go     string `json:"go"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"` // GOMAXPROCS
}

// provenance is asked of git once a process.
var provenance = sync.OnceValue(func() Provenance {
	p := Provenance{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0)}
	if out, err := exec.Command("git", "rev-parse", "--short=7", "HEAD").Output(); err == nil {
		p.Commit = strings.TrimSpace(string(out))
		out, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
		p.Dirty = err == nil && len(out) > 0
	}
	return p
})
