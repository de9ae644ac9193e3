package yourapp_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/baseline"
	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/examples/yourapp"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
)

// The recording that the tests of this file replay. It was made with
//
//	LATGATE_RECORD=TestRecordTriage go test ./examples/yourapp -run TestRecordTriage
const triageCassette = "testdata/latgate/TestRecordTriage.cassette.jsonl"

var triagePlan = latencytest.Plan{
	Prompts: []providers.Prompt{
		{ID: "leak", Text: "Water drips from my boiler."},
		{ID: "bill", Text: "I was billed twice this month."},
		{ID: "hours", Text: "When are you open?"},
	},
	Requests: 6, Warmup: 1, Load: latencytest.Closed(1), Seed: 1,
}

// triage measures what the users of the application wait for: from their message to
// the first word of the answer that they see.
func triage(t *testing.T, rec *latencytest.Recorder, change yourapp.Change) *latencytest.Result {
	t.Helper()
	cfg := fakebedrock.Config(rec.Client())
	app := yourapp.NewTriage(bedrockruntime.NewFromConfig(cfg, yourapp.WithoutRetries), model)
	app.Change = change
	return latencytest.RunFunc(t, rec, triagePlan, func(ctx context.Context, p providers.Prompt) error {
		return app.Answer(ctx, screen{ctx}, p.Text)
	})
}

// A screen is where the user reads.
type screen struct{ ctx context.Context }

func (s screen) Write(p []byte) (int, error) {
	latencytest.FirstToken(s.ctx)
	return len(p), nil
}

var triageGates = []assertions.Gate{
	assertions.NoRegression(latencytest.OperationTTFT, latencytest.P50, latencytest.P90),
	assertions.NoRegression(latencytest.OperationTime, latencytest.P90),
	assertions.NoRegression(latencytest.SerialCalls, latencytest.P90),
	assertions.Calls(3),
}

// TestRecordTriage runs the application against its endpoint, here the fake, to be
// recorded. It gates nothing.
func TestRecordTriage(t *testing.T) {
	if settings, err := latencytest.ReadSettings(); err != nil || settings.Record == "" {
		t.Skip("it is for -latgate.record=TestRecordTriage")
	}
	script, err := fakebedrock.Script()
	require.NoError(t, err)
	script.OutputTokens = 8 // a short answer makes a short file
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fakes.Bedrock(script))
		defer network.Close()
		triage(t, &latencytest.Recorder{Base: network.Transport()}, yourapp.Change{})
	})
}

// TestLatencyTriage replays the recording: without a key or a network it tells, to the
// nanosecond, whether the application became slower.
func TestLatencyTriage(t *testing.T) {
	latencytest.Replay(t, triageCassette, func(t *testing.T, rec *latencytest.Recorder) {
		res := triage(t, rec, yourapp.Change{})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir), triageGates...)
	})
}

// throttled has the endpoint throttle every tenth request once.
var throttled = cassette.ReplayOptions{Repeat: true, Faults: []cassette.Fault{{
	On:     func(request int, _ *cassette.Interaction) bool { return request%10 == 4 },
	Effect: cassette.Throttle{},
}}}

// TestLatencyTriageThrottled is what the users wait for while the endpoint throttles.
func TestLatencyTriageThrottled(t *testing.T) {
	latencytest.ReplayWith(t, triageCassette, throttled, func(t *testing.T, rec *latencytest.Recorder) {
		res := triage(t, rec, yourapp.Change{})
		assertions.Check(t, res, baseline.Dir(latencytest.Dir), triageGates...)
	})
}

// TestSlowerTriageIsFound makes the application slower in five ways that no other test
// would notice. Each turns the gate red, and is named.
func TestSlowerTriageIsFound(t *testing.T) {
	for _, test := range []struct {
		name   string
		change yourapp.Change
		faults cassette.ReplayOptions
		of     string // the gate whose baseline it is held against
		want   []string
	}{
		{
			"a lost parallelism",
			yourapp.Change{Serial: true},
			cassette.ReplayOptions{Repeat: true},
			"TestLatencyTriage",
			[]string{"P90 operation_ttft", "phase:    calls before the answer", "on the critical path 2 → 3", "P90 serial_calls 2 → 3 calls"},
		},
		{
			"a guard rail",
			yourapp.Change{Guard: true},
			cassette.ReplayOptions{Repeat: true},
			"TestLatencyTriage",
			[]string{"cassette-miss", "messages[0].content[0].text differs"},
		},
		{
			"a buffered stream",
			yourapp.Change{Buffered: true},
			cassette.ReplayOptions{Repeat: true},
			"TestLatencyTriage",
			[]string{"P90 operation_ttft", "phase:    the application holding the answer back"},
		},
		{
			"a slow look-up",
			yourapp.Change{LookUp: 150 * time.Millisecond},
			cassette.ReplayOptions{Repeat: true},
			"TestLatencyTriage",
			[]string{"P90 operation_ttft", "phase:    the application before its first call +150 ms"},
		},
		{
			"a retry that sleeps",
			yourapp.Change{Sleep: 2 * time.Second},
			throttled, "TestLatencyTriageThrottled",
			[]string{"P90 operation_ttft", "phase:    retries"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.change.Guard { // the recording does not answer it, which Replay reports as well
				text := guarded(t)
				for _, want := range test.want {
					assert.Contains(t, text, want)
				}
				return
			}
			latencytest.ReplayWith(t, triageCassette, test.faults, func(t *testing.T, rec *latencytest.Recorder) {
				res := triage(t, rec, test.change)
				as(res, test.of)
				f := &failing{TB: t}
				assert.False(t, assertions.Check(f, res, baseline.Dir(latencytest.Dir), triageGates...))
				for _, want := range test.want {
					assert.Contains(t, f.text, want)
				}
			})
		})
	}
}

// guarded replays an application that asks for more than was recorded.
func guarded(t *testing.T) string {
	t.Helper()
	recording, err := cassette.Read(triageCassette)
	require.NoError(t, err)
	f := &failing{TB: t}
	virtual(t, recording, func(t *testing.T, transport http.RoundTripper) {
		res := triage(t, &latencytest.Recorder{Base: transport}, yourapp.Change{Guard: true})
		as(res, "TestLatencyTriage")
		assert.False(t, assertions.Check(f, res, baseline.Dir(latencytest.Dir), triageGates...))
	})
	return f.text
}

// as gives a result the name of the test whose baseline it is compared with.
func as(res *latencytest.Result, test string) {
	for _, s := range res.Scenarios {
		for i := range s.Identity {
			if s.Identity[i].Name == "test" {
				s.Identity[i].Value = test
			}
		}
	}
}

// A failing test keeps the text of its failure.
type failing struct {
	testing.TB
	mu   sync.Mutex
	text string
}

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text += fmt.Sprintf(format, args...) + "\n"
	f.Logf("as it should be: %s", strings.TrimSpace(f.text))
}
