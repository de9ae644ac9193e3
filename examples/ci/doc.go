// Package ci has nothing but files to copy: how latgate runs in CI systems.
//
//	github/      workflows of GitHub Actions: the gate, its comment, the nightly watch
//	gitlab/      jobs of a merge request
//	jenkins/     a pipeline
//	buildkite/   a pipeline
//	kubernetes/  an Indexed Job that measures, and a Job that judges
//
// docs/ci.md explains them. The tests check them, and the module's own workflows and
// actions, for what makes such files dangerous: text of strangers in scripts, actions
// that are not pinned, rights that are not needed.
package ci
