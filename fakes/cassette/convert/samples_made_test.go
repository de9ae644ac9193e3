package convert_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

var started = time.Date(2026, 5, 4, 3, 2, 1, 987654321, time.UTC)

// chatSample is a sample of a chat completion: 40 tokens in 20 events.
func chatSample(number int, changes ...func(*latencytest.Sample)) latencytest.Sample {
	s := latencytest.Sample{
		Number: number, Scenario: "all", Prompt: "p1", Time: started.Add(time.Duration(number) * time.Second), Class: providers.OK,
		Phases:     wire.Phases{GotConn: wire.At(ms), Wrote: wire.At(2 * ms), Header: wire.At(200 * ms), Reused: true},
		FirstEvent: wire.At(210 * ms), First: wire.At(300 * ms), FirstVisible: wire.At(300 * ms), Last: wire.At(700 * ms), End: wire.At(710 * ms),
		ContentEvents: 20, FirstChannel: providers.Text, Calls: 1,
		Usage:    providers.Usage{Input: providers.CountOf(9), Output: providers.CountOf(40)},
		Provider: "openai", API: "chat-completions", Model: "gpt-5-mini-2026-01-01", Host: "api.openai.com", Proto: "HTTP/2.0",
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// resultOf is a result of these samples, of one scenario.
func resultOf(samples ...latencytest.Sample) *latencytest.Result {
	return &latencytest.Result{
		Test: "TestLatencyChat", Samples: samples, Provenance: latencytest.Provenance{Commit: "abc1234"},
		Scenarios: []*latencytest.Scenario{{Name: "all", Identity: providers.Facts{{Name: "model", Value: "gpt-5-mini"}}}},
	}
}

// made is the one interaction of a sample.
func made(t *testing.T, script fakes.Script, s latencytest.Sample) *cassette.Interaction {
	t.Helper()
	c, err := convert.Samples(resultOf(s), script, cassette.Recording{})
	require.NoError(t, err)
	require.Equal(t, 1, c.Len())
	return c.At(0)
}

func decoded(i *cassette.Interaction) *providers.Response {
	return latencytest.Protocols().Decode(i.Exchange(time.Time{}))
}

func TestSamplesSayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	c, err := convert.Samples(resultOf(chatSample(8), chatSample(3)), fakes.Script{},
		cassette.Recording{Provenance: map[string]string{"region": "eu"}, Redact: true})
	require.NoError(t, err)
	assert.Equal(t, "TestLatencyChat", c.Header.Name)
	assert.Equal(t, map[string]string{"region": "eu", "test": "TestLatencyChat", "commit": "abc1234"}, c.Header.Provenance)
	assert.Equal(t, started.Add(3*time.Second), c.Header.Started)
	assert.True(t, c.Header.Redacted)
	assert.Equal(t, []time.Duration{0, 5 * time.Second}, c.Arrivals())
	reason, synthesised := c.Synthesised()
	assert.True(t, synthesised)
	assert.Equal(t, "the times of 2 of 2 interactions were not recorded: synthesised (head, first and last content measured, 18 events spread evenly between)", reason)

	i := c.At(0)
	assert.Equal(t, 3, i.Sample)
	assert.Equal(t, "POST api.openai.com /v1/chat/completions", i.Request.Method+" "+i.Request.Host+" "+i.Request.Path)
	assert.Nil(t, i.Request.Body)
	assert.Equal(t, "HTTP/2.0", i.Response.Proto)
	assert.Equal(t, wire.Phases{GotConn: wire.At(ms), Wrote: wire.At(2 * ms), Header: wire.At(200 * ms), Reused: true}, i.Response.Phases)
	r := decoded(i)
	assert.Equal(t, wire.At(210*ms), r.FirstFrame)
	require.Len(t, r.Events, 20)
	for k, e := range r.Events {
		assert.Equal(t, 300*ms+400*ms*time.Duration(k)/19, e.At)
	}
	assert.Equal(t, wire.At(710*ms), r.End)
}

// What a scenario asked for is in the path, whatever its replies called themselves.
func TestSamplesAskForTheModelThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ provider, api, identity, model, path, says string }{
		{"gemini", "generate-content", "gemini-2.5-flash", "gemini-2.5-flash-09", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "gemini-2.5-flash-09"},
		{"gemini", "generate-content", "models/gemini-2.5-flash", "", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "models_gemini-2.5-flash"},
		{"gemini", "generate-content", "a+b", "b", "/v1beta/models/b:streamGenerateContent", "b"},
		{"gemini", "generate-content", "", "b", "/v1beta/models/b:streamGenerateContent", "b"},
		{"bedrock", "converse-stream", "a", "a", "/model/a/converse-stream", "a"},
		{"bedrock", "invoke-stream", "acme.large", "acme.large", "/model/acme.large/invoke-with-response-stream", "acme.large"},
		{"sagemaker", "invoke-endpoint-stream", "e", "e", "/endpoints/e/invocations-response-stream", "e"},
		{"openai", "chat-completions", "gpt-5-mini", "gpt-5-mini-2026", "/v1/chat/completions", "gpt-5-mini-2026"},
		{"cohere", "chat", "command-a", "", "/v2/chat", ""},
	} {
		res := resultOf(chatSample(0, func(s *latencytest.Sample) { s.Provider, s.API, s.Model = c.provider, c.api, c.model }))
		res.Scenarios[0].Identity = providers.Facts{{Name: "model", Value: c.identity}}
		recording, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
		require.NoError(t, err)
		assert.Equal(t, c.path, recording.At(0).Request.Path)
		assert.Equal(t, c.says, decoded(recording.At(0)).Model)
	}
}

