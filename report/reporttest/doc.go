// Package reporttest has builds for the tests of the packages that write reports: an
// ordinary one, and ones whose every text is an attack.
//
//	for name, attack := range reporttest.Attacks {
//		err := markdown.Comment(&out, reporttest.Hostile(attack), markdown.Options{})
//		...
//	}
package reporttest
