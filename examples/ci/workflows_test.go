package ci_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// TestWorkflows audits every workflow and action of the repository.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{
		"github/*.y*ml", "../../.github/workflows/*.y*ml", "../../.github/actions/*/action.y*ml",
	} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Empty(t, audit(data), name)
	}
}

// TestDocumentedWorkflows audits the workflows that are printed in the documentation.
func TestDocumentedWorkflows(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../../README.md", "../../docs/gate.md"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		workflows := 0
		for _, block := range strings.Split(string(data), "```yaml\n")[1:] {
			text, _, _ := strings.Cut(block, "```")
			if strings.Contains(text, "\njobs:\n") {
				workflows++
				assert.Empty(t, audit([]byte(text)), "%s:\n%s", name, text)
			}
		}
		assert.Equal(t, 1, workflows, name)
	}
}

const good = `
on: { pull_request: {} }
permissions: {}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    environment: live
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: { persist-credentials: false }
      - uses: actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0
        with: { cache: false }
      - name: test
        env: { TITLE: "${{ github.event.pull_request.title }}", KEY: "${{ secrets.KEY }}" }
        run: echo "$TITLE"
      - uses: actions/github-script@3d3c42e5aac5ba805825da76410c181273ba90b1 # v1.0.0
        with: { script: "console.log(process.env.TITLE)" }
      - uses: ./.github/actions/mine
`

