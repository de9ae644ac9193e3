package custom

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// variable matches ${NAME}.
var variable = regexp.MustCompile(`\$\{([^{}]*)\}`)

// expand puts the values of environment variables in the place of their names. The
// errors name the variables, never values. Line ends after a value, such as files
// of secrets have, are left out.
func expand(s string) (string, error) {
	var errs []error
	expanded := variable.ReplaceAllStringFunc(s, func(found string) string {
		name := found[2 : len(found)-1]
		value := strings.TrimRight(os.Getenv(name), "\r\n")
		if value == "" {
			errs = append(errs, fmt.Errorf("the environment variable %s is not set", name))
		}
		return value
	})
	return expanded, errors.Join(errs...)
}
