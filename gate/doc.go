// Package gate judges a whole build: everything that its tests have measured, in
// whatever packages, processes and shards, as one family and against the baselines of
// the base commit. It is what latgate run, latgate merge and latgate gate are made of.
//
// A build leaves its results in a directory (LATGATE_OUT): the samples of each test,
// a record of each check, and a [Manifest] of what go test has run. From these, and
// from the repository,
//
//	build, err := gate.Judge(ctx, gate.Options{Dir: out, Root: ".", Base: "origin/main"})
//	if err != nil {
//		return err
//	}
//	err = build.Write("verdict.json")
//	os.Exit(build.ExitCode)
//
// makes a [report.Build]. What was measured on several machines is put together first, by
// [Merge]: see the example. Two builds that were measured by turns are judged by
// [JudgeTurns]. Nothing passes in silence: tests that did not run, were all
// skipped, came from go's cache or left no record are rows of their own.
package gate