// A model has any name: the request is for it all the same, and nothing else changes.
func TestSamplesOfHostileModels(t *testing.T) {
	t.Parallel()
	for _, model := range []string{
		"..", ".", "/", "../../etc/passwd", "a/../b", "%2e%2e", "%zz", "a b?c=d#e", "{id}", "a\r\nX-Forged: 1", "\x1b[31m", "\xff\xfe", "日本語",
		"anthropic.", "m:streamGenerateContent", `","stream":false,"x":"`, strings.Repeat("x", 5000), "arn:aws:bedrock:us-east-1:***:inference-profile/p",
	} {
		for _, p := range []struct{ provider, api string }{
			{"bedrock", "converse-stream"},
			{"bedrock", "invoke-stream"},
			{"bedrock", "invoke"},
			{"sagemaker", "invoke-endpoint-stream"},
			{"gemini", "generate-content"},
			{"openai", "chat-completions"},
			{"anthropic", "messages"},
			{"ollama", "generate"},
		} {
			i := made(t, fakes.Script{}, chatSample(0, func(s *latencytest.Sample) {
				s.Provider, s.API, s.Model = p.provider, p.api, model
				if p.api == "invoke" {
					s.ContentEvents, s.FirstEvent, s.Last = 1, s.First, s.First
				}
			}))
			assert.Equal(t, 200, i.Response.Status, "%s %q", p.provider, model)
			assert.NotContains(t, i.Request.Path, "\n")
			assert.NotContains(t, i.Request.Path, "\x1b")
			r := decoded(i)
			assert.Equal(t, providers.OK, r.Class, "%s %q: %s", p.provider, model, r.Detail)
			assert.Equal(t, p.provider, r.Provider)
			assert.Equal(t, wire.At(300*ms), r.First())
		}
	}
}

