package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A day of traffic has this many requests, of so many prompts. An answer is 100 events.
const (
	dayRequests = 20_000
	dayPrompts  = 500
	dayEvents   = 100
	dayModel    = "anthropic.bench"
)

// BenchmarkReplayOfADay replays 24 hours of traffic in virtual time, each request at the
// time at which it was recorded, through AWS's SDK, measured by latencytest, in a process
// of its own, and shows how long that takes and how much memory. The recording is made up
// beforehand, in another process: Poisson arrivals, answers of 100 reads.
//
// What happens in virtual time is one chain of events, which a second processor only
// passes back and forth: it is run with one, as by go test -cpu 1, and with all.
//
//	go test ./bench -run '^$' -bench ReplayOfADay -benchtime 1x
func BenchmarkReplayOfADay(b *testing.B) {
	l := load{Requests: dayRequests, Cassette: filepath.Join(b.TempDir(), "day.cassette.jsonl")}
	if testing.Short() {
		l.Requests = 1000
	}
	megabytes := alone[float64](b, "makeday", l)
	for _, cpus := range slices.Compact([]int{1, runtime.NumCPU()}) {
		b.Run(fmt.Sprintf("cpus=%d", cpus), func(b *testing.B) {
			l.CPUs = cpus
			for b.Loop() {
				before := machine()
				o := alone[day](b, "replayday", l)
				b.Logf("%s\n%d requests over %v, a cassette of %.0f MB: read and replayed in %v (%v of CPU), %.0f MB",
					before, l.Requests, o.Virtual.Round(time.Minute), megabytes, o.Wall.Round(time.Millisecond), o.CPU.Round(time.Millisecond), o.RSS)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(o.Wall.Seconds(), "s/day")
				b.ReportMetric(o.CPU.Seconds(), "cpu-s/day")
				b.ReportMetric(o.RSS, "rss-MB")
			}
		})
	}
}

// A day is what it took to replay one.
type day struct {
	Wall, CPU time.Duration // with reading the cassette
	Virtual   time.Duration // from the first request to the last one
	RSS       float64       // the process's peak, in MB of 10⁶ bytes
}

func dayPrompt(n int) string { return fmt.Sprintf("Customer %d: where is my order?", n) }

// makeDay writes the recording, and returns its size in MB.
func makeDay(l load) any {
	random := rand.New(rand.NewPCG(20, 26))
	const bodies = 1000 // answers, which repeat
	var answers []cassette.Response
	for range bodies {
		answers = append(answers, converseAnswer(random))
	}
	all := make([]*cassette.Interaction, l.Requests)
	for n, at := range dayArrivals(l.Requests) {
		all[n] = &cassette.Interaction{
			Call: at, Order: int64(n), Sample: n, Timing: cassette.Recorded,
			Request: cassette.Request{
				Method: http.MethodPost, Host: "bedrock-runtime.us-east-1.amazonaws.com", Path: "/model/" + dayModel + "/converse-stream",
				Body: fmt.Appendf(nil, `{"messages":[{"content":[{"text":%q}],"role":"user"}]}`, dayPrompt(n%dayPrompts)),
			},
			Response: answers[n%bodies],
		}
	}
	c, err := cassette.Assemble(cassette.Recording{Name: "a day"}, all...)
	if err != nil {
		fail("%v", err)
	}
	if err := cassette.Write(l.Cassette, c); err != nil {
		fail("%v", err)
	}
	return sizeOf(l.Cassette)
}

// dayArrivals are those of a Poisson process, over 24 hours on average.
func dayArrivals(requests int) []time.Duration {
	random := rand.New(rand.NewPCG(20, 25))
	arrivals := make([]time.Duration, requests)
	for n := 1; n < requests; n++ {
		arrivals[n] = arrivals[n-1] + time.Duration(random.ExpFloat64()*float64(24*time.Hour)/float64(requests))
	}
	return arrivals
}

