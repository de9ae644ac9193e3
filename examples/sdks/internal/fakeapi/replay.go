package fakeapi

import (
	"testing"
	"testing/synctest"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// Few is the plan of what is recorded: a replay is exact, so that a handful of requests
// tells what hundreds tell of an endpoint.
func Few(t *testing.T, load latencytest.LoadModel) latencytest.Plan {
	t.Helper()
	return latencytest.Plan{
		Prompts:  latencytest.Prompts(t, "../testdata/questions.jsonl"),
		Requests: 6,
		Load:     load,
		Seed:     1, // whatever the day of the fake: the order of the questions is part of the replay
	}
}

// Record runs f against the fake, whose answers are short, for -latgate.record to
// record. Without that it skips the test.
func Record(t *testing.T, fake Fake, f func(t *testing.T, rec *latencytest.Recorder) *latencytest.Result) {
	t.Helper()
	if settings, err := latencytest.ReadSettings(); err != nil || settings.Record == "" {
		t.Skip("it is for LATGATE_RECORD=TestRecord")
	}
	script, err := fakebedrock.Script()
	if err != nil {
		t.Fatal(err)
	}
	script.OutputTokens = 5 // a short answer makes a short file
	Isolate(t)
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fake(script))
		defer network.Close()
		f(t, &latencytest.Recorder{Base: network.Transport()})
	})
}

// Replay runs f against what the test of that name recorded, in virtual time, and gates
// what the application's users wait for, and how often it asks.
func Replay(t *testing.T, recordedBy string, f func(t *testing.T, rec *latencytest.Recorder) *latencytest.Result) {
	t.Helper()
	Isolate(t)
	latencytest.Replay(t, latencytest.CassetteFile(recordedBy, ""), func(t *testing.T, rec *latencytest.Recorder) {
		assertions.Check(t, f(t, rec), baseline.Dir(latencytest.Dir),
			assertions.NoRegression(latencytest.OperationTTFT, latencytest.P50, latencytest.P90),
			assertions.NoRegression(latencytest.OperationTime, latencytest.P90),
			assertions.Calls(1),
		)
	})
}
