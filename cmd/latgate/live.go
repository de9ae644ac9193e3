package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// A view shows how far a run has come: on a terminal in a few lines that are drawn
// anew in their place, elsewhere in lines of a log. It never changes the terminal's
// mode and leaves the cursor below its lines, so that nothing has to be restored
// when the process is killed.
type view struct {
	out   io.Writer
	size  func() (width, height int, terminal bool)
	quiet bool

	mu    sync.Mutex
	title string // of one of several runs
	last  latencytest.Progress
	note  string
	drawn int // lines on the terminal
	over  bool
}

// every returns how often the view wants to be shown.
func (v *view) every() time.Duration {
	if _, _, terminal := v.size(); terminal {
		return 250 * time.Millisecond
	}
	return 10 * time.Second
}

// begin shows that another run begins.
func (v *view) begin(title string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.title, v.note, v.over, v.last = title, "", false, latencytest.Progress{Warmup: true}
	if v.quiet {
		return
	}
	if _, _, terminal := v.size(); terminal {
		v.draw()
	} else {
		fmt.Fprintln(v.out, plain(title))
	}
}

// show is for [latencytest.Plan.Progress].
func (v *view) show(p latencytest.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last, v.over = p, p.Last
	if v.quiet {
		return
	}
	if _, _, terminal := v.size(); terminal {
		v.draw()
	} else if !p.Last { // the table follows
		fmt.Fprintln(v.out, plain(p.String()))
	}
}

// say shows a notice.
func (v *view) say(notice string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _, terminal := v.size()
	if v.note = notice; terminal && !v.quiet && !v.over {
		v.draw()
	} else {
		fmt.Fprintln(v.out, plain("latgate: "+notice))
	}
}

// draw replaces what is on the terminal, with one write.
func (v *view) draw() {
	width, height, _ := v.size()
	var lines []string
	if !v.over {
		lines = frame(v.last)
		if v.title != "" {
			lines = append([]string{v.title}, lines...)
		}
		if v.note != "" {
			lines = append(lines, v.note)
		}
	}
	lines = lines[:min(len(lines), max(1, height-1))]
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn) // up
	}
	b.WriteString("\r\x1b[J") // clears what is below
	for _, line := range lines {
		b.WriteString(cut(plain(line), width-1) + "\n")
	}
	v.drawn = len(lines)
	_, _ = io.WriteString(v.out, b.String()) // the run goes on without its view
}

// frame returns the lines that show p.
func frame(p latencytest.Progress) []string {
	if p.Warmup {
		return []string{"warming up"}
	}
	lines := []string{headline(p)}
	for _, s := range p.Scenarios {
		lines = append(lines, scenarioLines(s, len(p.Scenarios) > 1)...)
	}
	return lines
}

const barLength = 30

// headline is "[=======>      ] 120/400, 34s, about 1m20s left".
func headline(p latencytest.Progress) string {
	parts := []string{fmt.Sprintf("%d requests", p.Done)}
	if p.Planned > 0 {
		parts[0] = fmt.Sprintf("%d/%d requests", p.Done, p.Planned)
	}
	parts = append(parts, p.Elapsed.Round(time.Second).String())
	if p.Left == 0 {
		return strings.Join(parts, ", ")
	}
	parts = append(parts, fmt.Sprintf("about %v left", p.Left.Round(time.Second)))
	done := int(barLength * p.Elapsed / (p.Elapsed + p.Left))
	bar := strings.Repeat("=", done) + ">" + strings.Repeat(" ", barLength-done)
	return "[" + bar[:barLength] + "] " + strings.Join(parts, ", ")
}

func scenarioLines(s latencytest.Running, named bool) []string {
	rates := fmt.Sprintf("%.4g requests/min, %.4g tok/s", s.Rates.Completed, s.Rates.Tokens)
	if s.Cost > 0 {
		rates += fmt.Sprintf(", $%.4g", s.Cost)
	}
	if named {
		rates = providers.Scrub(s.Name) + ": " + rates
	}
	lines := []string{rates}
	var quantiles, failures []string
	for _, q := range s.Quantiles {
		quantiles = append(quantiles, fmt.Sprintf("%v P50 %s P90 %s", q.Metric, q.Metric.Format(q.P50), q.Metric.Format(q.P90)))
	}
	if len(quantiles) > 0 {
		lines = append(lines, "  "+strings.Join(quantiles, ", "))
	}
	for _, class := range providers.Classes[1:] {
		if n := s.Counts[class]; n > 0 {
			failures = append(failures, fmt.Sprintf("%s %d", class, n))
		}
	}
	if len(failures) > 0 {
		lines = append(lines, "  failed: "+strings.Join(failures, ", "))
	}
	return lines
}

// cut shortens a line to so many columns: a longer one would take two, and the view
// would climb. What is not ASCII is taken to be two columns wide.
func cut(line string, columns int) string {
	for i, r := range line {
		if columns--; r > '~' {
			columns--
		}
		if columns < 0 {
			return line[:i]
		}
	}
	return line
}
