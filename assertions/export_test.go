package assertions

// For the tests of package assertions_test.
var (
	RunPattern  = runPattern
	PackagePath = goPackage
)
