package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Shard is a part of a build that runs by itself: number Index, from 0, of Of.
type Shard struct{ Index, Of int }

// whole is a build in one piece.
var whole = Shard{0, 1}

// String returns "0/3".
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

var shardText = regexp.MustCompile(`^(\d{1,6})/(\d{1,6})$`)

// ParseShard reads "0/3".
func ParseShard(text string) (Shard, error) {
	part := shardText.FindStringSubmatch(text)
	if part == nil {
		return Shard{}, fmt.Errorf("want a shard and how many there are, as in 0/3, got %.40q", text)
	}
	var s Shard
	s.Index, _ = strconv.Atoi(part[1]) // digits
	s.Of, _ = strconv.Atoi(part[2])
	if s.Index >= s.Of {
		return Shard{}, fmt.Errorf("there is no shard %d of %d: they count from 0", s.Index, s.Of)
	}
	return s, nil
}

// ShardOf returns which shard the environment says that this is:
//
//	LATGATE_SHARD                          0/3
//	LATGATE_SHARDS, JOB_COMPLETION_INDEX   of a Kubernetes Indexed Job, from 0
//	CI_NODE_TOTAL, CI_NODE_INDEX           of GitLab's parallel, from 1
//
// Without any it is the whole.
func ShardOf(lookup func(string) (string, bool)) (Shard, error) {
	value := func(name string) string { v, _ := lookup(name); return strings.TrimSpace(v) }
	if text := value("LATGATE_SHARD"); text != "" {
		s, err := ParseShard(text)
		if err != nil {
			return s, fmt.Errorf("LATGATE_SHARD: %w", err)
		}
		return s, nil
	}
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(value(name))
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%s=%.40q: want a number", name, value(name))
		}
		return n, nil
	}
	read := func(index, of string, first int) (Shard, error) {
		i, errI := number(index)
		n, errN := number(of)
		s := Shard{i - first, n}
		err := errors.Join(errI, errN)
		if err == nil && (s.Index < 0 || s.Index >= s.Of) {
			err = fmt.Errorf("%s=%d, %s=%d: there is no such shard", index, i, of, n)
		}
		return s, err
	}
	switch {
	case value("LATGATE_SHARDS") != "" && value("JOB_COMPLETION_INDEX") == "":
		return Shard{}, errors.New("LATGATE_SHARDS is set, and nothing says which of them this is: set LATGATE_SHARD=0/3, or run as a Kubernetes Indexed Job")
	case value("LATGATE_SHARDS") != "":
		return read("JOB_COMPLETION_INDEX", "LATGATE_SHARDS", 0)
	case value("CI_NODE_TOTAL") != "" && value("CI_NODE_INDEX") != "":
		return read("CI_NODE_INDEX", "CI_NODE_TOTAL", 1)
	}
	return whole, nil
}

// part are the tests that fall to the shard, of a sorted list: every so-many-th, so
// that neighbours, which often take as long as each other, are spread.
func (s Shard) part(planned []string) []string {
	var own []string
	for i, test := range planned {
		if i%s.Of == s.Index {
			own = append(own, test)
		}
	}
	return slices.Clip(own)
}

// share is the shard's part of a number of requests that all may make together: the
// first shards have one more where it does not come out even.
func (s Shard) share(requests int) int {
	n := requests / s.Of
	if s.Index < requests%s.Of {
		n++
	}
	return n
}