// Each sample that cannot be replayed is counted by its reason.
func TestSamplesLeftOut(t *testing.T) {
	t.Parallel()
	samples := []latencytest.Sample{
		chatSample(0, func(s *latencytest.Sample) { s.Warmup = true }),
		chatSample(1),
		chatSample(2, func(s *latencytest.Sample) { s.Class = providers.Throttled }),
		chatSample(3, func(s *latencytest.Sample) { s.Class = providers.Empty }),
		chatSample(4, func(s *latencytest.Sample) { s.Calls, s.Retries = 3, 1 }),
		chatSample(5, func(s *latencytest.Sample) {
			s.First, s.FirstVisible, s.Last = wire.Instant{}, wire.Instant{}, wire.Instant{}
		}),
		chatSample(6, func(s *latencytest.Sample) { s.Provider, s.API = "custom", "ac\x1bme" }),
		chatSample(7, func(s *latencytest.Sample) { s.API = "completions" }),
		chatSample(8, func(s *latencytest.Sample) { s.Last = wire.At(ms) }),
		chatSample(9, func(s *latencytest.Sample) { s.Header = wire.At(-ms) }),
		chatSample(10, func(s *latencytest.Sample) { s.Usage.Output = providers.CountOf(1 << 40) }),
		chatSample(11, func(s *latencytest.Sample) { s.ContentEvents = 1 << 40 }),
		chatSample(12, func(s *latencytest.Sample) { s.Time = time.Time{} }),
	}
	const left = "1 of the warm-up, 2 that failed, 1 of several calls, 1 without content, 1 of a protocol without a fake (custom ac me), " +
		"1 of a protocol without a fake (openai completions), 2 whose times contradict one another, 2 that are too long to be made up, " +
		"1 without the time of their call"
	c, err := convert.Samples(resultOf(samples...), fakes.Script{}, cassette.Recording{})
	require.NoError(t, err)
	assert.Equal(t, 1, c.Len())
	assert.Equal(t, left, c.Header.Provenance[convert.LeftOut])

	_, err = convert.Samples(resultOf(append(samples[:1:1], samples[2:]...)...), fakes.Script{}, cassette.Recording{})
	assert.EqualError(t, err, "convert: the result of TestLatencyChat has no sample that can be replayed: "+left)
	_, err = convert.Samples(resultOf(), fakes.Script{}, cassette.Recording{})
	assert.ErrorContains(t, err, "no sample that can be replayed: there is none at all")
	_, err = convert.Samples(nil, fakes.Script{}, cassette.Recording{})
	assert.ErrorContains(t, err, "no result")

	nameless := resultOf(chatSample(0, func(s *latencytest.Sample) { s.Provider, s.API, s.Model = "bedrock", "converse-stream", "" }))
	nameless.Scenarios[0].Identity = nil
	_, err = convert.Samples(nameless, fakes.Script{}, cassette.Recording{})
	assert.ErrorContains(t, err, "1 without the name of a model")
}

func TestScriptsThatContradictSamples(t *testing.T) {
	t.Parallel()
	for want, script := range map[string]fakes.Script{
		"Script.TTFT: the samples tell it":           {TTFT: fakes.Constant(0)},
		"Script.Head: the samples tell it":           {Head: fakes.Constant(ms)},
		"Script.Gap: the samples tell it":            {Gap: fakes.Constant(ms)},
		"Script.Session: the samples tell it":        {Session: .1},
		"Script.TokensPerChunk: the samples tell it": {TokensPerChunk: 1},
		"Script.Reasoning: the samples tell it":      {Reasoning: -1},
		"got -1 tokens":                              {OutputTokens: -1},
		"and -1 calls":                               {ToolCalls: -1},
		"Script.Faults[1]: it has no Effect":         {Faults: []fakes.Fault{{Effect: fakes.Empty{}}, {}}},
		"sample 4: Script.Faults: one takes time":    {Faults: []fakes.Fault{{On: fakes.Request(4), Effect: fakes.Hang{}}}},
		"Hang, Stall and":                            {Faults: []fakes.Fault{{Effect: fakes.Stall{At: 1e9, For: 1}}}},
		"the Delay of Refuse do":                     {Faults: []fakes.Fault{{Effect: &fakes.Refuse{Delay: time.Hour}}}},
	} {
		_, err := convert.Samples(resultOf(chatSample(4)), script, cassette.Recording{})
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "convert: ")
	}
	// A fault that hits no sample takes no time.
	_, err := convert.Samples(resultOf(chatSample(4)), fakes.Script{Faults: []fakes.Fault{{On: fakes.Request(3), Effect: fakes.Hang{}}}}, cassette.Recording{})
	assert.NoError(t, err)
}

