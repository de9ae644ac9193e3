package providers

import (
	"regexp"
	"strings"
	"unicode"
)

// scrubbed is the longest text that Scrub returns, in bytes.
const scrubbed = 300

var secrets = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\barn:[a-z0-9-]*:[^\s"',]+`), "arn:***"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[^\s"',]+`), "$1 ***"},
	{regexp.MustCompile(`(?i)\b([a-z0-9_-]*(?:key|token|secret|signature|credential|password)[a-z0-9_-]*["']?\s*[=:]\s*["']?)[^\s"'&,]+`), "$1***"},
	{regexp.MustCompile(`\b(?:sk|pk|rk|xai|gsk)-[A-Za-z0-9_-]{8,}`), "***"},
	{regexp.MustCompile(`\b(?:AKIA|ASIA|AIza|ABSK)[A-Za-z0-9_-]{8,}`), "***"},
	{regexp.MustCompile(`\b\d{12}\b`), "***"},
}

// escapes would hide an ARN in a URL.
var escapes = strings.NewReplacer("%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/")

// Scrub makes an error text fit to be stored and printed: what looks like a
// credential, an ARN or an account id is replaced, control characters (line ends
// among them, which could start a CI log command) become spaces, and the rest is
// cut at 300 bytes. Error texts quote requests, and requests hold secrets.
func Scrub(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	text = escapes.Replace(text)
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.instead)
	}
	text = strings.NewReplacer("::", ": :", "##[", "## [").Replace(text)
	if len(text) > scrubbed {
		text = strings.ToValidUTF8(text[:scrubbed], "") + "…"
	}
	return text
}
