package cassette_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// request is a recorded request that is answered with a text.
func request(address, body, answer string) *cassette.Interaction {
	path, query, _ := strings.Cut(address, "?")
	host, path, _ := strings.Cut(path, "/")
	i := sample(0, answer, wire.Mark{End: int64(len(answer)), At: 500})
	i.Request = cassette.Request{Method: "POST", Host: host, Path: "/" + path, Query: query, Header: http.Header{"Anthropic-Version": {"1"}}, Body: []byte(body)}
	return i
}

// answers returns what the bodies, sent in order, are answered with; "miss" and the
// field that changed where nothing is recorded.
func answers(t *testing.T, c *cassette.Cassette, o cassette.ReplayOptions, requests ...string) (got []string, misses []*cassette.MissError) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		player, err := c.Handler(o)
		require.NoError(t, err)
		network := fakes.NewNetwork(player)
		defer network.Close()
		for _, r := range requests {
			address, body, _ := strings.Cut(r, " ")
			req, err := http.NewRequest(http.MethodPost, "https://"+address, strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Anthropic-Version", "1")
			resp, err := network.Client().Do(req)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			if resp.StatusCode == http.StatusNotFound {
				last := player.Misses()[len(player.Misses())-1]
				assert.Equal(t, last.Error(), string(text))
				assert.Equal(t, "17", resp.Header.Get("X-Latgate-Cassette-Miss"))
				text = []byte("miss " + last.Field)
			}
			got = append(got, string(text))
		}
		misses = player.Misses()
		if len(misses) > 0 {
			miss, is := errors.AsType[*cassette.MissError](player.Err())
			require.True(t, is)
			assert.Equal(t, 17, miss.ExitCode())
		} else {
			require.NoError(t, player.Err())
		}
	})
	return got, misses
}

const at = "api.test/v1/chat"

func TestMatching(t *testing.T) {
	t.Parallel()
	const body = `{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":1,"user":"a"}`
	for name, one := range map[string]struct {
		request  string
		matching cassette.Matching
		want     string
	}{
		"the same":                   {at + " " + body, cassette.Matching{}, "yes"},
		"another host":               {"127.0.0.1:8080/v1/chat " + body, cassette.Matching{}, "yes"},
		"another host that counts":   {"other.test/v1/chat " + body, cassette.Matching{Host: true}, "miss host"},
		"the host that counts":       {"API.test/v1/chat " + body, cassette.Matching{Host: true}, "yes"},
		"order, space, numbers":      {at + ` { "temperature": 1.0, "user":"a", "messages" : [{"content":"\u0048i","role":"user"}],"model":"m"}`, cassette.Matching{}, "yes"},
		"another user":               {at + " " + strings.Replace(body, `"user":"a"`, `"user":"b","metadata":{"x":1},"stream_options":{"include_obfuscation":false}`, 1), cassette.Matching{}, "miss stream_options"},
		"volatile members":           {at + " " + strings.Replace(body, `"user":"a"`, `"user":"b","metadata":{"x":1},"request_id":"7"`, 1), cassette.Matching{}, "yes"},
		"another prompt":             {at + " " + strings.Replace(body, "Hi", "Ho", 1), cassette.Matching{}, "miss messages[0].content"},
		"another prompt, ignored":    {at + " " + strings.Replace(body, "Hi", "Ho", 1), cassette.Matching{Ignore: []string{"messages.*.content"}}, "yes"},
		"another model":              {at + " " + strings.Replace(strings.Replace(body, "Hi", "Ho", 1), `"m"`, `"n"`, 1), cassette.Matching{}, "miss model"},
		"another temperature":        {at + " " + strings.Replace(body, ":1,", ":0.5,", 1), cassette.Matching{}, "miss temperature"},
		"one member more":            {at + " " + strings.Replace(body, `"user":`, `"tools":[],"user":`, 1), cassette.Matching{}, "miss tools"},
		"one message more":           {at + " " + strings.Replace(body, `],`, `,{"role":"user","content":"!"}],`, 1), cassette.Matching{}, "miss messages[1]"},
		"another path":               {"api.test/v1/embed " + body, cassette.Matching{}, "miss path"},
		"a query":                    {at + "?api-version=2 " + body, cassette.Matching{}, "miss query"},
		"a key in the query":         {at + "?key=secret&X-Amz-Date=now " + body, cassette.Matching{}, "yes"},
		"no JSON":                    {at + " what?", cassette.Matching{}, "miss body"},
		"another, and no more":       {at + " null", cassette.Matching{}, "miss body"},
		"a header that counts":       {at + " " + body, cassette.Matching{Headers: []string{"anthropic-version"}}, "yes"},
		"a header that is not there": {at + " " + body, cassette.Matching{Headers: []string{"Accept"}}, "miss header Accept"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorded := request(at, body, "yes")
			recorded.Request.Header.Set("Accept", "text/plain")
			got, misses := answers(t, assemble(t, recorded), cassette.ReplayOptions{Matching: one.matching}, one.request)
			assert.Equal(t, []string{one.want}, got)
			for _, m := range misses {
				assert.Equal(t, 0, m.Nearest)
				assert.Contains(t, m.Diff, "+")
				assert.False(t, m.Exhausted)
				assert.Contains(t, m.Error(), m.Field+" differs")
				assert.Contains(t, m.Error(), "record the scenario again")
			}
		})
	}
}