// What the caller wants to go wrong does, at the times that there are.
func TestSamplesWithFaults(t *testing.T) {
	t.Parallel()
	tenth := 300*ms + 400*ms*9/19
	for _, c := range []struct {
		effect     fakes.Effect
		class      providers.Class
		events     int
		last, end  time.Duration
		ending     wire.Ending
		firstFrame time.Duration
	}{
		{fakes.Throw{After: 9}, providers.Throttled, 9, 300*ms + 400*ms*8/19, tenth, wire.EndEOF, 210 * ms},
		{fakes.Cut{After: 9}, providers.Truncated, 9, 300*ms + 400*ms*8/19, tenth, wire.EndEOF, 210 * ms},
		{fakes.Cut{At: fakes.Abort, After: 9}, providers.Truncated, 9, 300*ms + 400*ms*8/19, tenth, wire.EndFailed, 210 * ms},
		{fakes.Cut{After: 100}, providers.Truncated, 20, 700 * ms, 710 * ms, wire.EndEOF, 210 * ms},
		{fakes.Empty{}, providers.Empty, 0, 0, 300 * ms, wire.EndEOF, 300 * ms},
		{fakes.Refuse{}, providers.Throttled, 0, 0, 200 * ms, wire.EndEOF, 0},
		{fakes.NoUsage{}, providers.OK, 20, 700 * ms, 710 * ms, wire.EndEOF, 210 * ms},
	} {
		script := fakes.Script{Seed: 1, Faults: []fakes.Fault{{On: fakes.Request(7), Effect: c.effect}}}
		i := made(t, script, chatSample(7))
		at := fmt.Sprintf("%T", c.effect)
		r := decoded(i)
		assert.Equal(t, c.class, r.Class, at)
		assert.Len(t, r.Events, c.events, at)
		assert.Equal(t, c.ending, i.Response.Ending, at)
		assert.Equal(t, c.end, i.Response.Ended(), at)
		last, _ := r.Last().Get()
		assert.Equal(t, c.last, last, at)
		first, _ := r.FirstFrame.Get()
		assert.Equal(t, c.firstFrame, first, at)

		untouched := made(t, script, chatSample(8))
		assert.Equal(t, providers.OK, decoded(untouched).Class, "a fault goes by the number of the sample")
	}
}

// Reasoning comes first where it did, for as long as it did.
func TestSamplesThatReason(t *testing.T) {
	t.Parallel()
	thinking := func(visible time.Duration, events int) latencytest.Sample {
		return chatSample(0, func(s *latencytest.Sample) {
			s.FirstChannel, s.FirstVisible, s.ContentEvents = providers.Reasoning, wire.At(visible), events
			if visible == 0 {
				s.FirstVisible = wire.Instant{}
			}
		})
	}
	for _, c := range []struct {
		sample    latencytest.Sample
		reasoning int
	}{
		{thinking(500*ms, 21), 10},
		{thinking(301*ms, 21), 1},
		{thinking(699*ms, 21), 19},
		{thinking(700*ms, 21), 20},
		{thinking(700*ms, 2), 1},
		{thinking(300*ms, 2), 1},
		{thinking(0, 21), 21},
		{thinking(500*ms, 37), 18}, // no size of pieces gives 37
	} {
		r := decoded(made(t, fakes.Script{}, c.sample))
		require.Len(t, r.Events, c.sample.ContentEvents)
		reasoning := 0
		for k, e := range r.Events {
			if e.Channel == providers.Reasoning {
				assert.Equal(t, reasoning, k, "reasoning comes first")
				reasoning++
			}
		}
		assert.Equal(t, c.reasoning, reasoning)
		assert.Equal(t, c.sample.First, r.First())
		if len(r.Events) > 2 {
			assert.Equal(t, c.sample.FirstVisible, r.FirstVisible())
		}
		assert.Equal(t, c.sample.Last, r.Last())
		assert.Equal(t, c.sample.Usage.Output, r.Usage.Output)
	}
}

// An answer that begins with a call of a tool does so again; calls after the text are
// the script's.
func TestSamplesThatCallTools(t *testing.T) {
	t.Parallel()
	for _, p := range []struct{ provider, api string }{
		{"openai", "chat-completions"},
		{"openai", "responses"},
		{"anthropic", "messages"},
		{"bedrock", "converse-stream"},
		{"gemini", "generate-content"},
		{"cohere", "chat"},
		{"ollama", "chat"},
	} {
		s := chatSample(0, func(s *latencytest.Sample) {
			s.Provider, s.API, s.FirstChannel, s.ContentEvents = p.provider, p.api, providers.Tool, 4
		})
		i := made(t, fakes.Script{}, s)
		r := decoded(i)
		require.NotEmpty(t, r.Events)
		for _, e := range r.Events {
			assert.Equal(t, providers.Tool, e.Channel)
		}
		assert.Equal(t, s.First, r.First(), p.provider)
		assert.Equal(t, s.Last, r.Last(), p.provider)
		assert.Equal(t, s.Usage.Output, r.Usage.Output, p.provider)

		s.FirstChannel, s.ContentEvents = providers.Text, 20
		r = decoded(made(t, fakes.Script{ToolCalls: 2}, s))
		assert.Equal(t, providers.Text, r.Events[0].Channel)
		assert.Equal(t, providers.Tool, r.Events[len(r.Events)-1].Channel)
		assert.Equal(t, s.First, r.First(), p.provider)
		assert.Equal(t, s.Last, r.Last(), p.provider)
		assert.Equal(t, s.Usage.Output, r.Usage.Output, p.provider)
	}
}

