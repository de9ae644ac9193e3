package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// BenchmarkReplayOverLoopback replays a recording over loopback in real time, and shows
// how far the times to the first read are from the recorded ones. A bare server that
// sends the same bytes by the same schedule, asked by turns, shows what of it is the
// machine's and the network's. Server and client are processes of their own.
//
//	go test ./bench -run '^$' -bench ReplayOverLoopback -benchtime 1x
func BenchmarkReplayOverLoopback(b *testing.B) {
	l := load{Streams: 8, Events: 20, Interval: 20 * time.Millisecond, Requests: 800, Cassette: filepath.Join(b.TempDir(), "loopback.cassette.jsonl")}
	if testing.Short() {
		l.Requests = 32
	}
	if err := makeStreams(l); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		before := machine()
		far, _ := betweenTwo[distances](b, "replayserver", "replayclient", l)
		b.Logf("%s\n%d streams of %d reads each way, %d at once\n|TTFT − recorded|   P50      P99       max\nreplay         %v\nbare           %v",
			before, far.Replay.N, l.Events, l.Streams, far.Replay, far.Bare)
		b.ReportMetric(0, "ns/op")
		for name, of := range map[string]errorsOf{"replay": far.Replay, "bare": far.Bare} {
			b.ReportMetric(float64(of.P50)/1e3, "µs-"+name+"-P50")
			b.ReportMetric(float64(of.P99)/1e3, "µs-"+name+"-P99")
		}
	}
}

// distances are how far the times to the first read are from the recorded ones.
type distances struct{ Replay, Bare errorsOf }

const (
	bare = "/bare"

	headBefore = 10 * time.Millisecond // the response head comes so long before the first read
)

func numbered(n int) string {
	return fmt.Sprintf(`{"model":"bench","stream":true,"messages":[{"role":"user","content":"%d"}]}`, n)
}

// makeStreams writes a recording of half the load's requests, the first reads after 50 to
// 300 ms.
func makeStreams(l load) error {
	random := rand.New(rand.NewPCG(20, 27))
	all := make([]*cassette.Interaction, l.Requests/2)
	for n := range all {
		var body bytes.Buffer
		var reads []wire.Mark
		at := time.Duration((50 + 250*random.Float64()) * float64(time.Millisecond))
		for range l.Events {
			text, _ := chunk(n)
			body.Write(text)
			reads = append(reads, wire.Mark{End: int64(body.Len()), At: at})
			at += l.Interval
		}
		all[n] = &cassette.Interaction{
			Call: time.Duration(n) * time.Second, Order: int64(n), Sample: n, Timing: cassette.Recorded,
			Request: cassette.Request{Method: http.MethodPost, Host: "api.openai.com", Path: "/v1/chat/completions", Body: []byte(numbered(n))},
			Response: cassette.Response{
				Proto: "HTTP/1.1", Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
				Body: body.Bytes(), Reads: reads, Phases: wire.Phases{Header: wire.At(reads[0].At - headBefore)}, End: wire.At(reads[len(reads)-1].At), Ending: wire.EndEOF,
			},
		}
	}
	c, err := cassette.Assemble(cassette.Recording{Name: "loopback"}, all...)
	if err != nil {
		return err
	}
	return cassette.Write(l.Cassette, c)
}

// serveReplay is the server process: it says its URL, and ends when its standard input
// does.
func serveReplay(l load) any {
	recording := readCassette(l)
	player, err := recording.Handler(cassette.ReplayOptions{Repeat: true})
	if err != nil {
		fail("%v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if text, isBare := strings.CutPrefix(r.URL.Path, bare+"/"); isBare {
			sendBare(w, recording, text)
			return
		}
		player.ServeHTTP(w, r)
	}
	go func() { _ = http.Serve(listener, http.HandlerFunc(handler)) }()
	if err := json.NewEncoder(os.Stdout).Encode("http://" + listener.Addr().String()); err != nil {
		fail("%v", err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := player.Err(); err != nil {
		fail("%v", err)
	}
	return served{}
}

// sendBare sends a recorded answer as a handler does that knows of no recordings.
func sendBare(w http.ResponseWriter, recording *cassette.Cassette, text string) {
	start := time.Now()
	n, err := strconv.Atoi(text)
	if err != nil {
		fail("%v", err)
	}
	answer := recording.At(n).Response
	w.Header().Set("Content-Type", "text/event-stream")
	time.Sleep(time.Until(start.Add(answer.Reads[0].At - headBefore)))
	_ = http.NewResponseController(w).Flush()
	from := int64(0)
	for _, read := range answer.Reads {
		time.Sleep(time.Until(start.Add(read.At)))
		_, _ = w.Write(answer.Body[from:read.End])
		_ = http.NewResponseController(w).Flush()
		from = read.End
	}
}

func readCassette(l load) *cassette.Cassette {
	recording, err := cassette.Read(l.Cassette)
	if err != nil {
		fail("%v", err)
	}
	return recording
}

// measureReplay asks for each recording once either way, by turns, after a warm-up that
// opens the connections.
func measureReplay(l load) any {
	recording := readCassette(l)
	client := &http.Client{Transport: &wire.Transport{Base: network()}}
	requests := make(chan int)
	var mu sync.Mutex
	far := make(map[bool][]float32)
	var clients sync.WaitGroup
	for range l.Streams {
		clients.Go(func() {
			for n := range requests {
				isBare, warmup := n%2 == 1, n < 0
				n = max(0, n) / 2
				x := asked(client, l, n, isBare)
				recorded := recording.At(n).Response.Reads[0].At
				got, _ := x.BodyStart().Get()
				if warmup {
					continue
				}
				mu.Lock()
				far[isBare] = append(far[isBare], float32((got - recorded).Abs()))
				mu.Unlock()
			}
		})
	}
	for n := -4 * l.Streams; n < recording.Len()*2; n++ {
		requests <- n
	}
	close(requests)
	clients.Wait()
	return distances{Replay: summary(far[false]), Bare: summary(far[true])}
}

func asked(client *http.Client, l load, n int, isBare bool) *wire.Exchange {
	url := l.URL + "/v1/chat/completions"
	if isBare {
		url = l.URL + bare + "/" + strconv.Itoa(n)
	}
	capture := wire.NewCapture(n)
	req, err := http.NewRequestWithContext(capture.Context(context.Background()), http.MethodPost, url, strings.NewReader(numbered(n)))
	if err != nil {
		fail("%v", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		fail("%v", err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	x := capture.Exchanges()[0]
	if x.Err != nil || x.Status != http.StatusOK || len(x.Body) == 0 {
		fail("request %d: %d %v %.500s", n, x.Status, x.Err, x.Body)
	}
	return x
}
