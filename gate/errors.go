package gate

import (
	"errors"
	"strings"

	"github.com/latgate/latgate/report"
)

// An IncomparableError says that what there is does not belong together, or that it is
// not known what to compare with.
type IncomparableError struct{ Reason string }

func (e *IncomparableError) Error() string { return e.Reason }

// A CredentialsError says that a mode was asked for that measures live, and that what
// it needs is not there.
type CredentialsError struct {
	Mode report.Mode
	Need []string // environment variables
}

func (e *CredentialsError) Error() string {
	return "the mode " + string(e.Mode) + " measures a live endpoint, and there are no credentials for one: set " +
		strings.Join(e.Need, " or ") + ", or list what your endpoint needs as credentials in " + ConfigName
}

// ExitCode returns what an error of this package means for the build, and fallback for
// one that means nothing special.
func ExitCode(err error, fallback int) int {
	if _, is := errors.AsType[*ShallowError](err); is {
		return report.ExitIncomparable
	}
	if _, is := errors.AsType[*IncomparableError](err); is {
		return report.ExitIncomparable
	}
	if _, is := errors.AsType[*CredentialsError](err); is {
		return report.ExitInfrastructure
	}
	return fallback
}