// Tokens that nobody counted are not counted in the replay either; those of the script
// are only how long the answer is.
func TestSamplesWithoutUsage(t *testing.T) {
	t.Parallel()
	uncounted := func(s *latencytest.Sample) { s.Usage = providers.Usage{} }
	for want, script := range map[int]fakes.Script{20: {}, 21: {OutputTokens: 21}} {
		r := decoded(made(t, script, chatSample(0, uncounted)))
		assert.False(t, r.Usage.Output.Known())
		assert.Len(t, r.Events, 20)
		assert.Len(t, strings.Fields(r.Text), 20, "%d", want)
	}
	fewer := decoded(made(t, fakes.Script{}, chatSample(0, func(s *latencytest.Sample) { s.Usage.Output = providers.CountOf(7) })))
	assert.Len(t, fewer.Events, 7, "there are no events without tokens")
	assert.Equal(t, wire.At(700*ms), fewer.Last())
	one := decoded(made(t, fakes.Script{}, chatSample(0, func(s *latencytest.Sample) { s.Usage.Output = providers.CountOf(1) })))
	assert.Equal(t, wire.At(300*ms), one.First())
	assert.Equal(t, wire.At(700*ms), one.Last(), "what was last is not first")
}

// Of a sample that was retried the last attempt is taken, at its own times.
func TestRetriedSamples(t *testing.T) {
	t.Parallel()
	script := lively
	script.Faults = []fakes.Fault{{On: fakes.Every(2), Attempts: 1, Effect: fakes.Refuse{Delay: 30 * ms}}}
	e := endpoints["openai chat"]
	plan := planned(t, 6)
	plan.Retries = 2
	res := measured(t, fakes.OpenAI(script), e.client, plan)
	c, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
	require.NoError(t, err)
	require.Equal(t, 6, c.Len())
	retried := 0
	for _, i := range c.All() {
		s := res.Samples[i.Sample]
		start, again := s.Start.Get()
		if again {
			retried++
		}
		r := decoded(i)
		assert.Equal(t, s.First.Add(-start), r.First())
		assert.Equal(t, s.Last.Add(-start), r.Last())
		assert.Equal(t, s.End.Add(-start), r.End)
		assert.Equal(t, s.Header.Add(-start), i.Response.Phases.Header)
		assert.Equal(t, s.Wrote.Add(-start), i.Response.Phases.Wrote)
		assert.Equal(t, s.Time.Add(start), c.Header.Started.Add(i.Call))
	}
	assert.Positive(t, retried)
}

// What the server told of its own times in the head, it tells again.
func TestServerTimesOfSamples(t *testing.T) {
	t.Parallel()
	told := []providers.ServerTime{{Name: "openai-processing-ms", Time: 187 * ms}, {Name: "server-timing gfet4t7", Time: 191 * ms}}
	for _, p := range []struct{ provider, api, header, want string }{
		{"openai", "chat-completions", "Openai-Processing-Ms", "187"},
		{"gemini", "generate-content", "Server-Timing", "gfet4t7; dur=191"},
		{"anthropic", "messages", "X-Envoy-Upstream-Service-Time", ""},
	} {
		i := made(t, fakes.Script{}, chatSample(0, func(s *latencytest.Sample) { s.Provider, s.API, s.ServerTimes = p.provider, p.api, told }))
		assert.Equal(t, p.want, i.Response.Header.Get(p.header))
	}
}

// A gate on times does not take what was made up of samples.
func TestSamplesAreNoGate(t *testing.T) {
	t.Chdir(t.TempDir()) // a run of a test leaves its mark in testdata
	e := endpoints["openai chat"]
	res := measured(t, fakes.OpenAI(lively), e.client, planned(t, 5))
	c, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "chat.cassette.jsonl")
	require.NoError(t, cassette.Write(path, c))
	latencytest.Replay(t, path, func(t *testing.T, rec *latencytest.Recorder) {
		plan := planned(t, 5)
		plan.Load = latencytest.Arrivals(rec.Recording.Arrivals())
		res := latencytest.RunFunc(t, rec, plan,
			posted(rec, "https://api.openai.com/v1/chat/completions", `{"anything":"at all"}`))
		require.Equal(t, "5/5 ok", res.Scenarios[0].Ends())
		assert.Contains(t, res.Scenarios[0].Invalid(), "no times of its own")
	})
}

