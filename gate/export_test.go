package gate

import (
	"strings"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/report"
)

// ForTests of what is not exported.
var (
	ParseArguments = parseArguments
	SplitPattern   = splitPattern
)

// Listing are the arguments that list the tests, and Flags and Packages those of each kind.
func (a arguments) Listing() []string  { return a.listing() }
func (a arguments) Flags() []string    { return a.flags() }
func (a arguments) Packages() []string { return a.packages() }

// Part and Share are those of a shard.
func (s Shard) Part(planned []string) []string { return s.part(planned) }
func (s Shard) Share(requests int) int         { return s.share(requests) }

// Collect makes a manifest's lists of what go test prints, and a log.
func Collect(events string, all bool) (packages, tests []Ran, log string) {
	var told strings.Builder
	c := newCollector("example.com/app", &told, all)
	_ = c.read(strings.NewReader(events)) // of a text
	packages, tests = c.results()
	return packages, tests, told.String()
}

// Outage reports whether a test's output says that the endpoint is down.
func Outage(output string) bool { return outage.MatchString(output) }

// WhatDidNotRun are the rows of what is not judged by its records.
func (m *Manifest) WhatDidNotRun(records []*assertions.Record) []report.Row {
	return m.whatDidNotRun(records)
}
