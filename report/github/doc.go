// Package github tells a build's verdict as annotations of GitHub Actions: the commands
// that a step prints, and that show beside the lines of code they are about.
//
//	github.Annotations(os.Stdout, build)
//
//	::error file=internal/chat/latency_test.go,line=42,title=P90 ttft +23 %25 [+12%2C +35]::…
//
// GitHub shows ten errors of a step: there are nine, the worst, and one that counts the
// others. So it is with the warnings, of inconclusive rows.
package github
