// Package markdown tells a build's verdict as Markdown of GitHub's kind: [Comment] for
// a pull request, [Summary] for the page of a CI run, which has all tables.
//
//	var body bytes.Buffer
//	err := markdown.Comment(&body, build, markdown.Options{Run: "https://github.com/acme/app/actions/runs/1"})
//
// Every text of the build stands in a code span or a code block, in which Markdown,
// HTML, mentions and references mean nothing. What could end these, a backtick or,
// in a table, a vertical bar, is replaced by a similar character. Commands are printed
// only where latgate itself could have written them.
package markdown
