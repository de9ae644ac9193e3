package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/report"
)

// A Situation is what a build is about, and why.
type Situation struct {
	Mode       report.Mode
	ModeReason string
	Base       string // commit; empty: the working tree's own baselines
	BaseReason string
	Head       string // commit; empty where there is no repository
	Run        string // names the build, the same for all of its shards; empty where nobody says
	Attempt    int    // from 1
	Queue      bool   // this is a merge queue: what is in doubt is not merged
}

// A Question is what a [Situation] is found out from.
type Question struct {
	Root   string                           // of the module
	Mode   string                           // of a flag; empty or "auto": see Situate
	Base   string                           // of a flag, a revision
	Config Config                           // for its credentials
	Lookup func(name string) (string, bool) // os.LookupEnv
}

// Situate finds out what a build is about. A flag goes before LATGATE_MODE and
// LATGATE_BASE, and these before what the CI system says, the first of:
//
//	pull request of a fork, or of Dependabot    replay: there are no secrets
//	the label latency:live                      ab; without credentials an error
//	merge queue                                 ab, with credentials
//	schedule, default branch                    track, with credentials
//	nobody's CI                                 stored, with credentials
//	anything else                               replay
//
// A live mode that was asked for without credentials is a [*CredentialsError]: there
// is no silent way out.
//
// The base of a pull request is the first parent of its merge commit, of a merge
// queue's what the event says, and otherwise the commit at which the histories part. A
// clone that does not reach back to it is a [*ShallowError].
func Situate(ctx context.Context, q Question) (Situation, error) {
	event, err := readEvent(q.Lookup)
	if err != nil {
		return Situation{}, err
	}
	s := Situation{Run: event.run, Attempt: event.attempt, Queue: event.kind == mergeQueue}
	if s.Mode, s.ModeReason, err = q.mode(event); err != nil {
		return Situation{}, err
	}
	if head, err := Commit(ctx, q.Root, "HEAD"); err == nil {
		s.Head = head
	}
	s.Base, s.BaseReason, err = q.base(ctx, event, s.Head)
	return s, err
}

// explicit is what a flag or its twin says, and where.
func (q Question) explicit(flag, flagName, variable string) (value, from string) {
	if flag != "" {
		return flag, flagName
	}
	value, _ = q.Lookup(variable)
	return strings.TrimSpace(value), variable
}

func (q Question) mode(e ciEvent) (report.Mode, string, error) {
	has, need := q.credentials()
	if text, from := q.explicit(q.Mode, "--mode", "LATGATE_MODE"); text != "" && text != "auto" {
		mode := report.Mode(text)
		switch {
		case !slices.Contains([]report.Mode{report.Replay, report.Stored, report.AB, report.Track}, mode):
			return "", "", fmt.Errorf("%s: want replay, stored, ab, track or auto, got %.40q", from, text)
		case mode != report.Replay && !has:
			return "", "", &CredentialsError{mode, need}
		}
		return mode, from + " says so", nil
	}
	switch {
	case e.kind == pullRequest && e.fork:
		return report.Replay, "a fork's pull request has no secrets: the endpoint itself is not measured", nil
	case e.kind == mergeQueue && has:
		return report.AB, "this is the merge queue", nil
	case e.kind == pullRequest && e.live && has:
		return report.AB, "the label " + liveLabel + " asks for it", nil
	case e.kind == pullRequest && e.live:
		return "", "", &CredentialsError{report.AB, need}
	case (e.kind == schedule || e.kind == mainBranch) && has:
		return report.Track, "this is the " + e.kind, nil
	case e.system == "" && has:
		return report.Stored, "there are credentials, and this is nobody's CI", nil
	}
	return report.Replay, "nothing asks for a live measurement: the endpoint itself is not measured", nil
}

// knownCredentials are variables of which each leads to some endpoint.
var knownCredentials = []string{
	"OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_OAUTH_ACCESS_TOKEN",
	"GOOGLE_APPLICATION_CREDENTIALS", "CO_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_BEARER_TOKEN_BEDROCK", "LLM_API_KEY",
}

// credentials reports whether there are some, and which are needed: each of those that
// the configuration lists, or any known one.
func (q Question) credentials() (has bool, need []string) {
	set := func(name string) bool { v, _ := q.Lookup(name); return v != "" }
	if q.Config.Credentials == nil {
		return slices.ContainsFunc(knownCredentials, set), []string{"OPENAI_API_KEY", "AWS_ACCESS_KEY_ID", "another of a provider's"}
	}
	for _, name := range q.Config.Credentials {
		if !set(name) {
			need = append(need, name)
		}
	}
	return len(need) == 0, need
}

func (q Question) base(ctx context.Context, e ciEvent, head string) (commit, reason string, err error) {
	resolved := func(revision, reason string) (string, string, error) {
		commit, err := Commit(ctx, q.Root, revision)
		return commit, reason, err
	}
	if text, from := q.explicit(q.Base, "--base", "LATGATE_BASE"); text != "" {
		return resolved(text, from+" says so")
	}
	switch {
	case e.system == "":
		return "", "the working tree's own baselines: --base compares with those of another commit", nil
	case head == "":
		return "", "", &IncomparableError{"this is CI, and there is no git repository to take baselines of the base commit from: check one out"}
	case e.kind == mergeQueue && e.base != "":
		return resolved(e.base, "the base of the merge queue's group")
	case e.kind == pullRequest && e.merged && q.isMerge(ctx):
		return resolved("HEAD^1", "the first parent of the pull request's merge commit")
	case e.kind == pullRequest && e.base != "":
		commit, err := MergeBase(ctx, q.Root, e.base, "HEAD")
		return commit, "where the pull request's history parts from its base", err
	case e.kind == schedule || e.kind == mainBranch || e.system == "GitHub" && e.kind == other:
		return head, "the baselines as they are committed", nil
	}
	if _, err := Commit(ctx, q.Root, "origin/HEAD"); err != nil {
		return "", "", &IncomparableError{"it is not known what to compare with: name the base commit with --base or LATGATE_BASE"}
	}
	commit, err = MergeBase(ctx, q.Root, "origin/HEAD", "HEAD")
	return commit, "where the history parts from origin/HEAD", err
}

// isMerge reports whether the checkout is a merge commit, or one whose parents a
// shallow clone does not have: GitHub's merge of a pull request is one, its head need
// not be.
func (q Question) isMerge(ctx context.Context) bool {
	raw, err := git(ctx, q.Root, "cat-file", "commit", "HEAD")
	if err != nil {
		return false
	}
	header, _, _ := strings.Cut(string(raw), "\n\n")
	return strings.Count("\n"+header, "\nparent ") == 2
}
