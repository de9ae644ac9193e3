package markdown

import (
	"fmt"
	"io"
	"strings"

	"github.com/latgate/latgate/report"
)

// MaxComment is how long a comment may be, in bytes. GitHub refuses one of more than
// 65,536 characters.
const MaxComment = 60_000

// Comment writes the comment of a pull request: the verdict, the rows that are not
// simply passed, worst first, what to do, and the others folded. One that would be
// longer than [MaxComment] is replaced by a short form. It begins with [Marker].
func Comment(w io.Writer, b *report.Build, o Options) error {
	marker, err := Marker(o.Name)
	if err != nil {
		return err
	}
	marker += fmt.Sprintf("head=%s -->\n", commit(b.Head))
	body := marker + comment(b, o)
	if len(body) > MaxComment {
		body = marker + short(b, o)
	}
	_, err = io.WriteString(w, body)
	return err
}

func comment(b *report.Build, o Options) string {
	var s strings.Builder
	s.WriteString(head(b, o))
	told, passed := split(b)
	if len(told) > 0 {
		s.WriteString("\n" + tableHead)
		for _, r := range told {
			s.WriteString(tableRow(r, 160))
		}
		s.WriteString("\n")
		for _, r := range told {
			s.WriteString(why(r, 300))
		}
		s.WriteString(next(told))
	}
	if len(passed) > 0 {
		fmt.Fprintf(&s, "\n<details><summary>%d passed</summary>\n\n%s", len(passed), tableHead)
		for _, r := range passed {
			s.WriteString(tableRow(r, 160))
		}
		s.WriteString("\n</details>\n")
	}
	s.WriteString(foot(b, o))
	return s.String()
}

// short is the comment of a build that has too much to tell.
func short(b *report.Build, o Options) string {
	const most = 20
	var s strings.Builder
	s.WriteString(head(b, o))
	told, _ := split(b)
	if len(told) > 0 {
		s.WriteString("\n" + tableHead)
	}
	for _, r := range first(told, most) {
		s.WriteString(tableRow(r, 80))
	}
	if more := len(told) - most; more > 0 {
		fmt.Fprintf(&s, "\n%d more are in the summary of the run.\n", more)
	}
	s.WriteString("\nThis is the short form: the whole is in the summary and the artifacts of the run.\n" + foot(b, o))
	return s.String()
}

// split returns the rows to tell of and those that simply passed, both worst first.
func split(b *report.Build) (told, passed []report.Row) {
	for _, r := range b.Ranked() {
		if report.Passing(r.Verdict) {
			passed = append(passed, r)
		} else {
			told = append(told, r)
		}
	}
	return told, passed
}

// head is the title and the line on what was measured.
func head(b *report.Build, o Options) string {
	title, plea := "❌", ", please read"
	switch {
	case b.Clean():
		title, plea = "✅", ""
	case b.ExitCode == report.ExitPass:
		title, plea = "📝", ""
	case b.ExitCode == report.ExitInconclusive:
		title, plea = "❔", ""
	case b.ExitCode == report.ExitInfrastructure:
		title, plea = "⚠️", ""
	}
	facts := []string{"**" + mode(b.Mode) + "**"}
	if b.Base != "" || b.Head != "" {
		facts = append(facts, fmt.Sprintf("base `%s`, head `%s`", commit(b.Base), commit(b.Head)))
	}
	facts = append(facts, fmt.Sprintf("%d requests, %d failed", b.Requests, b.Failed))
	if b.Dollars > 0 {
		facts = append(facts, fmt.Sprintf("$%.3g", b.Dollars))
	}
	for _, l := range []string{link("run", o.Run), link("report", o.Report)} {
		if l != "" {
			facts = append(facts, l)
		}
	}
	s := fmt.Sprintf("### %s Latency: %s%s\n\n%s\n", title, b.Headline(), plea, strings.Join(facts, " · "))
	if b.Mode == report.Replay {
		s += "\nThe provider was **not** measured: the code ran against recordings.\n"
	}
	for _, line := range first(b.Relaxed, 10) {
		s += "\n⚠️ Allowed to pass: " + code(line, 300) + "\n"
	}
	return s
}

func mode(m report.Mode) string {
	switch m {
	case report.Replay:
		return "replay"
	case report.Stored:
		return "live against stored runs"
	case report.AB:
		return "live A/B"
	case report.Track:
		return "live against the history"
	}
	return "unknown mode"
}

// next says what to do about the rows: the commands of the worst one.
func next(told []report.Row) string {
	var steps []string
	for _, step := range []struct {
		text    string
		command func(report.Row) string
	}{
		{"Measure once more:", func(r report.Row) string { return r.Again }},
		{"Intended? Accept it, and commit the diff of the baseline for review:", func(r report.Row) string { return r.Accept }},
	} {
		for _, r := range told {
			if command := report.Command(step.command(r)); command != "" {
				steps = append(steps, fmt.Sprintf("%d. %s\n%s", len(steps)+1, step.text, block("   ", []string{command})))
				break
			}
		}
	}
	if len(steps) == 0 {
		return ""
	}
	return "\n**Next:**\n\n" + strings.Join(steps, "")
}

// foot says how to take the verdict.
func foot(b *report.Build, o Options) string {
	foot := "The gate's own test decides, not benchstat's p."
	if o.Fork {
		foot += " A fork's run says what the fork wants it to: this is advisory until a run of this repository has judged."
	}
	if tool := code(b.Tool, 40); tool != "" {
		foot += " Judged by latgate " + tool + "."
	}
	return "\n" + foot + "\n"
}
