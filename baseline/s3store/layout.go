package s3store

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
)

// A layout is where the objects of a key are: <TestName>/<scenario>@<hash>, as the
// store in a directory names them: letters, digits and ._,=+@-.
type layout string

func layoutOf(k baseline.Key) layout {
	return layout(filepath.ToSlash(baseline.Dir("").Location(k)))
}

func (l layout) pointer() string { return "baselines/" + string(l) + ".json" }

// keys is shared by all keys of a scenario.
func (l layout) keys() string {
	scenario := l[:strings.LastIndexByte(string(l), '@')]
	return "baselines/" + string(scenario) + "/keys.json"
}

// run is the object of a run of this digest.
func (l layout) run(r *baseline.Run, digest string) string {
	name := r.Header.Time.UTC().Format("2006-01-02T150405Z")
	if commit := r.Header.Provenance.Commit; commit != "" {
		name += "-" + latencytest.FileName(commit)
	}
	return l.runs() + name + "-" + digest[:16] + ".bench"
}

func (l layout) runs() string { return "runs/" + string(l) + "/" }

// holds reports whether an object is a run of this key.
func (l layout) holds(object string) bool {
	name, ok := strings.CutPrefix(object, l.runs())
	return ok && clean(name) && strings.HasSuffix(name, ".bench")
}

// pointerObject is the layout of a pointer's object; other documents have none.
func pointerObject(name string) (layout, bool) {
	l, document := strings.CutSuffix(strings.TrimPrefix(name, "baselines/"), ".json")
	return layout(l), document && keyHash.MatchString(l)
}

var keyHash = regexp.MustCompile(`^[^/]+/[^/]+@[0-9a-f]{8}$`)

// runObject is the layout of a run's object, and the first digits of its digest.
func runObject(name string) (l layout, digest string, ok bool) {
	parts := runName.FindStringSubmatch(name)
	if parts == nil || !layout(parts[1]).holds(name) {
		return "", "", false
	}
	return layout(parts[1]), parts[2], true
}

var runName = regexp.MustCompile(`^runs/([^/]+/[^/]+@[0-9a-f]{8})/[^/]+-([0-9a-f]{16})\.bench$`)

// sameScenario tells scenarios apart whose names look alike in the bucket.
func sameScenario(a, b baseline.Key) bool {
	return a.Get("test") == b.Get("test") && a.Get("plan") == b.Get("plan") && a.Get("scenario") == b.Get("scenario")
}
