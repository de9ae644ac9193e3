package main

import (
	"fmt"
	"strconv"
	"strings"
)

// share reads a flag's value that is a part of one: "5%" or "0.05".
func share(flag, text string) (float64, error) {
	digits, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	value, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if isPercent {
		value /= 100
	}
	switch {
	case err == nil && value > 0 && value < 1, err == nil && isPercent && value > 0 && value <= 10:
		return value, nil
	}
	return 0, fmt.Errorf("--%s: want a percentage such as 5%%, or the same as 0.05, got %q", flag, text)
}
