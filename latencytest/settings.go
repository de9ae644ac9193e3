package latencytest

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// Settings are what a person or a CI job sets from outside, by flag or by the
// environment variable of the same meaning; the flag goes first. go test ./...
// refuses flags that one of its packages does not know, so every flag has a twin.
type Settings struct {
	Update        bool   // -latgate.update, LATGATE_UPDATE: add this run to the baseline
	Reason        string // -latgate.reason, LATGATE_REASON: why, kept in the baseline file
	Requests      int    // -latgate.requests, LATGATE_REQUESTS: instead of Plan.Requests
	Seed          uint64 // -latgate.seed, LATGATE_SEED: of shuffles and fakes; 1 when not set
	RunnerClass   string // LATGATE_RUNNER_CLASS: a label of the machines that may be compared
	Region        string // LATGATE_REGION: from where is measured; each region is compared with itself only
	CI            bool   // CI: baselines are not written here ...
	AllowCIUpdate bool   // LATGATE_ALLOW_CI_UPDATE: ... unless this is set as well

	// MaxRequests and MaxUSD are how many requests all tests of a build may make, and
	// how many dollars they may cost, warm-up and second sessions included:
	// LATGATE_MAX_REQUESTS, LATGATE_MAX_USD. Where they would be exceeded, runs end
	// early ([Result.Ended] says so). Without Spent each process keeps them for itself.
	// Zero means no such limit. Dollars need Plan.Prices.
	MaxRequests int
	MaxUSD      float64

	// Spent is the directory in which the processes of a build tell each other what
	// they have spent, LATGATE_SPENT; latgate run sets it.
	Spent string

	// Out is the directory that a build's results are gathered in, LATGATE_OUT: samples
	// and records of checks go to <Out>/<directory of the package>/<Test> then. Empty
	// means that each package keeps its own.
	Out string

	// Record is a pattern of the tests whose exchanges are recorded, -latgate.record,
	// LATGATE_RECORD, for [Replay]; Redact replaces all text in them, LATGATE_REDACT, by
	// default in CI.
	Record string
	Redact bool

	Session *Session // LATGATE_SESSION: only measure; nil when not set
}

var flags struct {
	update   bool
	reason   string
	requests int
	seed     uint64
	record   string
}

// The flags exist in test binaries only: a program that links this package
// keeps its command line to itself.
func init() {
	if !testing.Testing() {
		return
	}
	flag.BoolVar(&flags.update, "latgate.update", false, "latgate: add this run to the baseline (needs -latgate.reason)")
	flag.StringVar(&flags.reason, "latgate.reason", "", "latgate: why the baseline is updated")
	flag.IntVar(&flags.requests, "latgate.requests", 0, "latgate: requests to measure per scenario, instead of the plan's")
	flag.StringVar(&flags.record, "latgate.record", "", "latgate: record the tests that match this pattern")
	flag.Uint64Var(&flags.seed, "latgate.seed", 0, "latgate: seed of the request order and of fakes (default 1)")
}

// ReadSettings returns the settings in force. A variable that cannot be read is
// an error that names it.
func ReadSettings() (Settings, error) { return readSettings(os.LookupEnv) }

// IsRegion reports whether a text can be a region's name, LATGATE_REGION: directories are
// named after it.
func IsRegion(name string) bool { return regionName.MatchString(name) }

var regionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func readSettings(lookup func(string) (string, bool)) (Settings, error) {
	s := Settings{Update: flags.update, Reason: flags.reason, Requests: flags.requests, Seed: flags.seed, Record: flags.record}
	var firstErr error
	if s.Requests < 0 {
		firstErr = fmt.Errorf("-latgate.requests=%d: want a positive number", s.Requests)
	}
	variable := func(name string, parse func(string) error) {
		text, ok := lookup(name)
		if !ok || text == "" {
			return
		}
		if err := parse(text); err != nil && firstErr == nil {
			firstErr = fmt.Errorf("%s=%q: %w", name, text, err)
		}
	}
	boolean := func(into *bool) func(string) error {
		return func(text string) (err error) {
			value, err := strconv.ParseBool(text)
			*into = *into || value
			return err
		}
	}
	variable("LATGATE_UPDATE", boolean(&s.Update))
	variable("LATGATE_ALLOW_CI_UPDATE", boolean(&s.AllowCIUpdate))
	variable("CI", func(text string) error { // some services put their name here
		value, err := strconv.ParseBool(text)
		s.CI = value || err != nil
		return nil
	})
	s.Redact = s.CI
	variable("LATGATE_REDACT", func(text string) (err error) {
		s.Redact, err = strconv.ParseBool(text)
		return err
	})
	if s.Record == "" {
		variable("LATGATE_RECORD", func(text string) error { s.Record = text; return nil })
	}
	variable("LATGATE_RUNNER_CLASS", func(text string) error { s.RunnerClass = text; return nil })
	variable("LATGATE_REGION", func(text string) error {
		if !IsRegion(text) {
			return errors.New("want a name of letters, digits, dots and dashes, such as eu-west-1")
		}
		s.Region = text
		return nil
	})
	if s.Reason == "" {
		variable("LATGATE_REASON", func(text string) error { s.Reason = text; return nil })
	}
	if s.Requests == 0 {
		variable("LATGATE_REQUESTS", func(text string) (err error) {
			s.Requests, err = strconv.Atoi(text)
			if err == nil && s.Requests < 1 {
				err = fmt.Errorf("want a positive number")
			}
			return err
		})
	}
	if s.Seed == 0 {
		variable("LATGATE_SEED", func(text string) (err error) {
			s.Seed, err = strconv.ParseUint(text, 10, 64)
			return err
		})
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	directory := func(into *string) func(string) error {
		return func(text string) error {
			if !filepath.IsAbs(text) {
				return errors.New("want an absolute path: tests run in their packages' directories")
			}
			*into = text
			return nil
		}
	}
	variable("LATGATE_OUT", directory(&s.Out))
	variable("LATGATE_SPENT", directory(&s.Spent))
	variable("LATGATE_MAX_REQUESTS", func(text string) (err error) {
		s.MaxRequests, err = strconv.Atoi(text)
		if err == nil && s.MaxRequests < 1 {
			err = fmt.Errorf("want a positive number")
		}
		return err
	})
	variable("LATGATE_MAX_USD", func(text string) (err error) {
		s.MaxUSD, err = strconv.ParseFloat(text, 64)
		if err == nil && !(s.MaxUSD > 0 && s.MaxUSD <= math.MaxFloat64) {
			err = fmt.Errorf("want a positive number of dollars")
		}
		return err
	})
	variable(SessionVariable, func(text string) (err error) {
		s.Session, err = parseSession(text)
		return err
	})
	// A CI run's number changes with every run: reading it keeps go test from
	// reusing a cached result of an earlier one.
	lookup("GITHUB_RUN_ID")
	return s, firstErr
}

// Seed returns the seed in force: -latgate.seed, LATGATE_SEED, or 1. Fakes with
// a random script take it too, so that one number decides a whole run.
func Seed() uint64 {
	s, err := ReadSettings()
	if err != nil {
		return 1 // Run reports the error
	}
	return s.Seed
}
