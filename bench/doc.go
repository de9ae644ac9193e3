// Package bench holds the benchmarks of the whole instrument: what it costs to
// measure, and how true the times are that it reports. It has nothing to import.
//
//	go test ./bench -run '^$' -bench Streams -benchtime 1x -timeout 30m
//
// Server and client are processes of their own, which the test binary starts from
// itself. README.md says what the figures mean, and gives those of one machine.
package bench
