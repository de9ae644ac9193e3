package report

import (
	"regexp"
	"strings"

	"github.com/latgate/latgate/providers"
)

// Line makes a text of a build one line, of at most so many bytes, that is harmless
// to print: see [providers.Inert]. A text that was longer has an "…" after them. A
// renderer still has to escape what its own format gives a meaning to.
func Line(text string, most int) string {
	cut := len(text) > most
	if cut {
		text = strings.ToValidUTF8(text[:most], "")
	}
	text = providers.Inert(text) // may be longer, by the spaces that break commands up
	if len(text) > most {
		text, cut = strings.ToValidUTF8(text[:most], ""), true
	}
	text = strings.TrimSpace(text)
	if cut {
		text += "…"
	}
	return text
}

// Lines is [Line] for each line of a text, of which at most so many are returned.
func Lines(text string, lines, most int) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if len(out) == lines {
			return append(out, "…")
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if line = Line(line, most); line != "" {
			out = append(out, strings.Repeat(" ", min(indent, 8))+line)
		}
	}
	return out
}

const (
	word   = `[\w.@/=+-]+`
	quoted = `'(?:[^'[:cntrl:]]|'\\'')*'` // for a shell
)

// commands are the forms of those that latgate itself writes.
var commands = []*regexp.Regexp{
	regexp.MustCompile(`^go test \.(?:/[\w.@~+-]+)* -run ` + quoted + ` -count=1(?: -latgate\.(?:seed|requests)=\d+)*(?: -v)?(?: -latgate\.update -latgate\.reason=` + quoted + `)?$`),
	regexp.MustCompile(`^(?:go tool )?latgate accept(?: ` + word + `| ` + quoted + `)*$`),
}

// Command returns a command of a row, where it is of a form that latgate itself
// writes, and "" otherwise. People copy commands out of reports, and flags of go test
// such as -exec start any program: a stranger's build must not be able to offer one.
func Command(text string) string {
	if len(text) > 1000 || providers.Inert(text) != text {
		return ""
	}
	for _, form := range commands {
		if form.MatchString(text) {
			return text
		}
	}
	return ""
}