// The model may stand in the path.
func TestMissNamesTheModel(t *testing.T) {
	t.Parallel()
	for recorded, asked := range map[string]string{
		"bedrock.test/model/us.m:0/converse-stream":             "bedrock.test/model/us.n:0/converse-stream",
		"gemini.test/v1beta/models/m:streamGenerateContent":     "gemini.test/v1beta/models/n:streamGenerateContent",
		"azure.test/openai/deployments/m/chat/completions?a=1":  "azure.test/openai/deployments/n/chat/completions?a=1",
		"runtime.test/endpoints/m/invocations-response-stream/": "runtime.test/endpoints/n/invocations-response-stream/",
	} {
		got, misses := answers(t, assemble(t, request(recorded, "{}", "yes")), cassette.ReplayOptions{}, recorded+" {}", asked+" {}")
		assert.Equal(t, []string{"yes", "miss model"}, got)
		assert.NotContains(t, misses[0].Diff, "endpoints")
	}
	// SDKs escape a colon in a path, or not.
	got, _ := answers(t, assemble(t, request("b.test/model/us.m%3A0/converse", "{}", "yes")), cassette.ReplayOptions{}, "b.test/model/us.m:0/converse {}")
	assert.Equal(t, []string{"yes"}, got)
}

// Two recordings of one request are taken in turn; after the last there is none, and
// that has words of its own.
func TestRecordingsAreTakenInTurn(t *testing.T) {
	t.Parallel()
	second, first, other := request(at, `{"a":1}`, "second"), request(at, `{"a":1}`, "first"), request(at, `{"a":2}`, "other")
	second.Call, other.Call = 20, 10
	c := assemble(t, second, first, other)
	a, b := at+` {"a":1}`, at+` {"a":2}`

	got, misses := answers(t, c, cassette.ReplayOptions{}, a, a, b, a, a)
	assert.Equal(t, []string{"first", "second", "other", "miss ", "miss "}, got)
	assert.True(t, misses[0].Exhausted)
	assert.Equal(t, 2, misses[0].Recorded)
	assert.ErrorContains(t, misses[0], "recorded 2 times, and is asked once more")
	assert.ErrorContains(t, misses[0], "Repeat")

	got, _ = answers(t, c, cassette.ReplayOptions{Repeat: true}, a, a, b, a, b, a, a)
	assert.Equal(t, []string{"first", "second", "other", "first", "other", "second", "first"}, got)

	got, misses = answers(t, c, cassette.ReplayOptions{Ordered: true}, a, a, b, a, b)
	assert.Equal(t, []string{"first", "miss a", "other", "second", "miss "}, got)
	assert.ErrorContains(t, misses[0], "interaction 1 is next in order, and a differs")
	assert.ErrorContains(t, misses[1], "comes after the last of 3 recordings")

	got, misses = answers(t, c, cassette.ReplayOptions{Ordered: true, Repeat: true}, a, b, a, a, b, a)
	assert.Equal(t, []string{"first", "other", "second", "first", "other", "second"}, got)
	assert.Empty(t, misses)
}

