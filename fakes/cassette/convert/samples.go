package convert

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// samplesSource is the [cassette.Header] Source of what [Samples] made.
const samplesSource = "latgate samples"

// LeftOut names the fact of a cassette's provenance that says which samples [Samples]
// did not take, and why: "5 of the warm-up, 2 that failed".
const LeftOut = "left out"

// Samples returns a cassette of the requests of a result, as [latencytest.Load] reads
// it: their times are the measured ones, what was said is made up by a fake, as script
// says. It is for an endpoint that was measured once and is to be replayed without
// being recorded anew. Samples hold neither prompts nor replies.
//
// Each sample that ended OK becomes an interaction: of those after the warm-up, with one
// call or one that was retried (the last attempt then), in a protocol that has a fake.
// Which samples are left out, the fact [LeftOut] of the provenance says. A result with
// nothing to take is an error.
//
// Measured are the time of the call, the phases before the response, its head, its first
// event, the first content, the first visible one, the last one and the end. The
// content events between are spread evenly. There are as many as there were, with as
// many tokens of output and of input; reasoning comes first where it did. Where there
// were more events than tokens, there are as many events as tokens. A call of a tool
// comes in three pieces.
//
// The request of an interaction is that of its protocol, at the path that the protocol
// has by itself, for the model that was asked for. Its body is not known, so that it
// matches any; requests to several models at one path are not told apart. An application
// whose path is another one, Azure's deployments or Vertex AI's projects, is not
// answered.
//
// Of the script, Seed, ToolCalls, EmptyDelta, Padding and Faults count, faults by the
// numbers of the samples, and OutputTokens for samples that do not know theirs. What the
// samples tell must be left out: all times, those of faults too, TokensPerChunk and
// Reasoning. What a server says of its own times is that of the sample where it is in
// the head of a response, and 0 inside of a reply.
//
// The gaps between events are nobody's, so that no gate on times takes the cassette, not
// even those of its times that were measured: see [cassette.Cassette.Synthesised]. It is
// good for load that arrives as it did, for what-if questions, and as an endpoint of
// realistic times for others.
func Samples(res *latencytest.Result, script fakes.Script, rec cassette.Recording) (*cassette.Cassette, error) {
	if res == nil {
		return nil, errors.New("convert: no result to take samples from")
	}
	if err := checkScript(script); err != nil {
		return nil, err
	}
	res, err := res.Full()
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	m := imitation{result: res, script: script, whole: wholeReplies(res), left: make(map[string]int)}
	if err := m.take(); err != nil {
		return nil, err
	}
	if len(m.taken) == 0 {
		return nil, fmt.Errorf("convert: %s has no sample that can be replayed: %s", describe(res), cmp.Or(m.leftOut(), "there is none at all"))
	}

	rec.Name = cmp.Or(rec.Name, res.Test)
	facts := map[string]string{}
	if left := m.leftOut(); left != "" {
		facts[LeftOut] = left
	}
	for name, value := range map[string]string{"test": res.Test, "commit": res.Provenance.Commit} {
		if value != "" {
			facts[name] = value
		}
	}
	maps.Copy(facts, rec.Provenance)
	rec.Provenance = facts
	c, err := cassette.Assemble(rec, m.taken...)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	c.Header.Source, c.Header.Started = samplesSource, m.started
	return c, nil
}

func describe(res *latencytest.Result) string {
	if res.Test == "" {
		return "the result"
	}
	return "the result of " + providers.Inert(res.Test)
}

// checkScript reports what of a script the samples tell, and what no fake could follow.
func checkScript(s fakes.Script) error {
	for _, told := range []struct {
		name  string
		given bool
	}{
		{"TTFT", s.TTFT != nil},
		{"Head", s.Head != nil},
		{"Gap", s.Gap != nil},
		{"Session", s.Session != 0},
		{"TokensPerChunk", s.TokensPerChunk != 0},
		{"Reasoning", s.Reasoning != 0},
	} {
		if told.given {
			return fmt.Errorf("convert: Script.%s: the samples tell it: leave it out", told.name)
		}
	}
	if s.OutputTokens < 0 || s.OutputTokens > mostTokens || s.ToolCalls < 0 || s.ToolCalls > mostTokens/toolPieces {
		return fmt.Errorf("convert: Script.OutputTokens, Script.ToolCalls: want 0 to %d tokens in all, got %d tokens and %d calls", mostTokens, s.OutputTokens, s.ToolCalls)
	}
	for n, fault := range s.Faults {
		if fault.Effect == nil {
			return fmt.Errorf("convert: Script.Faults[%d]: it has no Effect", n)
		}
	}
	return nil
}

// An imitation makes interactions of samples.
type imitation struct {
	result *latencytest.Result
	script fakes.Script
	whole  map[string]bool // scenarios whose replies come in one piece

	started time.Time // the first call that is taken
	taken   []*cassette.Interaction
	left    map[string]int // samples that are not, by the reason
	reasons []string       // in the order in which they came up
}