// TestBadWorkflows audits what it has to catch.
func TestBadWorkflows(t *testing.T) {
	t.Parallel()
	require.Empty(t, audit([]byte(good)))
	for _, c := range []struct{ old, new, want string }{
		{`echo "$TITLE"`, `echo "${{ github.event.pull_request.title }}"`, "test: test: run: an expression is pasted into the script"},
		{`echo "$TITLE"`, "|\n          echo\n          echo ${{ github.head_ref }}", "an expression is pasted into the script"},
		{`console.log(process.env.TITLE)`, `console.log('${{ github.event.issue.title }}')`, "with: script: an expression is pasted into a script"},
		{`pull_request: {}`, `pull_request_target: {}`, "pull_request_target gives a stranger's code"},
		{`{ pull_request: {} }`, `[push, pull_request_target]`, "pull_request_target gives"},
		{`{ pull_request: {} }`, `pull_request_target`, "pull_request_target gives"},
		{"permissions: {}\n", "", "permissions: the workflow has to have none"},
		{"permissions: {}\n", "permissions: write-all\n", "permissions: the workflow has to have none"},
		{"permissions: {}\n", "permissions: { contents: read }\n", "permissions: the workflow has to have none"},
		{"    permissions: { contents: read }\n", "", "test: permissions: name each"},
		{"permissions: { contents: read }", "permissions: read-all", "test: permissions: name each"},
		{"permissions: { contents: read }", "permissions: { pull-requests: write }", "pull-requests: write in a workflow that runs a pull request's code"},
		{"permissions: { contents: read }", "permissions: { contents: write }", "contents: write for pull_request"},
		{"checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "checkout@v7", "not pinned by the hash of a commit"},
		{"checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "checkout@3d3c42e", "not pinned"},
		{"checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "checkout@main", "not pinned"},
		{"actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "docker://golang:1.26", "not pinned"},
		{"3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1", "no comment says which version"},
		{"persist-credentials: false", "fetch-depth: 0", "persist-credentials: false is missing"},
		{"persist-credentials: false", "persist-credentials: true", "persist-credentials: false is missing"},
		{"cache: false", "go-version: stable", "cache: false is missing"},
		{"actions/github-script", "actions/cache", "a cache is no place"},
		{"actions/github-script", "actions/cache", "a cache is no place"},
		{"    timeout-minutes: 5\n", "", "timeout-minutes: there is none"},
		{"    environment: live\n", "", "a secret outside of an environment"},
		{"    environment: live\n", "    secrets: inherit\n    environment: live\n", "secrets: handed on as a whole"},
		{good, "on: push\npermissions: {}\n", "jobs: there are none"},
		{good, "on: [", "did not find expected node content"},
	} {
		require.Contains(t, good, c.old)
		assert.Contains(t, strings.Join(audit([]byte(strings.Replace(good, c.old, c.new, 1))), "\n"), c.want, c.new)
	}
	trusted := strings.Replace(good, "pull_request: {}", "workflow_run: {}", 1)
	require.Empty(t, audit([]byte(trusted)))
	trusted = strings.Replace(trusted, "persist-credentials: false", `persist-credentials: false, ref: "${{ github.event.workflow_run.head_sha }}"`, 1)
	assert.Contains(t, strings.Join(audit([]byte(trusted)), "\n"), "checks out something else than the default branch")
}

// A job that can push is there for a schedule, and has nothing else.
func TestBadPushes(t *testing.T) {
	t.Parallel()
	const good = `
on: { schedule: [{ cron: "17 3 * * *" }], workflow_dispatch: {} }
permissions: {}
jobs:
  propose:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: { contents: write, pull-requests: write }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: { persist-credentials: false }
      - name: push
        env: { GH_TOKEN: "${{ github.token }}" }
        run: git push
`
	require.Empty(t, audit([]byte(good)))
	for _, c := range []struct{ old, new, want string }{
		{"schedule: [", "push: {}, schedule: [", "propose: permissions: contents: write for push"},
		{"schedule: [", "workflow_run: {}, schedule: [", "propose: permissions: contents: write for workflow_run"},
		{"pull-requests: write", "id-token: write", "contents: write beside id-token: write"},
		{"github.token", "secrets.TOKEN", "contents: write beside a secret"},
		{"    timeout-minutes: 5\n", "    timeout-minutes: 5\n    environment: live\n", "contents: write beside a secret, or an environment"},
		{"run: git push", "run: git pull && go test ./...", "contents: write for push, which runs other code"},
		{"run: git push", "run: |\n          git pull\n          go tool latgate version", "which runs other code"},
		{"actions/checkout@", "actions/setup-node@", "contents: write for actions/setup-node, which runs other code"},
	} {
		require.Contains(t, good, c.old)
		assert.Contains(t, strings.Join(audit([]byte(strings.Replace(good, c.old, c.new, 1))), "\n"), c.want, c.new)
	}
}

const goodAction = `
runs:
  using: composite
  steps:
    - name: say
      shell: bash
      env: { WHO: "${{ inputs.who }}" }
      run: echo "$WHO"
`

func TestBadActions(t *testing.T) {
	t.Parallel()
	require.Empty(t, audit([]byte(goodAction)))
	assert.Contains(t, strings.Join(audit([]byte(strings.Replace(goodAction, `"$WHO"`, `"${{ inputs.who }}"`, 1))), "\n"), "an expression is pasted into the script")
	assert.Contains(t, strings.Join(audit([]byte(strings.Replace(goodAction, "      shell: bash\n", "", 1))), "\n"), "say which shell")
	assert.Contains(t, strings.Join(audit([]byte(goodAction+"    - uses: acme/setup@v1\n")), "\n"), "not pinned")
}

// TestGateCannotBeSkipped checks the required job: it runs whatever becomes of the
// others, and waits for all of them.
func TestGateCannotBeSkipped(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("github/latency.yml")
	require.NoError(t, err)
	var f file
	require.NoError(t, yaml.Unmarshal(data, &f))
	gate := f.Jobs["gate"]
	assert.Equal(t, "${{ always() }}", gate.If)
	assert.Len(t, gate.Needs, len(f.Jobs)-1)
	assert.ElementsMatch(t, []string{"pull_request", "merge_group"}, eventsOf(f.On))
	for name, j := range f.Jobs {
		last := j.Steps[len(j.Steps)-1]
		assert.Contains(t, last.Uses.Value, "actions/upload-artifact@", name)
		assert.Equal(t, "${{ !cancelled() }}", last.If, name)
		if name == "replay" || name == "gate" {
			assert.Nil(t, j.Environment, name)
			assert.NotContains(t, j.If, "github.", "%s runs for everybody", name)
		}
	}
}

// TestActionDocumentsItsInputs keeps the inputs and what is read of them in step.
func TestActionDocumentsItsInputs(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../.github/actions/latgate/action.yml")
	require.NoError(t, err)
	var action struct {
		Inputs map[string]struct {
			Description string
			Default     *string
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &action))
	require.NotEmpty(t, action.Inputs)
	for name, input := range action.Inputs {
		assert.NotEmpty(t, input.Description, name)
		assert.NotNil(t, input.Default, name)
		assert.Contains(t, string(data), "inputs."+name, name)
	}
}

// TestOtherPipelines reads what other systems read.
func TestOtherPipelines(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"gitlab/gitlab-ci.yml":   {"exit_codes: [14, 15]", "junit: out/junit.xml", "metrics: out/metrics.txt", "codequality: out/codequality.json", `GIT_DEPTH: "0"`},
		"buildkite/pipeline.yml": {"exit_status: 14", "exit_status: 15", "allow_failure: true"},
	} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var content map[string]any
		require.NoError(t, yaml.Unmarshal(data, &content), name)
		for _, text := range want {
			assert.Contains(t, string(data), text, name)
		}
	}
}