func TestUnused(t *testing.T) {
	t.Parallel()
	c := assemble(t, request(at, `{"a":1}`, "1"), request(at, `{"a":2}`, "2"))
	synctest.Test(t, func(t *testing.T) {
		_, player := replay(t, c, cassette.ReplayOptions{}, call{url: "https://" + at, body: `{"a":2}`})
		assert.Equal(t, []int{0}, player.Unused())
		assert.NoError(t, player.Err())
	})
}

// A request whose body nobody saw answers any.
func TestUnknownBodies(t *testing.T) {
	t.Parallel()
	unknown := request(at, "", "any")
	unknown.Request.Body = nil
	c := assemble(t, unknown, request(at, `{"a":1}`, "one"))
	got, misses := answers(t, c, cassette.ReplayOptions{}, at+` {"a":1}`, at+` {"a":7}`, at+` {"a":7}`)
	assert.Equal(t, []string{"one", "any", "miss "}, got)
	assert.True(t, misses[0].Exhausted)
}

func TestEmptyCassette(t *testing.T) {
	t.Parallel()
	got, misses := answers(t, assemble(t), cassette.ReplayOptions{}, at+" {}")
	assert.Equal(t, []string{"miss "}, got)
	assert.Equal(t, -1, misses[0].Nearest)
	assert.ErrorContains(t, misses[0], "empty")
}

// A load test that misses with each request does not fill the memory.
func TestManyMisses(t *testing.T) {
	t.Parallel()
	c := assemble(t, request(at, `{"a":1}`, "1"))
	synctest.Test(t, func(t *testing.T) {
		calls := make([]call, 300)
		for n := range calls {
			calls[n] = call{url: "https://" + at, body: fmt.Sprintf(`{"a":%d}`, n+2)}
		}
		_, player := replay(t, c, cassette.ReplayOptions{}, calls...)
		assert.Len(t, player.Misses(), 100)
		assert.ErrorContains(t, player.Err(), "200 misses more")
	})
}

// The text of a miss is harmless wherever it is printed, and holds no secret.
func TestMissIsHarmless(t *testing.T) {
	t.Parallel()
	c := assemble(t, request(at, `{"prompt":"first\n::error::x\nsecond line of several\nthird"}`, "1"))
	_, misses := answers(t, c, cassette.ReplayOptions{}, at+` {"prompt":"first\n::set-output name=x::1\nsecond line of several\nthird","key":"sk-proj-Canary0123456789ab","more":"\u001b[31m \u202e sk-proj-Canary0123456789ab"}`)
	text := misses[0].Error()
	for _, bad := range []string{"::", "\x1b", "\u202e", "Canary"} {
		assert.NotContains(t, text, bad)
	}
	assert.Contains(t, text, "set-output")
}

func TestMatchingRefuses(t *testing.T) {
	t.Parallel()
	c := assemble(t, request(at, `{}`, "1"))
	for want, o := range map[string]cassette.ReplayOptions{
		"credential":       {Matching: cassette.Matching{Headers: []string{"Authorization"}}},
		"was not recorded": {Matching: cassette.Matching{Headers: []string{"X-Tenant"}}},
		"empty path":       {Matching: cassette.Matching{Ignore: []string{""}}},
		"Pace.Gaps":        {Pace: cassette.Pace{Gaps: -1}},
	} {
		_, err := c.Handler(o)
		assert.ErrorContains(t, err, want)
	}
	redacted, err := cassette.Assemble(cassette.Recording{Redact: true}, request(at, `{}`, "1"))
	require.NoError(t, err)
	_, err = redacted.Handler(cassette.ReplayOptions{Matching: cassette.Matching{Ignore: []string{"user"}}})
	assert.ErrorContains(t, err, "redacted")
}

