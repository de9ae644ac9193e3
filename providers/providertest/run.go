package providertest

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

// Run checks the provider of c, in one subtest for each thing checked, in virtual
// time. It reports everything that is wrong.
func Run(t *testing.T, c Case) {
	t.Helper()
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	for _, check := range checksOf(c) {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, failure := range check.failures(c) {
					t.Error(failure)
				}
			})
		})
	}
}

// validate says what is missing for the checks to make sense.
func (c Case) validate() error {
	pieces := len(c.Stream.Pieces)
	w := c.Want
	switch {
	case c.New == nil:
		return fmt.Errorf("providertest: Case.New is nil")
	case pieces == 0:
		return fmt.Errorf("providertest: Case.Stream has no pieces")
	case w.First < 0 || w.First > w.Last || w.Last >= pieces || w.Terminal < 0 || w.Terminal >= pieces:
		return fmt.Errorf("providertest: Case.Want: First, Last and Terminal are indexes of the %d pieces of Stream", pieces)
	case c.NewUnary != nil && len(c.Unary.Pieces) == 0:
		return fmt.Errorf("providertest: Case.NewUnary without Unary")
	}
	return nil
}

// A check is one property of a provider. Its function is called in a bubble of
// virtual time.
type check struct {
	name string
	run  func(*trial)
}

// checksOf returns the checks that apply to c.
func checksOf(c Case) []check {
	checks := []check{
		{"stream", checkStream},
		{"reads", checkReads},
		{"gzip", checkGzip},
		{"request", checkRequest},
		{"address", checkAddress},
		{"concurrent", checkConcurrent},
		{"cancelled", checkCancelled},
		{"connection refused", checkRefused},
		{"connection broken", checkBroken},
		{"refusals", checkRefusals},
		{"another's reply", checkOthers},
		{"truncated", checkTruncated},
		{"changed at random", checkMutations},
		{"garbage", checkGarbage},
		{"decode", checkDecode},
		{"describe", checkDescribe},
	}
	if !c.Want.EndsWithBody {
		checks = append(checks, check{"connection left open", checkLeftOpen})
	}
	if len(c.Empty.Pieces) > 0 {
		checks = append(checks, check{"empty", checkEmpty})
	}
	for i, e := range c.Errors {
		name := e.Name
		if name == "" {
			name = fmt.Sprint(i)
		}
		checks = append(checks, check{"error/" + name, func(t *trial) { checkError(t, e) }})
	}
	if c.NewUnary != nil {
		checks = append(checks, check{"unary", checkUnary})
	}
	return checks
}

// failures runs the check. A panic of the provider is a failure.
func (k check) failures(c Case) []string {
	t := &trial{Case: c}
	func() {
		defer t.recovered("the check")
		k.run(t)
	}()
	if more := t.count - len(t.failures); more > 0 {
		t.failures = append(t.failures, fmt.Sprintf("... and %d more", more))
	}
	return t.failures
}

// enough failures of one kind have been listed.
const enough = 8

// A trial is one check of one provider, and what it found.
type trial struct {
	Case

	mu       sync.Mutex
	failures []string
	count    int
}

func (t *trial) errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count++; t.count <= enough {
		t.failures = append(t.failures, fmt.Sprintf(format, args...))
	}
}

// recovered makes a panic a failure. It is to be deferred.
func (t *trial) recovered(where string) {
	if p := recover(); p != nil {
		t.errorf("%s panicked: %v", where, p)
	}
}
