package markdown

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Options are what a build does not know of itself.
type Options struct {
	// Name tells the comments of several gates of one repository apart: letters,
	// digits, dots, dashes and underscores. The zero value means "default".
	Name string

	// Run and Report are the addresses of the CI run and of a whole report. Neither is
	// printed unless it is a plain one of http or https.
	Run, Report string

	// Fork says that the run was one of a fork, which controls all that it says.
	Fork bool
}

var (
	names   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)
	commits = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// Marker returns the start of every comment of that name: an HTML comment that is not
// shown, without its end. A comment that begins with it is to be updated.
func Marker(name string) (string, error) {
	if name == "" {
		name = "default"
	}
	if !names.MatchString(name) || strings.Contains(name, "--") { // which ends an HTML comment
		return "", fmt.Errorf("the name of the comment, %.60q: want letters, digits, dots, single dashes and underscores", name)
	}
	return "<!-- latgate:v1:" + name + " ", nil
}

// link returns a Markdown link, or "" for an address that is no plain one.
func link(text, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(address, "<>()[]\\|`\"' \t\r\n") {
		return ""
	}
	return fmt.Sprintf("[%s](%s)", text, u)
}

// commit abbreviates a commit as git does; something else is "unknown".
func commit(name string) string {
	if !commits.MatchString(name) {
		return "unknown"
	}
	return name[:7]
}