// A redacted recording is matched by requests that hold the text, and by no others; a
// conversation goes on with what was redacted.
func TestRedactedMatching(t *testing.T) {
	t.Parallel()
	const (
		first  = `{"model":"m","user":"a","messages":[{"role":"user","content":"Weather in Paris on 24 May?"}]}`
		second = `{"model":"m","messages":[{"role":"user","content":"Weather in Paris?"},` +
			`{"role":"assistant","content":"Warm, 21 °C","tool_calls":[{"id":"call_Ab12Cd34Ef","function":{"name":"weather","arguments":"{\"city\":\"Paris\",\"ok\":true}"}}]},{"role":"tool","tool_call_id":"call_Ab12Cd34Ef","content":"21"}]}`
	)
	rec := cassette.Recording{
		Redact: true, Matching: cassette.Matching{Ignore: []string{"trace"}},
		Scrub: []cassette.Scrubber{func(b []byte) [][]int { return regexp.MustCompile(`cust-\d+`).FindAllIndex(b, -1) }},
	}
	c, err := cassette.Assemble(rec, request("api.test/cust-7/v1?alt=sse", first, "!"), request(at, second, "?"))
	require.NoError(t, err)
	path := temporary(t, "c.jsonl")
	require.NoError(t, cassette.Write(path, c))
	c, err = cassette.Read(path)
	require.NoError(t, err)
	assert.Equal(t, `{"model":"m","user":"x","messages":[{"role":"user","content":"Xxxxxxx xx Xxxxx xx 11 Xxx?"}]}`, string(c.At(0).Request.Body))

	o := cassette.ReplayOptions{Repeat: true, Scrub: rec.Scrub}
	to := "api.test/cust-7/v1?alt=sse "
	said := `"content":"Xxxx, 11 °X","tool_calls":[{"id":"call_Qx91Aa77Zz","function":{"name":"weather","arguments":"{\"xxxx\":\"Xxxxx\",\"xx\":true}"}}]},{"role":"tool","tool_call_id":"call_Qx91Aa77Zz","content":"11"}]}`
	filler := second[:strings.Index(second, `"content":"Warm`)] + said
	got, misses := answers(t, c, o, to+first, to+strings.Replace(first, `"a"`, `"b","trace":7`, 1), at+" "+second, at+" "+filler,
		to+strings.Replace(first, "Paris", "Texas", 1), to+strings.Replace(first, "Paris", "Berlin", 1), to+strings.Replace(first, `"m"`, `"n"`, 1), at+" "+strings.Replace(filler, "Paris", "Texas", 1))
	assert.Equal(t, []string{"!", "!", "?", "?", "miss body", "miss messages[0].content", "miss model", "miss body"}, got)
	assert.ErrorContains(t, misses[0], "cannot be told")
	assert.Contains(t, misses[1].Diff, "Xxxxxx")
	assert.NotContains(t, misses[1].Diff, "Berlin", "nor does a miss tell the text")
}

// The salt keeps a cassette's hashes apart from those of another.
func TestSaltsDiffer(t *testing.T) {
	t.Parallel()
	hash := func() string {
		c, err := cassette.Assemble(cassette.Recording{Redact: true}, request(at, `{"prompt":"yes"}`, "1"))
		require.NoError(t, err)
		path := temporary(t, "c.jsonl")
		require.NoError(t, cassette.Write(path, c))
		return regexp.MustCompile(`"key":"[0-9a-f]{64}"`).FindString(everything(t, path))
	}
	a, b := hash(), hash()
	assert.NotEmpty(t, a)
	assert.NotEqual(t, a, b)
}
