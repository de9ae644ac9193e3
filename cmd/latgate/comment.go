package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/latgate/latgate/report"
	"github.com/latgate/latgate/report/markdown"
)

// commentFlags are the flags of the command, and what it reads.
type commentFlags struct {
	event, verdict string
	repo           string
	name           string
	author         string
	dryRun         bool
}

func (p *program) commentCommand() *cobra.Command {
	var flags commentFlags
	cmd := &cobra.Command{
		Use:   "comment",
		Short: "Comment on the pull request that a verdict is about",
		Long: `Comment is the trusted half of a report to GitHub: it runs for workflow_run, with the
default branch's code and a token that can write, on a verdict that the run of a pull
request has left, which anybody could have forged.

So it believes nothing but GitHub: the pull request is the one whose head is that of
the run, and if it has moved on, nothing is posted. The verdict is read strictly, has
to be of that head, and its text is rendered here, as code.

There is one comment of each --name, which is updated. A clean pass gets none, unless
there is one already.

The token is read from GH_TOKEN or GITHUB_TOKEN. It needs pull-requests: write, and
contents: read.`,
		Example: `  latgate comment --event "$GITHUB_EVENT_PATH" --verdict report/verdict.json
  latgate comment --event event.json --verdict verdict.json --repo acme/app --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.comment(cmd.Context(), flags) },
	}
	cmd.Flags().StringVar(&flags.event, "event", "", "the `file` with the event workflow_run")
	cmd.Flags().StringVar(&flags.verdict, "verdict", "", "the `file` verdict.json of that run")
	cmd.Flags().StringVar(&flags.repo, "repo", "", "the `repository`, OWNER/NAME (default: the event's)")
	cmd.Flags().StringVar(&flags.name, "name", "default", "the `name` of the comment, where a repository has several gates")
	cmd.Flags().StringVar(&flags.author, "author", "", "the `login` that our comments are by (default: the token's, or github-actions[bot])")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "print the comment instead of posting it")
	_, _ = cmd.MarkFlagRequired("event"), cmd.MarkFlagRequired("verdict") // the flags exist
	return cmd
}

// A workflowRun is what is read of the event of that name. GitHub wrote it.
type workflowRun struct {
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	Run *struct {
		Event          string `json:"event"`
		HeadSHA        string `json:"head_sha"`
		HeadBranch     string `json:"head_branch"`
		URL            string `json:"html_url"`
		HeadRepository *struct {
			FullName string `json:"full_name"`
			Owner    struct {
				Login string `json:"login"`
			} `json:"owner"`
		} `json:"head_repository"`
	} `json:"workflow_run"`
}

var (
	repositories = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/(?:\.{0,2}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99})$`)
	fullCommits  = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	someCommits  = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// readWorkflowRun reads the event, of a run for a pull request of the repository.
func readWorkflowRun(path, repo string) (*workflowRun, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, report.MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > report.MaxSize {
		return nil, fmt.Errorf("--event: %s: more than %d MiB", path, report.MaxSize>>20)
	}
	event := new(workflowRun)
	if err := json.Unmarshal(data, event); err != nil {
		return nil, fmt.Errorf("--event: %s: %w", path, err)
	}
	switch run := event.Run; {
	case run == nil:
		err = errors.New("this is no event workflow_run: run the command for one")
	case run.Event != "pull_request":
		err = fmt.Errorf("the run was for %.40q: want one for pull_request", run.Event)
	case !repositories.MatchString(event.Repository.FullName):
		err = errors.New("there is no repository in it")
	case repo != "" && !strings.EqualFold(repo, event.Repository.FullName):
		err = fmt.Errorf("it is of %s, not of --repo %.200s", event.Repository.FullName, repo)
	case !fullCommits.MatchString(run.HeadSHA) || run.HeadBranch == "":
		err = errors.New("there is no head in it")
	case run.HeadRepository == nil || run.HeadRepository.Owner.Login == "":
		err = errors.New("there is no head repository in it: the fork is gone")
	}
	if err != nil {
		return nil, fmt.Errorf("--event: %s: %w", path, err)
	}
	return event, nil
}

func (p *program) comment(ctx context.Context, f commentFlags) error {
	marker, err := markdown.Marker(f.name)
	if err != nil {
		return fmt.Errorf("--name: %w", err)
	}
	event, err := readWorkflowRun(f.event, f.repo)
	if err != nil {
		return err
	}
	build, err := report.Read(f.verdict)
	if err != nil {
		return fmt.Errorf("--verdict: %w", err)
	}
	api, err := newGitHubAPI(p.lookup)
	if err != nil {
		return err
	}
	if api.token == "" && !f.dryRun {
		return errors.New("there is no token: set GH_TOKEN or GITHUB_TOKEN, as in env: { GH_TOKEN: \"${{ github.token }}\" }")
	}
	c := &commenter{api: api, event: event, marker: marker, author: f.author}
	number, err := c.pullRequest(ctx)
	if err != nil {
		return failed(err)
	}
	if number == 0 {
		_, err := fmt.Fprintf(p.stdout, "No open pull request has the head %.12s: there was another push, or it is closed. Nothing is posted.\n", event.Run.HeadSHA)
		return printed(err)
	}
	if err := c.isOfHead(ctx, build.Head); err != nil {
		return err
	}
	present, err := c.present(ctx, number)
	if err != nil {
		return failed(err)
	}
	if build.Clean() && present == nil {
		_, err := fmt.Fprintf(p.stdout, "A clean pass, and no comment on #%d to update. Nothing is posted.\n", number)
		return printed(err)
	}
	var body bytes.Buffer
	fork := !strings.EqualFold(event.Run.HeadRepository.FullName, event.Repository.FullName)
	if err := markdown.Comment(&body, build, markdown.Options{Name: f.name, Run: event.Run.URL, Fork: fork}); err != nil {
		return &exitError{exitInternal, err}
	}
	if f.dryRun {
		_, err := p.stdout.Write(body.Bytes())
		return printed(err)
	}
	done, err := c.post(ctx, number, present, body.String())
	if err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(p.stdout, "The comment on #%d is %s.\n", number, done)
	return printed(err)
}

// failed is an error that is not one of how the command was called.
func failed(err error) error { return &exitError{exitInternal, err} }

// A commenter posts a comment on the pull request of a run.
type commenter struct {
	api    *githubAPI
	event  *workflowRun
	marker string
	author string
}

// repository returns the elements of the path of an API of the repository.
func (c *commenter) repository(elements ...string) []string {
	owner, name, _ := strings.Cut(c.event.Repository.FullName, "/")
	return append([]string{"repos", owner, name}, elements...)
}

// pullRequest returns the number of the open pull request that has the run's head now,
// and 0 if there is none. Neither the artifact nor the event's list of pull requests,
// which is empty for forks, is asked.
func (c *commenter) pullRequest(ctx context.Context) (int, error) {
	run := c.event.Run
	query := url.Values{"state": {"open"}, "per_page": {"100"}, "head": {run.HeadRepository.Owner.Login + ":" + run.HeadBranch}}
	type pull struct {
		Number int `json:"number"`
		Head   struct {
			SHA  string `json:"sha"`
			Ref  string `json:"ref"`
			Repo *struct {
				FullName string `json:"full_name"`
			} `json:"repo"`
		} `json:"head"`
	}
	pulls, err := list[pull](ctx, c.api, c.api.path(query, c.repository("pulls")...))
	if err != nil {
		return 0, err
	}
	number := 0
	for _, p := range pulls {
		if p.Number <= 0 || p.Head.SHA != run.HeadSHA || p.Head.Ref != run.HeadBranch ||
			p.Head.Repo == nil || !strings.EqualFold(p.Head.Repo.FullName, run.HeadRepository.FullName) {
			continue
		}
		if number != 0 {
			return 0, fmt.Errorf("the pull requests #%d and #%d have the same head: which of them the run was for is not known", number, p.Number)
		}
		number = p.Number
	}
	return number, nil
}

// isOfHead returns an error unless a verdict's commit is the head of the run, or the
// merge of that head into the base which GitHub makes for runs of pull requests.
func (c *commenter) isOfHead(ctx context.Context, commit string) error {
	head := c.event.Run.HeadSHA
	if !someCommits.MatchString(commit) {
		return fmt.Errorf("--verdict: it is of no commit, but of %.60q", commit)
	}
	if strings.HasPrefix(head, commit) {
		return nil
	}
	var got struct {
		SHA     string `json:"sha"`
		Parents []struct {
			SHA string `json:"sha"`
		} `json:"parents"`
	}
	_, err := c.api.call(ctx, http.MethodGet, c.api.path(nil, c.repository("commits", commit)...), nil, &got)
	if err != nil && !refusedWith(err, http.StatusNotFound, http.StatusUnprocessableEntity) {
		return failed(err)
	}
	if err != nil || !strings.HasPrefix(got.SHA, commit) || len(got.Parents) != 2 || got.Parents[1].SHA != head {
		return fmt.Errorf("--verdict: it is of commit %.12s, not of the run's head %.12s or of a merge of that: nothing is posted", commit, head)
	}
	return nil
}

// An issueComment is a comment on a pull request.
type issueComment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

// present returns our own comment on the pull request, or nil. One of somebody else
// that looks like ours is not ours.
func (c *commenter) present(ctx context.Context, number int) (*issueComment, error) {
	author := c.author
	if author == "" {
		var user struct {
			Login string `json:"login"`
		}
		_, err := c.api.call(ctx, http.MethodGet, c.api.path(nil, "user"), nil, &user)
		switch {
		case err == nil && user.Login != "":
			author = user.Login
		case err == nil || refusedWith(err, http.StatusForbidden, http.StatusNotFound), c.api.token == "":
			author = "github-actions[bot]" // a job's token is no user's
		default:
			return nil, err
		}
	}
	comments, err := list[issueComment](ctx, c.api, c.api.path(url.Values{"per_page": {"100"}}, c.repository("issues", fmt.Sprint(number), "comments")...))
	if err != nil {
		return nil, err
	}
	for i := range comments {
		if strings.EqualFold(comments[i].User.Login, author) && strings.HasPrefix(comments[i].Body, c.marker) {
			return &comments[i], nil
		}
	}
	return nil, nil
}

// post creates the comment or updates it, and says which.
func (c *commenter) post(ctx context.Context, number int, present *issueComment, body string) (string, error) {
	content := map[string]string{"body": body}
	var posted issueComment
	if present == nil {
		_, err := c.api.call(ctx, http.MethodPost, c.api.path(nil, c.repository("issues", fmt.Sprint(number), "comments")...), content, &posted)
		return "new", err
	}
	if present.Body == body {
		return "up to date", nil
	}
	_, err := c.api.call(ctx, http.MethodPatch, c.api.path(nil, c.repository("issues", "comments", fmt.Sprint(present.ID))...), content, &posted)
	return "updated", err
}
