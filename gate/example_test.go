package gate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latgate/latgate/assertions"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/gate"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/endpoint"
	"github.com/latgate/latgate/providers/openai"
	"github.com/latgate/latgate/report"
)

// silent is a test that nobody watches.
type silent struct{ testing.TB }

func (silent) Helper()             {}
func (silent) Logf(string, ...any) {}

// measureShard leaves in a directory what latgate run --shard leaves there: what a test
// measured and checked, and a manifest of what has run.
func measureShard(dir string, shard gate.Shard, planned []string) error {
	test := planned[shard.Index]
	network := fakes.NewNetwork(fakes.OpenAI(fakes.Script{OutputTokens: 2}))
	defer network.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	target := openai.Chat("m", endpoint.Options{Client: network.Client(), Key: "any"})
	res, err := latencytest.Measure(context.Background(), target, latencytest.Plan{
		Prompts: []providers.Prompt{{Text: "Hello"}}, Requests: 50, SampleFile: filepath.Join(dir, test+".samples.jsonl"),
	})
	if err != nil {
		return err
	}
	res.Test = test
	assertions.Check(silent{}, res, nil, assertions.Below(latencytest.TTFT, latencytest.P90, time.Minute), assertions.ErrorRate(.1))

	started := time.Date(2026, 11, 20, 3, 17, 5, 0, time.UTC)
	manifest := gate.Manifest{
		Tool: "v1.0.0", Run: "42", Attempt: 1, Shard: shard.Index, Shards: shard.Of, Mode: report.Replay, Started: started, Ended: started,
		Packages: []gate.Ran{{Package: "example.com/app", Dir: "gate", Outcome: gate.Passed}},
		Tests:    []gate.Ran{{Package: "example.com/app", Dir: "gate", Test: test, Outcome: gate.Passed}},
	}
	for _, name := range planned {
		manifest.Planned = append(manifest.Planned, "example.com/app "+name)
	}
	return manifest.Write(dir)
}

// Two machines measure a test each. One of them judges: both together, or nothing.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	shards := filepath.Join(dir, "shards")
	for i := range 2 {
		err := measureShard(filepath.Join(shards, fmt.Sprint(i)), gate.Shard{Index: i, Of: 2}, []string{"TestLatencyChat", "TestLatencyTools"})
		if err != nil {
			panic(err)
		}
	}

	merged, expected := filepath.Join(dir, "merged"), []gate.Expected{{Stratum: gate.Stratum{Mode: report.Replay}, Shards: 2}}
	err = gate.Merge(merged, expected, filepath.Join(shards, "0"))
	fmt.Println(gate.ExitCode(err, report.ExitInternal), err)

	if err := gate.Merge(merged, expected, shards); err != nil {
		panic(err)
	}
	build, err := gate.Judge(context.Background(), gate.Options{Dir: merged, Root: dir})
	if err != nil {
		panic(err)
	}
	for _, row := range build.Rows {
		fmt.Println(row.Test, row.Gate, row.Verdict)
	}
	fmt.Println(build.ExitCode, build.Headline())

	// Output:
	// 13 mode replay: of 2 shards there are missing: 1
	// TestLatencyChat Below(ttft, P90, 60 s) pass
	// TestLatencyChat ErrorRate(10 %) pass
	// TestLatencyTools Below(ttft, P90, 60 s) pass
	// TestLatencyTools ErrorRate(10 %) pass
	// 0 4 passed
}
