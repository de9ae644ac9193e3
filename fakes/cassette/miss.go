package cassette

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/latgate/latgate/providers"
)

// ExitMiss is the exit code of a command whose cassette has no recording for a request.
const ExitMiss = 17

var errIgnoredTooLate = errors.New("cassette: the recording is redacted, so what its bodies are matched by is settled: state Matching.Ignore when recording")

// A MissError is a request that no recording answers: the code under test asks
// something else than it did. It says what changed, against the nearest recording.
type MissError struct {
	Cassette string // its name
	Method   string
	Path     string

	// Field is the first part of the request that differs from the nearest recording:
	// "method", "path", "query", "host", "header X", or a member of the body such as
	// "messages[1].content"; "model" where another model is asked for. It is empty
	// where all recordings of the very same request were used up, and where nothing
	// was recorded at all.
	Field string

	// Exhausted says that the request was recorded, but not so often.
	Exhausted bool
	Recorded  int // how often

	Nearest int    // the position of the nearest recording, −1 without one
	Reason  string // in words
	Diff    string // nearest recording (-) against the request (+)
}

// Error implements error. It holds text of the request, made harmless to print.
func (e *MissError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cassette %s: no recording for %s %s: %s", e.Cassette, e.Method, e.Path, e.Reason)
	if e.Diff != "" {
		fmt.Fprintf(&b, "\n  interaction %d is nearest (-recorded +asked):", e.Nearest)
		for line := range strings.Lines(e.Diff) {
			b.WriteString("\n    " + providers.Inert(strings.TrimRight(line, "\r\n")))
		}
	}
	b.WriteString("\n  If the change is meant, record the scenario again.")
	return b.String()
}

// ExitCode returns [ExitMiss].
func (e *MissError) ExitCode() int { return ExitMiss }

// candidates bounds how many recordings a miss is compared with.
const candidates = 128

// miss explains why nothing answers a request, which is clean.
func (p *Player) miss(q Request) *MissError {
	e := &MissError{Cassette: p.name(), Method: providers.Inert(q.Method), Path: providers.Inert(q.Path), Nearest: -1}
	if p.cassette.Len() == 0 {
		e.Reason = "the cassette is empty"
		return e
	}
	var nearest []difference
	for n, step := 0, max(1, p.cassette.Len()/candidates); n < p.cassette.Len(); n += step {
		d := p.matcher.differences(p.cassette.packed[n].request(), q)
		if e.Nearest < 0 || weight(d) < weight(nearest) {
			e.Nearest, nearest = n, d
		}
	}
	p.explain(e, nearest)
	return e
}

// explain words a miss from what differs.
func (p *Player) explain(e *MissError, d []difference) {
	if len(d) == 0 {
		e.Reason = "a text has changed and not its shape: as the recording is redacted, it cannot be told which"
		e.Field = "body"
		return
	}
	e.Field = d[0].field
	e.Reason = fmt.Sprintf("%s differs", d[0].field)
	if len(d) > 1 {
		e.Reason += fmt.Sprintf(", and %d more", len(d)-1)
	}
	recorded, asked := make(map[string]any), make(map[string]any)
	for _, one := range d[:min(len(d), 8)] {
		recorded[one.field], asked[one.field] = one.recorded, one.asked
	}
	e.Diff = cmp.Diff(recorded, asked)
}

// A difference is a part of a request that is not as it was recorded.
type difference struct {
	field           string
	recorded, asked any
}

// weight orders recordings by how near they are: another path is farther than any
// other text.
func weight(d []difference) int {
	w := 0
	for _, one := range d {
		switch one.field {
		case "method", "path", "host":
			w += 1000
		case "model":
			w += 100
		default:
			w++
		}
	}
	return w
}

// differences compares a recorded request with a clean live one.
func (m *matcher) differences(recorded, asked Request) []difference {
	var d []difference
	compare := func(field, a, b string) {
		if a != b {
			d = append(d, difference{field, a, b})
		}
	}
	compare("method", recorded.Method, asked.Method)
	if m.matching.Host {
		compare("host", strings.ToLower(recorded.Host), strings.ToLower(asked.Host))
	}
	if a, b := comparedPath(recorded.Path), comparedPath(asked.Path); a != b {
		restA, modelA := splitModel(a)
		restB, modelB := splitModel(b)
		if restA == restB {
			compare("model", modelA, modelB)
		} else {
			compare("path", a, b)
		}
	}
	compare("query", comparedQuery(recorded.Query), comparedQuery(asked.Query))
	for _, name := range m.matching.headers() {
		compare("header "+name, strings.Join(recorded.Header.Values(name), ","), strings.Join(asked.Header.Values(name), ","))
	}
	if recorded.Body == nil {
		return d
	}
	a, isJSON := parseJSON(recorded.Body)
	b, both := parseJSON(asked.Body)
	if !isJSON || !both {
		if string(recorded.Body) != string(asked.Body) {
			d = append(d, difference{"body", string(recorded.Body), string(asked.Body)})
		}
		return d
	}
	shapes := m.redactor.fill
	return append(d, members("", m.matching.comparable(a, shapes), m.matching.comparable(b, shapes))...)
}

// splitModel returns a path without the model that it names, and the model.
func splitModel(path string) (rest, model string) {
	segments := strings.Split(path, "/")
	for k, segment := range segments[:len(segments)-1] {
		switch segment {
		case "model", "models", "deployments", "endpoints":
			model = segments[k+1]
			for _, method := range []string{":generateContent", ":streamGenerateContent", ":rawPredict", ":streamRawPredict"} {
				model = strings.TrimSuffix(model, method)
			}
			segments[k+1] = "*" + strings.TrimPrefix(segments[k+1], model)
			return strings.Join(segments, "/"), model
		}
	}
	return path, ""
}

// absent stands for a member that is not there.
const absent = "(absent)"

// members lists what differs between two values of JSON: the model first, then in
// order.
func members(path string, a, b any) []difference {
	switch a := a.(type) {
	case map[string]any:
		b, same := b.(map[string]any)
		if !same {
			break
		}
		keys := slices.Sorted(maps.Keys(a))
		for key := range b {
			if _, known := a[key]; !known {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		slices.SortStableFunc(keys, func(x, y string) int { return rank(path, x) - rank(path, y) })
		var d []difference
		for _, key := range keys {
			field := key
			if path != "" {
				field = path + "." + key
			}
			before, was := a[key]
			now, is := b[key]
			switch {
			case !was:
				d = append(d, difference{field, absent, now})
			case !is:
				d = append(d, difference{field, before, absent})
			default:
				d = append(d, members(field, before, now)...)
			}
		}
		return d
	case []any:
		b, same := b.([]any)
		if !same {
			break
		}
		var d []difference
		for k := range max(len(a), len(b)) {
			field := path + "[" + strconv.Itoa(k) + "]"
			switch {
			case k >= len(a):
				d = append(d, difference{field, absent, b[k]})
			case k >= len(b):
				d = append(d, difference{field, a[k], absent})
			default:
				d = append(d, members(field, a[k], b[k])...)
			}
		}
		return d
	}
	if cmp.Equal(a, b) {
		return nil
	}
	if path == "" {
		path = "body"
	}
	return []difference{{path, a, b}}
}

func rank(path, key string) int {
	if path == "" && (key == "model" || key == "modelId") {
		return 0
	}
	return 1
}