// converseAnswer is an answer of Bedrock's, one event a read.
func converseAnswer(random *rand.Rand) cassette.Response {
	var body bytes.Buffer
	var reads []wire.Mark
	encoder := eventstream.NewEncoder()
	at := time.Duration(300+300*random.Float64()) * time.Millisecond
	head := at - 10*time.Millisecond
	event := func(kind string, payload any) {
		data, err := json.Marshal(payload)
		if err != nil {
			fail("%v", err)
		}
		header := func(name, value string) eventstream.Header {
			return eventstream.Header{Name: name, Value: eventstream.StringValue(value)}
		}
		if err := encoder.Encode(&body, eventstream.Message{
			Headers: eventstream.Headers{header(":event-type", kind), header(":content-type", "application/json"), header(":message-type", "event")},
			Payload: data,
		}); err != nil {
			fail("%v", err)
		}
		reads = append(reads, wire.Mark{End: int64(body.Len()), At: at})
		at += time.Duration((15 + 10*random.Float64()) * float64(time.Millisecond))
	}
	type object = map[string]any
	event("messageStart", object{"role": "assistant"})
	const others = 4
	for range dayEvents - others {
		word := fmt.Sprintf(" %x", random.Uint32N(1<<uint(8+random.IntN(16))))
		event("contentBlockDelta", object{"contentBlockIndex": 0, "delta": object{"text": word}, "p": "abcdefghijklmnopqrstuvwxyz"[:random.IntN(26)]})
	}
	event("contentBlockStop", object{"contentBlockIndex": 0})
	event("messageStop", object{"stopReason": "end_turn"})
	event("metadata", object{"usage": object{"inputTokens": 9, "outputTokens": dayEvents - others, "totalTokens": dayEvents + 5}, "metrics": object{"latencyMs": 2400}})
	return cassette.Response{
		Proto: "HTTP/1.1", Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}},
		Body: body.Bytes(), Reads: reads, Phases: wire.Phases{Header: wire.At(head)}, End: wire.At(reads[len(reads)-1].At), Ending: wire.EndEOF,
	}
}

// replayDay replays the recording in a test, since only these have virtual time. It
// does not return: the test ends the process.
func replayDay(l load) any {
	test := func(t *testing.T) {
		runtime.GOMAXPROCS(l.CPUs)
		var took day
		began, cpu := time.Now(), cpuTime()
		latencytest.Replay(t, l.Cassette, func(t *testing.T, rec *latencytest.Recorder) {
			took.Virtual = askForADay(t, rec)
		})
		took.Wall, took.CPU, took.RSS = time.Since(began), cpuTime()-cpu, peakMemory()
		if t.Failed() {
			return
		}
		if err := json.NewEncoder(os.Stdout).Encode(took); err != nil {
			t.Fatal(err)
		}
		os.Exit(0)
	}
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "Day", F: test}}, nil, nil)
	return nil
}

func askForADay(t *testing.T, rec *latencytest.Recorder) (virtual time.Duration) {
	client := bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", ""), HTTPClient: rec.Client(),
	})
	arrivals := rec.Recording.Arrivals()
	prompts := make([]providers.Prompt, dayPrompts)
	for n := range prompts {
		prompts[n].Text = dayPrompt(n)
	}
	res, err := latencytest.MeasureFunc(t.Context(), rec, latencytest.Plan{Prompts: prompts, Load: latencytest.Arrivals(arrivals)},
		func(ctx context.Context, p providers.Prompt) error { return converse(ctx, client, p.Text) })
	if err != nil {
		t.Fatal(err)
	}
	s := res.Scenarios[0]
	if s.Failed() > 0 || s.Attempts() != len(arrivals) {
		t.Fatal(s.Ends())
	}
	if lag := s.Quantile(latencytest.ScheduleLag, latencytest.P99); !(lag <= 1000) {
		t.Fatalf("the P99 of schedule_lag is %v ns, in virtual time", lag)
	}
	return s.Samples[len(s.Samples)-1].Time.Sub(s.Samples[0].Time)
}

func converse(ctx context.Context, client *bedrockruntime.Client, text string) error {
	out, err := client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId:  aws.String(dayModel),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}},
	})
	if err != nil {
		return err
	}
	stream := out.GetStream()
	defer stream.Close()
	for range stream.Events() {
	}
	return stream.Err()
}
