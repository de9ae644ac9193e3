package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// A ciEvent is what the CI system says of why it runs.
type ciEvent struct {
	system  string // "GitHub", "GitLab", "CI"; empty: nobody's CI
	kind    string // pull, queue, schedule, main, other
	fork    bool   // of a pull request: from another repository, or a bot's
	live    bool   // labelled latency:live
	base    string // the commit that it is against, as far as the system says
	merged  bool   // the checkout is the merge of the pull request into its base
	attempt int
	run     string // what all jobs of the run have in common
}

// The kinds of events.
const (
	pullRequest = "pull request"
	mergeQueue  = "merge queue"
	schedule    = "schedule"
	mainBranch  = "default branch"
	other       = "other event"
)

// liveLabel asks for a live measurement of a pull request.
const liveLabel = "latency:live"

var commitName = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// readEvent finds out why this runs.
func readEvent(lookup func(string) (string, bool)) (ciEvent, error) {
	value := func(name string) string { v, _ := lookup(name); return v }
	e := ciEvent{attempt: 1}
	switch {
	case value("GITHUB_ACTIONS") == "true":
		e.system, e.run = "GitHub", value("GITHUB_RUN_ID")
		if _, err := fmt.Sscan(value("GITHUB_RUN_ATTEMPT"), &e.attempt); err != nil || e.attempt < 1 {
			e.attempt = 1
		}
		if err := e.github(value); err != nil {
			return e, err
		}
	case value("GITLAB_CI") == "true":
		e.system, e.run = "GitLab", value("CI_PIPELINE_ID")
		e.gitlab(value)
	case value("CI") != "" && value("CI") != "false":
		e.system, e.kind = "CI", other
		for _, name := range []string{"BUILDKITE_BUILD_ID", "CIRCLE_WORKFLOW_ID", "BUILD_TAG"} { // BUILD_TAG is Jenkins'
			if e.run == "" {
				e.run = value(name)
			}
		}
	}
	if run := value("LATGATE_RUN"); run != "" {
		e.run = run
	}
	return e, nil
}

// github reads the event that GitHub has written to a file.
func (e *ciEvent) github(value func(string) string) error {
	var event struct {
		Repository struct {
			FullName      string `json:"full_name"`
			DefaultBranch string `json:"default_branch"`
		} `json:"repository"`
		PullRequest *struct {
			Base struct{ SHA string } `json:"base"`
			Head struct {
				Repo *struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
			Labels []struct{ Name string } `json:"labels"`
		} `json:"pull_request"`
		MergeGroup *struct {
			BaseSHA string `json:"base_sha"`
		} `json:"merge_group"`
	}
	if path := value("GITHUB_EVENT_PATH"); path != "" {
		if err := readJSON(path, &event); err != nil {
			return fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
		}
	}
	e.kind = other
	switch name := value("GITHUB_EVENT_NAME"); {
	case event.MergeGroup != nil:
		e.kind, e.base = mergeQueue, event.MergeGroup.BaseSHA
	case event.PullRequest != nil:
		p := event.PullRequest
		e.kind, e.base = pullRequest, p.Base.SHA
		e.fork = p.Head.Repo == nil || !strings.EqualFold(p.Head.Repo.FullName, event.Repository.FullName) || value("GITHUB_ACTOR") == "dependabot[bot]"
		e.live = slices.ContainsFunc(p.Labels, func(l struct{ Name string }) bool { return l.Name == liveLabel })
		e.merged = strings.HasPrefix(value("GITHUB_REF"), "refs/pull/") && strings.HasSuffix(value("GITHUB_REF"), "/merge")
	case strings.HasPrefix(name, "pull_request") || name == "merge_group":
		return fmt.Errorf("GITHUB_EVENT_PATH: there is no %s in it", name)
	case name == "schedule":
		e.kind = schedule
	case name == "push" && event.Repository.DefaultBranch != "" && value("GITHUB_REF") == "refs/heads/"+event.Repository.DefaultBranch:
		e.kind = mainBranch
	}
	if e.base != "" && !commitName.MatchString(e.base) {
		return fmt.Errorf("GITHUB_EVENT_PATH: the base %.80q is no commit", e.base)
	}
	return nil
}

func (e *ciEvent) gitlab(value func(string) string) {
	e.kind = other
	switch {
	case value("CI_MERGE_REQUEST_IID") != "":
		e.kind, e.base = pullRequest, value("CI_MERGE_REQUEST_DIFF_BASE_SHA")
		e.fork = value("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != value("CI_MERGE_REQUEST_PROJECT_ID")
		e.live = slices.Contains(strings.Split(value("CI_MERGE_REQUEST_LABELS"), ","), liveLabel)
		if value("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train" {
			e.kind = mergeQueue
		}
	case value("CI_PIPELINE_SOURCE") == "schedule":
		e.kind = schedule
	case value("CI_COMMIT_BRANCH") != "" && value("CI_COMMIT_BRANCH") == value("CI_DEFAULT_BRANCH"):
		e.kind = mainBranch
	}
}

func readJSON(path string, into any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	const most = 25 << 20 // GitHub's own limit
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return err
	}
	if len(data) > most {
		return fmt.Errorf("%s: more than %d MiB", path, most>>20)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
