package providers

import (
	"regexp"
	"strings"
	"unicode"
)

// What Scrub takes and returns at most, in bytes. It looks at no more than that,
// since an endpoint decides how long its error texts are.
const (
	scrubbedFrom = 4 << 10
	scrubbed     = 300
)

// secrets match while line ends are still to be seen.
var secrets = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// User and password before a host: a password with a slash in it, which is not
	// to be taken for a port and a path; any other; and without a scheme.
	{regexp.MustCompile(`://[^\s/?#"'@:]*:[0-9]*[^\s0-9/"'@][^\s"']*@`), "://***@"},
	{regexp.MustCompile(`://[^\s/?#"']*@`), "://***@"},
	{regexp.MustCompile(`[^\s/"'@:]+:[^\s/"'@]+@`), "***@"},

	{regexp.MustCompile(`(?i)\b([a-z0-9_-]*cookie[a-z0-9_-]*[\\"']*\s*[=:]\s*)[^\r\n]+`), "$1***"},
	{regexp.MustCompile(`(?i)\barn:[a-z0-9-]*:[^\s"',]+`), "arn:***"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[^\s"',]+`), "$1 ***"},
	{regexp.MustCompile(`(?i)\b([a-z0-9_-]*(?:key|token|secret|signature|credential|password)[a-z0-9_-]*[\\"']*\s*[=:]\s*[\\"']*)[^\s"'&,]+`), "$1***"},
	{regexp.MustCompile(`\b(?:sk|pk|rk|xai|gsk)-[A-Za-z0-9_-]{8,}`), "***"},
	{regexp.MustCompile(`\b(?:AKIA|ASIA|AIza|ABSK)[A-Za-z0-9_-]{8,}`), "***"},
	{regexp.MustCompile(`(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{12,}`), "***"},
	{regexp.MustCompile(`(^|[^A-Za-z])eyJ[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*)*`), "$1***"}, // JSON in base64: a JWT, or a part of one
	{regexp.MustCompile(`\b\d{12}\b`), "***"},
}

// escapes would hide an ARN, or another URL, in a URL.
var escapes = strings.NewReplacer("%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%40", "@")

// Scrub makes an error text fit to be stored and printed: what looks like a
// credential, an ARN or an account id is replaced, the rest is made [Inert] and cut
// at 300 bytes. Error texts quote requests, and requests hold secrets. What comes
// after 4 KiB is not even looked at.
func Scrub(text string) string {
	long := len(text) > scrubbedFrom
	if long {
		text = text[:scrubbedFrom]
		if end := strings.LastIndexAny(text, " \t\r\n\"',"); end >= 0 {
			text = text[:end] // half a secret does not look like one
		}
	}
	text = escapes.Replace(strings.Map(func(r rune) rune {
		if isControl(r) && r != '\r' && r != '\n' {
			return ' '
		}
		return r
	}, text))
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.instead)
	}
	text = Inert(text)
	if len(text) > scrubbed {
		text, long = strings.ToValidUTF8(text[:scrubbed], ""), true
	}
	if long {
		text += "…"
	}
	return text
}

// Inert makes a text harmless to print in a log, without hiding or cutting
// anything: control characters and line ends of any kind become spaces, the "::"
// and "##" that commands to a CI system start with are broken up, and invalid
// UTF-8 is replaced.
func Inert(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	var previous rune
	for _, r := range text { // an invalid byte comes as U+FFFD
		if isControl(r) {
			r = ' '
		}
		if r == previous && (r == ':' || r == '#') {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		previous = r
	}
	return b.String()
}

// isControl reports whether r can end a line or otherwise act on a terminal, or
// turns the direction of what follows, so that a line reads as another.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
