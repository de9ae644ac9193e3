// Package text tells a build's verdict as a table for a terminal or the log of a CI job.
//
//	text.Write(os.Stdout, build)
//
// Lines that hold texts of the build begin with "│ " or with a word of the table, so
// that none of them begins with what a CI system takes for a command.
package text