func (m *imitation) take() error {
	var calls []time.Time
	for n := range m.result.Samples {
		s := &m.result.Samples[n]
		i, reason, err := m.interaction(s)
		switch {
		case err != nil:
			return fmt.Errorf("convert: sample %d: %w", s.Number, err)
		case reason != "":
			if m.left[reason]++; m.left[reason] == 1 {
				m.reasons = append(m.reasons, reason)
			}
			continue
		}
		start, _ := s.Start.Get()
		calls = append(calls, s.Time.Add(start))
		i.Order = int64(len(m.taken))
		m.taken = append(m.taken, i)
	}
	if len(calls) > 0 {
		m.started = slices.MinFunc(calls, time.Time.Compare)
	}
	for n, i := range m.taken {
		i.Call = calls[n].Sub(m.started)
	}
	return nil
}

// leftOut lists why samples were not taken.
func (m *imitation) leftOut() string {
	var list []string
	for _, reason := range m.reasons {
		list = append(list, fmt.Sprintf("%d %s", m.left[reason], reason))
	}
	return strings.Join(list, ", ")
}

const contradicting = "whose times contradict one another"

// interaction returns a sample as an interaction, or why there is none for it.
func (m *imitation) interaction(s *latencytest.Sample) (i *cassette.Interaction, leftOut string, err error) {
	switch {
	case s.Warmup:
		return nil, "of the warm-up", nil
	case s.Class != providers.OK:
		return nil, "that failed", nil
	case s.Calls-s.Retries > 1:
		return nil, "of several calls", nil
	case s.Time.IsZero():
		return nil, "without the time of their call", nil
	case !s.First.Known():
		return nil, "without content", nil
	}
	t, ok := timesOf(s)
	if !ok {
		return nil, contradicting, nil
	}
	p, known := protocolOf(s)
	if !known {
		return nil, "of a protocol without a fake (" + name(s.Provider) + " " + name(s.API) + ")", nil
	}
	atOnce := t.first == t.last
	ask := asking{model: m.model(s), reply: s.Model, whole: p.whole || m.whole[s.Scenario] && atOnce}
	switch {
	case ask.whole && !atOnce:
		return nil, contradicting, nil
	case ask.model == "" && p.modelInPath:
		return nil, "without the name of a model", nil
	}
	wanted, ok := planOf(s, m.script, p, ask.whole)
	if !ok {
		return nil, "that are too long to be made up", nil
	}
	ask.input, ask.usage = wanted.input, wanted.tokensKnown
	q := p.ask(ask)
	a, err := p.answer(q, wanted, s)
	if err != nil {
		return nil, "", err
	}
	return &cassette.Interaction{
		Sample: s.Number,
		Timing: a.timing(),
		Request: cassette.Request{
			Method: http.MethodPost, Host: cmp.Or(s.Host, p.host), Path: q.path, Query: q.query,
			Header: http.Header{"Content-Type": {"application/json"}},
		},
		Response: cassette.Response{
			Proto: cmp.Or(s.Proto, "HTTP/1.1"), Status: a.status, Header: a.header,
			Body: a.body, Reads: a.reads(t), Phases: t.phases, End: wire.At(a.end(t)), Ending: a.ending, Err: a.failure,
		},
	}, "", nil
}

// name makes a name from a file fit to be told.
func name(s string) string {
	s = providers.Inert(s)
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return cmp.Or(s, "unknown")
}

// model returns the model that was asked for. A sample names the one that replied; what
// was sent is in the identity of its scenario, which lists the names of the samples
// where it is not known.
func (m *imitation) model(s *latencytest.Sample) string {
	asked := ""
	if scenario := m.result.Scenario(s.Scenario); scenario != nil {
		asked = scenario.Identity.Get("model")
	}
	if asked == "" || slices.Contains(strings.Split(asked, "+"), s.Model) {
		return s.Model
	}
	return asked
}

// wholeReplies returns the scenarios whose replies did not stream, as far as their
// protocol leaves that to the request. Of a target the identity says so. Of a function
// each reply had a single event then, which was its first.
func wholeReplies(res *latencytest.Result) map[string]bool {
	whole := make(map[string]bool)
	for _, scenario := range res.Scenarios {
		whole[scenario.Name] = scenario.Identity.Get("stream") == "false"
	}
	judged := make(map[string]bool)
	for n := range res.Samples {
		s := &res.Samples[n]
		if s.Operation == nil || !s.OK() || !s.First.Known() {
			continue
		}
		single := s.ContentEvents == 1 && s.FirstEvent == s.First
		whole[s.Scenario] = single && (whole[s.Scenario] || !judged[s.Scenario])
		judged[s.Scenario] = true
	}
	return whole
}
