package gitlab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/report"
)

// A finding is one of Code Climate's format, as far as GitLab reads it.
type finding struct {
	Description string   `json:"description"`
	CheckName   string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// CodeQuality writes a finding for each row that fails or is inconclusive, the worst
// first. A finding keeps its fingerprint while lines move and values change, so that
// GitLab sees it being resolved.
func CodeQuality(w io.Writer, b *report.Build) error {
	findings := []finding{} // [] and not null
	seen := make(map[string]bool)
	for _, r := range b.Ranked() {
		print := fingerprint(r)
		if severityOf(r.Verdict) == "" || seen[print] {
			continue
		}
		seen[print] = true
		f := finding{Description: description(r), CheckName: checkName(r), Fingerprint: print, Severity: severityOf(r.Verdict)}
		f.Location.Path, f.Location.Lines.Begin = file(r.File), max(r.Line, 1)
		findings = append(findings, f)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(findings)
}

func severityOf(v baseline.Verdict) string {
	switch v {
	case baseline.Tampered:
		return "critical"
	case baseline.Regression, baseline.OverBudget:
		return "major"
	case baseline.Inconclusive, baseline.Infrastructure:
		return "info"
	}
	if report.Fails(v) {
		return "minor"
	}
	return ""
}

// fingerprint is the identity of a row: of the gate its name and what it is about, not
// the limit in it.
func fingerprint(r report.Row) string {
	name, _, _ := strings.Cut(r.Gate, "(")
	parts := []string{r.Package, r.Test, r.Plan, r.Scenario, name}
	if r.Region != "" {
		parts = append(parts, r.Region)
	}
	if r.Quantity != nil {
		parts = append(parts, r.Quantity.String(), fmt.Sprint(strings.HasSuffix(r.Gate, ", pinned)")))
	} else if name != "ErrorRate" {
		parts = append(parts, r.Gate)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func description(r report.Row) string {
	text := report.Line(r.Asked(), 100)
	if r.Comparison != nil && r.Comparison.Change() != "" {
		text += " " + r.Comparison.Change()
	}
	if limit := report.Line(r.Allowed(), 40); limit != "" {
		text += " (limit " + limit + ")"
	}
	text += ": " + report.Line(string(r.Verdict), 40) + " in " + report.Line(r.Name(), 200)
	if reason := report.Line(r.Reason, 300); reason != "" {
		text += ": " + reason
	}
	return text
}

// checkName is "latgate/p90-ttft".
func checkName(r report.Row) string {
	name, _, _ := strings.Cut(r.Asked(), "(")
	return "latgate/" + strings.ToLower(strings.ReplaceAll(identifier(name), "_", "-"))
}

// file is where a finding is shown. GitLab leaves out those without a place.
func file(name string) string {
	name = path.Clean("/" + report.Line(name, 300))[1:]
	if name == "" {
		return "go.mod"
	}
	return name
}
