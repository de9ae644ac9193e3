package baseline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// Values returns what a scenario counts in a comparison or against a limit: the
// metric of every request that ended OK, and the time limit of those that hit it.
func Values(s *latencytest.Scenario, m latencytest.Metric) []float64 {
	var values []float64
	for i := range s.Samples {
		if v, ok := gateValue(&s.Samples[i], m); ok {
			values = append(values, v)
		}
	}
	return values
}

// Invalid says why a scenario's values of a metric say nothing about the endpoint:
// requests failed, none of them has one, or the run did not measure what it set out
// to. It is empty where the values are good.
func Invalid(s *latencytest.Scenario, m latencytest.Metric) string {
	n, failed, values := len(s.Samples), s.Failed(), Values(s, m)
	switch {
	case n == 0:
		return "no request was measured"
	case tooManyFailed(failed, n):
		return fmt.Sprintf("%d of %d requests failed (%s): latencies are invalid from %.0f %%", failed, n, s.Ends(), 100*invalidShare)
	case len(values) == 0:
		return fmt.Sprintf("none of %d requests has a value of %v", n, m)
	case s.Invalid() != "":
		return s.Invalid()
	case slices.Min(values) <= 0:
		return fmt.Sprintf("a request has a %v of 0: there are no ratios to that", m)
	}
	return ""
}

// NotRecorded says what a replay asked for that its recording does not hold, "" where
// it has all: the code asks something else than when it was recorded, so that none of
// its times means anything.
func NotRecorded(s *latencytest.Scenario) string {
	misses := 0
	example := ""
	for i := range s.Samples {
		if s.Samples[i].Class == providers.NotRecorded {
			if misses++; example == "" {
				example = s.Samples[i].Error
			}
		}
	}
	if misses == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d operations asked for what is not recorded: %s", misses, len(s.Samples), example)
}

// incomparable returns the verdict of a question that statistics cannot answer,
// and an empty one for all others.
func incomparable(s *latencytest.Scenario, store Store, runs []*Run, q Question) (Verdict, string, error) {
	if reason := NotRecorded(s); reason != "" {
		return CassetteMiss, reason, nil
	}
	if reason := Invalid(s, q.Metric); reason != "" {
		return Infrastructure, reason, nil
	}
	if len(runs) == 0 {
		return nothingStored(s, store)
	}
	for _, run := range runs {
		if len(run.Values(q.Metric)) > 0 {
			return "", "", nil
		}
	}
	return Missing, fmt.Sprintf("the %d stored runs hold no %v: it was not gated when they were recorded", len(runs), q.Metric), nil
}

// nothingStored tells a scenario that was never recorded from one that was
// recorded under another key, and names the fields of the nearest. Another
// environment is no mistake of anybody's: each has a baseline of its own.
func nothingStored(s *latencytest.Scenario, store Store) (Verdict, string, error) {
	key := KeyOf(s)
	stored, err := store.Keys(key)
	if err != nil {
		return "", "", err
	}
	var nearest []Mismatch
	for _, other := range stored {
		if m := key.Mismatches(other); nearest == nil || len(m) < len(nearest) {
			nearest = m
		}
	}
	if nearest == nil {
		return Missing, "there is no baseline yet", nil
	}
	if len(nearest) == 1 && nearest[0].Name == "environment" {
		return Missing, fmt.Sprintf("there is no baseline for the environment %q yet, there is one for %q", nearest[0].Want, nearest[0].Have), nil
	}
	parts := make([]string, len(nearest))
	for i, m := range nearest {
		parts[i] = m.String()
	}
	return Incomparable, "what is stored was measured otherwise: " + strings.Join(parts, "; "), nil
}
