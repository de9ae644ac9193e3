package report

import "github.com/latgate/latgate/baseline"

// The exit codes of a build, by cause.
const (
	ExitPass           = 0
	ExitInternal       = 1
	ExitUsage          = 2
	ExitRegression     = 10
	ExitBudget         = 11
	ExitMissing        = 12
	ExitIncomparable   = 13
	ExitInconclusive   = 14
	ExitInfrastructure = 15
	ExitTampered       = 16
	ExitCassetteMiss   = 17
)

// exitCodes are all of them.
var exitCodes = []int{
	ExitPass, ExitInternal, ExitUsage, ExitRegression, ExitBudget, ExitMissing, ExitIncomparable,
	ExitInconclusive, ExitInfrastructure, ExitTampered, ExitCassetteMiss,
}

// severity orders the verdicts, the worst first.
var severity = []struct {
	verdict baseline.Verdict
	exit    int
}{
	{baseline.Tampered, ExitTampered},
	{baseline.OverBudget, ExitBudget},
	{baseline.Regression, ExitRegression},
	{baseline.Infrastructure, ExitInfrastructure},
	{baseline.Incomparable, ExitIncomparable},
	{baseline.Missing, ExitMissing},
	{baseline.CassetteMiss, ExitCassetteMiss},
	{baseline.Inconclusive, ExitInconclusive},
	{baseline.Accepted, ExitPass},
	{baseline.Improved, ExitPass},
	{baseline.Pass, ExitPass},
}

// ExitCode returns the exit code of one verdict, and [ExitInternal] for what is none.
func ExitCode(v baseline.Verdict) int {
	if i := rank(v); i < len(severity) {
		return severity[i].exit
	}
	return ExitInternal
}

// Worst returns the verdict that a build with these has: 16, 11, 10, 15, 13, 12, 17,
// 14, and only then the passing ones. It is empty where there are none.
func Worst(verdicts ...baseline.Verdict) baseline.Verdict {
	var worst baseline.Verdict
	for _, v := range verdicts {
		if worst == "" || rank(v) < rank(worst) {
			worst = v
		}
	}
	return worst
}

// rank is the verdict's place in severity; the length of it for what is none.
func rank(v baseline.Verdict) int {
	for i, s := range severity {
		if s.verdict == v {
			return i
		}
	}
	return len(severity)
}
