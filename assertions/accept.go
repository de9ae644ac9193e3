package assertions

import (
	"errors"
	"fmt"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/report"
)

// update adds a result to its baseline, as somebody asked for and said why.
func (g gates) update(res *latencytest.Result, store baseline.Store, settings latencytest.Settings) ([]answer, error) {
	if settings.CI && !settings.AllowCIUpdate {
		return nil, errors.New("a baseline is not updated in CI: update it where the change can be reviewed, or set LATGATE_ALLOW_CI_UPDATE=1 as well")
	}
	paths, err := g.accept(res, store, settings.Reason)
	var answers []answer
	for _, path := range paths {
		text := fmt.Sprintf("%s: %s is in the baseline, reason: %s", baseline.Accepted, path, providers.Scrub(settings.Reason))
		answers = append(answers, answer{Row: report.Row{Gate: "update", Verdict: baseline.Accepted, Text: text, Baseline: path}})
	}
	return answers, err
}

// begin makes a result the first run of its baseline.
func (g gates) begin(res *latencytest.Result, store baseline.Store) ([]answer, error) {
	if len(res.Scenarios) == 0 {
		return nil, nil
	}
	paths, err := g.accept(res, store, "first run")
	if errors.Is(err, baseline.ErrTooFew) {
		text := fmt.Sprintf("there is no baseline, and none was created: %v", err)
		return []answer{{Row: report.Row{Gate: "update", Verdict: baseline.Missing, Text: text}, warns: true}}, nil
	}
	var answers []answer
	for _, path := range paths {
		text := fmt.Sprintf("there was no baseline: it was created as %s. Review it, commit it, and add runs of other days "+
			"until there are five: -latgate.update -latgate.reason='another day'", path)
		answers = append(answers, answer{Row: report.Row{Gate: "update", Verdict: baseline.Missing, Text: text, Baseline: path}})
	}
	return answers, err
}

func (g gates) accept(res *latencytest.Result, store baseline.Store, reason string) ([]string, error) {
	var metrics []latencytest.Metric
	for _, q := range g.questions {
		metrics = append(metrics, q.Metric)
	}
	for _, share := range g.shares {
		metrics = append(metrics, share.metric)
	}
	return baseline.Accept(res, store, reason, metrics...)
}
