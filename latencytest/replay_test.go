package latencytest_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// asked is an application that asks twice, and then hands the answer over.
func asked(a asker) func(context.Context, providers.Prompt) error {
	return func(ctx context.Context, p providers.Prompt) error {
		if err := a.ask(ctx, "Is this allowed? "+p.Text); err != nil {
			return err
		}
		time.Sleep(7 * ms)
		err := a.ask(ctx, p.Text)
		latencytest.FirstToken(ctx)
		return err
	}
}

var asking = latencytest.Plan{Prompts: promptSet(3), Requests: 20, Load: latencytest.Closed(2), Seed: 5}

// recorded runs the application against a fake, with the flag that records it.
func recorded(t *testing.T) (path string, live *latencytest.Result) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("LATGATE_RECORD", "^TestRecorded$")
	script := lively
	script.Seed = 3
	tb := pretend("TestRecorded", func(tb testing.TB) {
		synctest.Test(t, func(t *testing.T) {
			network := fakes.NewNetwork(fakes.OpenAI(script))
			defer network.Close()
			rec := &latencytest.Recorder{Base: network.Transport()}
			live = latencytest.RunFunc(tb, rec, asking, asked(asker{rec.Client()}))
		})
	})
	require.Empty(t, tb.fatal)
	path = latencytest.CassetteFile("TestRecorded", "")
	require.FileExists(t, path)
	assert.Contains(t, strings.Join(tb.logs, "\n"), "recorded in testdata/latgate/TestRecorded.cassette.jsonl")
	t.Setenv("LATGATE_RECORD", "")
	return path, live
}

func replay(t *testing.T, path string, o cassette.ReplayOptions) (res *latencytest.Result) {
	t.Helper()
	latencytest.ReplayWith(t, path, o, func(t *testing.T, rec *latencytest.Recorder) {
		res = latencytest.RunFunc(t, rec, asking, asked(asker{rec.Client()}))
	})
	return res
}

// What was recorded comes back at the same nanosecond, each time.
func TestReplayIsExact(t *testing.T) {
	path, live := recorded(t)
	var first *latencytest.Result
	for range 3 {
		res := replay(t, path, cassette.ReplayOptions{})
		require.Equal(t, "20/20 ok", res.Scenarios[0].Ends())
		if first == nil {
			first = res
		}
		for i := range res.Samples {
			a, b, c := live.Samples[i], res.Samples[i], first.Samples[i]
			require.Equal(t, a.First, b.First, "sample %d", i)
			require.Equal(t, a.Last, b.Last)
			require.Equal(t, a.Gaps, b.Gaps)
			require.Equal(t, a.Operation, b.Operation)
			require.Equal(t, a.Usage, b.Usage)
			require.Equal(t, c, b, "bit-identical")
		}
		assert.NotEmpty(t, res.Scenarios[0].Identity.Get(latencytest.RecordingFact))
		assert.Empty(t, live.Scenarios[0].Identity.Get(latencytest.RecordingFact))
	}
	slower := replay(t, path, cassette.ReplayOptions{Pace: cassette.Pace{Speed: .5}})
	a, _ := first.Samples[4].Last.Get()
	b, _ := slower.Samples[4].Last.Get()
	assert.InDelta(t, float64(2*a-7*ms), float64(b), 1e4, "all but the application's own pause")
	assert.NotEqual(t, first.Scenarios[0].Identity.Get(latencytest.RecordingFact), slower.Scenarios[0].Identity.Get(latencytest.RecordingFact),
		"what-if questions are not compared with what was")
}

// An application that asks something else is told what is different.
func TestReplayOfAnotherQuestion(t *testing.T) {
	path, _ := recorded(t)
	c, err := cassette.Read(path)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		player, err := c.Handler(cassette.ReplayOptions{})
		require.NoError(t, err)
		network := fakes.NewNetwork(player)
		defer network.Close()
		rec := &latencytest.Recorder{Base: network.Transport()}
		a := asker{rec.Client()}
		res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: promptSet(1), Requests: 1, Storm: -1},
			func(ctx context.Context, p providers.Prompt) error { return a.ask(ctx, "What else?") })
		var warmup *latencytest.WarmupError
		if err != nil {
			require.ErrorAs(t, err, &warmup)
		}
		assert.Equal(t, providers.NotRecorded, res.Samples[0].Class)
		assert.Contains(t, res.Samples[0].Error, "messages[0].content")
		require.NotEmpty(t, player.Misses())
	})
}

// A real connection inside a bubble says what to do, instead of hanging.
func TestRealConnectionInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := asker{}.plain().Get("http://127.0.0.1:9/")
		assert.ErrorContains(t, err, "from inside a synctest bubble")
		assert.ErrorContains(t, err, "give the SDK the recorder's client")
	})
}

// A recording whose reads all came at once is refused by a gate on times.
func TestReplayOfABufferedRecording(t *testing.T) {
	path, _ := recorded(t)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "Bearer")
}

// The recording that is replayed can be asked when its requests came.
func TestReplayOfTheRecordedLoad(t *testing.T) {
	path, live := recorded(t)
	latencytest.Replay(t, path, func(t *testing.T, rec *latencytest.Recorder) {
		arrivals := rec.Recording.Arrivals()
		require.Len(t, arrivals, 2*(live.Plan.Warmup+live.Plan.Requests)) // two calls an operation
		plan := latencytest.Plan{Prompts: promptSet(3), Load: latencytest.Arrivals(arrivals), Requests: len(arrivals)}
		res := latencytest.RunFunc(t, rec, plan, asked(asker{rec.Client()}))
		require.Equal(t, "44/44 ok", res.Scenarios[0].Ends())
		measured := res.Samples[res.Plan.Warmup:]
		for i, at := range arrivals {
			require.Equal(t, at, measured[i].Time.Sub(measured[0].Time))
		}
	})
}
