// Package junit tells a build's verdict as JUnit XML, which CI systems show as test
// results.
//
//	file, err := os.Create("junit.xml")
//	...
//	err = junit.Write(file, build)
//
// A test of Go is a suite, a row is a test case. A regression and an exceeded budget
// are failures; what could not be judged, as for want of a baseline or because the
// endpoint was down, is an error; an inconclusive row is skipped, with a message. The
// numbers are properties.
//
// Do not combine it with reruns of failed tests: a gate that is run until it is green
// has measured luck.
package junit
