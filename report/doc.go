// Package report is a build's verdict as it is told to others: the file
// verdict.json, and the exit code that goes with it. The packages below it write
// it for people and systems: report/markdown, report/junit and so on.
//
//	build, err := report.Read("verdict.json")
//	if err != nil {
//		return err
//	}
//	for _, row := range build.Rows {
//		fmt.Println(row.Verdict, row.Text)
//	}
//	os.Exit(build.ExitCode)
//
// Everything in a [Build] may come from a pull request of a stranger: names, reasons
// and texts are hostile until a renderer has escaped them for where they go.
package report