// A run in low memory keeps its samples in its file, one that was killed in what it left
// behind.
func TestSamplesOfOtherFiles(t *testing.T) {
	t.Parallel()
	plan := planned(t, 5)
	plan.LowMemory = true
	var low *latencytest.Result
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.OpenAI(lively))
		defer network.Close()
		var err error
		low, err = endpoints["openai chat"].client(t.Context(), network, plan)
		require.NoError(t, err)
	})
	c, err := convert.Samples(low, fakes.Script{}, cassette.Recording{})
	require.NoError(t, err)
	assert.Equal(t, 5, c.Len())

	data, err := os.ReadFile(plan.SampleFile)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	killed := filepath.Join(t.TempDir(), "latest.samples.jsonl.1.partial")
	require.NoError(t, os.WriteFile(killed, []byte(strings.Join(lines[:8], "")+lines[8][:20]), 0o644))
	res, err := latencytest.Load(killed)
	require.ErrorIs(t, err, latencytest.ErrInterrupted)
	c, err = convert.Samples(res, fakes.Script{}, cassette.Recording{})
	require.NoError(t, err)
	assert.Equal(t, 3, c.Len(), "a run record, 4 of the warm-up, 3 samples")

	low.Plan.SampleFile = filepath.Join(t.TempDir(), "none")
	_, err = convert.Samples(low, fakes.Script{}, cassette.Recording{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// Whatever a sample file holds, there is a cassette that can be written and read, or an
// error; and what times it has are kept.
func TestSamplesOfAnything(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	apis := []struct{ provider, api string }{
		{"bedrock", "converse-stream"},
		{"bedrock", "converse"},
		{"bedrock", "invoke-stream"},
		{"bedrock", "invoke"},
		{"sagemaker", "invoke-endpoint-stream"},
		{"sagemaker", "invoke-endpoint"},
		{"openai", "chat-completions"},
		{"openai", "responses"},
		{"anthropic", "messages"},
		{"gemini", "generate-content"},
		{"cohere", "chat"},
		{"ollama", "chat"},
		{"ollama", "generate"},
		{"tgi", "generate"},
	}
	models := []string{"m", "us.anthropic.claude", "amazon.nova", "amazon.titan", "meta.llama3", "cohere.command-r", "cohere.command", "mistral.x", "openai.gpt-oss"}
	channels := []providers.Channel{providers.Text, providers.Reasoning, providers.Tool, providers.Refusal, ""}
	count := func() providers.Count {
		if random.IntN(4) == 0 {
			return providers.Count{}
		}
		return providers.CountOf(int64(random.IntN(60)))
	}
	taken := 0
	for n := range 300 {
		at := 0 * ms
		later := func() wire.Instant {
			at += time.Duration(random.IntN(3)) * time.Duration(random.IntN(1e8))
			if random.IntN(12) == 0 {
				return wire.Instant{}
			}
			return wire.At(at)
		}
		s := chatSample(n)
		s.Provider, s.API = apis[n%len(apis)].provider, apis[n%len(apis)].api
		s.Model = models[random.IntN(len(models))]
		s.Header, s.FirstEvent, s.First, s.FirstVisible, s.Last, s.End = later(), later(), later(), later(), later(), later()
		s.ContentEvents, s.FirstChannel = random.IntN(50), channels[random.IntN(len(channels))]
		s.Usage.Input, s.Usage.Output = count(), count()
		if random.IntN(3) == 0 {
			s.Operation = &latencytest.Operation{}
		}
		script := fakes.Script{Seed: uint64(n), ToolCalls: random.IntN(3), OutputTokens: random.IntN(30), EmptyDelta: n%2 == 0, Padding: n%3 == 0}
		data, err := json.Marshal(s)
		require.NoError(t, err)
		c, err := convert.Samples(resultOf(s), script, cassette.Recording{Redact: n%4 == 0})
		if err != nil {
			assert.ErrorContains(t, err, "no sample that can be replayed", "%s", data)
			continue
		}
		taken++
		i := c.At(0)
		r := decoded(i)
		require.Equal(t, providers.OK, r.Class, "%s", data)
		require.Equal(t, s.First, r.First(), "%s", data)
		if s.Last.Known() {
			require.Equal(t, s.Last, r.Last(), "%s", data)
		} else {
			require.Equal(t, s.First, r.Last(), "%s", data)
		}
	}
	assert.Greater(t, taken, 150)
}
