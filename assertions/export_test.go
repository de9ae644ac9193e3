package assertions

import "github.com/latgate/latgate/latencytest"

// For the tests of package assertions_test.
var (
	RunPattern  = runPattern
	PackagePath = func() string { return goPackage(latencytest.PackageDir()) }
)
