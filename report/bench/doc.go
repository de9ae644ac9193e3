// Package bench puts what a build measured, and what it was compared with, into the Go
// benchmark format, and prints the table that benchstat prints of two such files.
//
//	var before, after bytes.Buffer
//	err := bench.Format(&before, storedRuns...)
//	...
//	err = bench.Format(&after, thisRun)
//	...
//	tables, err := bench.Compare(bench.File("base.bench", &before), bench.File("head.bench", &after))
//	...
//	err = tables.WriteText(os.Stdout)
//
// A file may be any output of go test -bench as well. The statistics are benchstat's:
// medians with their 95 % intervals, and a Mann-Whitney test over all values. They answer
// another question than a gate does, as each table says: a slow tail leaves a median
// alone, and values of one run have more in common than the test supposes.
package bench
