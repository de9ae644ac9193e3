package ci_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A file is what is read of a workflow, or of a composite action.
type file struct {
	On          yaml.Node      `yaml:"on"`
	Permissions yaml.Node      `yaml:"permissions"`
	Jobs        map[string]job `yaml:"jobs"`
	Runs        *struct {
		Using string `yaml:"using"`
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type job struct {
	If          string         `yaml:"if"`
	Needs       any            `yaml:"needs"`
	Environment any            `yaml:"environment"`
	Permissions yaml.Node      `yaml:"permissions"`
	Timeout     int            `yaml:"timeout-minutes"`
	Env         map[string]any `yaml:"env"`
	Secrets     any            `yaml:"secrets"`
	Steps       []step         `yaml:"steps"`
	Uses        yaml.Node      `yaml:"uses"`
}

type step struct {
	Name  string         `yaml:"name"`
	If    string         `yaml:"if"`
	Uses  yaml.Node      `yaml:"uses"`
	Run   string         `yaml:"run"`
	Shell string         `yaml:"shell"`
	With  map[string]any `yaml:"with"`
	Env   map[string]any `yaml:"env"`
}

var (
	pinned  = regexp.MustCompile(`^[\w.-]+/[\w.-]+(?:/[\w./-]+)?@[0-9a-f]{40}$`)
	version = regexp.MustCompile(`^# v\d+\.\d+\.\d+`)
)

// audit returns what makes a workflow or a composite action dangerous.
func audit(data []byte) []string {
	var f file
	if err := yaml.Unmarshal(data, &f); err != nil {
		return []string{err.Error()}
	}
	a := new(auditor)
	if f.Runs != nil {
		for _, s := range f.Runs.Steps {
			a.step(s, "")
			if s.Run != "" && s.Shell == "" {
				a.add("%s: say which shell", s.Name)
			}
		}
		return a.found
	}
	events := eventsOf(f.On)
	if slices.Contains(events, "pull_request_target") {
		a.add("on: pull_request_target gives a stranger's code this repository's rights")
	}
	if f.Permissions.Kind != yaml.MappingNode || len(f.Permissions.Content) > 0 {
		a.add("permissions: the workflow has to have none, so that each job says what it needs")
	}
	if len(f.Jobs) == 0 {
		a.add("jobs: there are none")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Jobs)) {
		a.job(name, f.Jobs[name], events)
	}
	return a.found
}

// eventsOf returns the names of the events, however they are written.
func eventsOf(on yaml.Node) []string {
	var events []string
	switch on.Kind {
	case yaml.ScalarNode:
		events = append(events, on.Value)
	case yaml.SequenceNode:
		for _, n := range on.Content {
			events = append(events, n.Value)
		}
	case yaml.MappingNode:
		for i := 0; i < len(on.Content); i += 2 {
			events = append(events, on.Content[i].Value)
		}
	}
	return events
}

type auditor struct{ found []string }

func (a *auditor) add(format string, args ...any) {
	a.found = append(a.found, fmt.Sprintf(format, args...))
}

func (a *auditor) job(name string, j job, events []string) {
	rights := map[string]string{}
	if j.Permissions.Kind != yaml.MappingNode || j.Permissions.Decode(&rights) != nil {
		a.add("%s: permissions: name each", name)
	}
	for right, level := range rights {
		if level == "write" && slices.Contains(events, "pull_request") && right != "id-token" {
			a.add("%s: permissions: %s: write in a workflow that runs a pull request's code", name, right)
		}
	}
	if j.Timeout == 0 {
		a.add("%s: timeout-minutes: there is none", name)
	}
	if j.Secrets != nil {
		a.add("%s: secrets: handed on as a whole", name)
	}
	if j.Uses.Value != "" {
		a.uses(j.Uses, name)
	}
	holdsSecret := mentions(j.Env, "secrets.")
	for _, s := range j.Steps {
		a.step(s, name+": ")
		holdsSecret = holdsSecret || mentions(s.Env, "secrets.") || mentions(s.With, "secrets.")
		if slices.Contains(events, "workflow_run") && strings.HasPrefix(s.Uses.Value, "actions/checkout@") && (s.With["ref"] != nil || s.With["repository"] != nil) {
			a.add("%s: a workflow_run that checks out something else than the default branch", name)
		}
	}
	if rights["contents"] == "write" {
		a.pushing(name, j, rights, events, holdsSecret)
	}
	if holdsSecret && j.Environment == nil {
		a.add("%s: a secret outside of an environment, which says who may use it", name)
	}
}

// pushing checks a job that can push: it may be there for a schedule, where it holds
// nothing else and runs no code but its own script.
func (a *auditor) pushing(name string, j job, rights map[string]string, events []string, holdsSecret bool) {
	for _, event := range events {
		if event != "schedule" && event != "workflow_dispatch" {
			a.add("%s: permissions: contents: write for %s", name, event)
		}
	}
	for right, level := range rights {
		if level == "write" && right != "contents" && right != "pull-requests" {
			a.add("%s: permissions: contents: write beside %s: write", name, right)
		}
	}
	if holdsSecret || j.Environment != nil {
		a.add("%s: permissions: contents: write beside a secret, or an environment", name)
	}
	for _, s := range j.Steps {
		action, _, _ := strings.Cut(s.Uses.Value, "@")
		if goCommand.MatchString(s.Run) || action != "" && action != "actions/checkout" && action != "actions/download-artifact" {
			a.add("%s: permissions: contents: write for %s%s, which runs other code", name, s.Name, action)
		}
	}
}

// goCommand finds a call of go, which builds and runs the repository's code.
var goCommand = regexp.MustCompile(`(?m)(?:^|[;&|(]|\bthen|\bdo)\s*go\s`)

func (a *auditor) step(s step, at string) {
	at += s.Name + s.Uses.Value
	if strings.Contains(s.Run, "${{") {
		a.add("%s: run: an expression is pasted into the script: hand it over as a variable", at)
	}
	for _, name := range []string{"script", "run", "args"} {
		if mentions(map[string]any{name: s.With[name]}, "${{") {
			a.add("%s: with: %s: an expression is pasted into a script", at, name)
		}
	}
	if s.Uses.Value == "" {
		return
	}
	a.uses(s.Uses, at)
	switch action, _, _ := strings.Cut(s.Uses.Value, "@"); action {
	case "actions/checkout":
		if s.With["persist-credentials"] != false {
			a.add("%s: persist-credentials: false is missing: the token would be left in .git/config", at)
		}
	case "actions/setup-go":
		if s.With["cache"] != false {
			a.add("%s: cache: false is missing: a build cache holds test results", at)
		}
	case "actions/cache":
		a.add("%s: a cache is no place for what decides", at)
	case "actions/download-artifact":
		if s.With["merge-multiple"] == true {
			a.add("%s: merge-multiple lets an artifact replace another's files", at)
		}
	}
}

// uses checks that an action is one that cannot change.
func (a *auditor) uses(uses yaml.Node, at string) {
	switch name := uses.Value; {
	case strings.HasPrefix(name, "./"):
	case !pinned.MatchString(name):
		a.add("%s: not pinned by the hash of a commit", at)
	case !version.MatchString(uses.LineComment):
		a.add("%s: no comment says which version that is", at)
	}
}

// mentions reports whether a text is in one of the values.
func mentions(values map[string]any, text string) bool {
	for _, v := range values {
		if s, is := v.(string); is && strings.Contains(s, text) {
			return true
		}
	}
	return false
}
