package cassette_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// chunks returns the reads of a stream: each one event.
func chunks(request, n int) (body []byte, reads []wire.Mark) {
	at := time.Duration(300+request%200) * ms
	for k := range n {
		body = fmt.Appendf(body, `data: {"id":"chatcmpl-%024d","object":"chat.completion.chunk","created":1763000000,"model":"gpt-test","choices":[{"index":0,"delta":{"content":" word%d"},"finish_reason":null}],"usage":null}`+"\n\n", request, k*request%977)
		reads = append(reads, wire.Mark{End: int64(len(body)), At: at})
		at += time.Duration(8+(k*k+request)%23)*ms + time.Duration(request%1000)
	}
	return body, reads
}

// long makes a cassette of many requests of 100 reads each.
func long(tb testing.TB, requests int) *cassette.Cassette {
	tb.Helper()
	all := make([]*cassette.Interaction, 0, requests)
	for n := range requests {
		body, reads := chunks(n, 100)
		all = append(all, &cassette.Interaction{
			Call: time.Duration(n) * 50 * ms, Order: int64(n), Sample: n, Timing: cassette.Recorded,
			Request: cassette.Request{Method: "POST", Host: "api.openai.com", Path: "/v1/chat/completions", Body: []byte(chat(strconv.Itoa(n % 500)))},
			Response: cassette.Response{
				Proto: "HTTP/1.1", Status: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
				Body: body, Reads: reads, End: wire.At(reads[len(reads)-1].At), Ending: wire.EndEOF,
				Phases: wire.Phases{Header: wire.At(reads[0].At - 10*ms)},
			},
		})
	}
	c, err := cassette.Assemble(cassette.Recording{Name: "long"}, all...)
	require.NoError(tb, err)
	return c
}

// replayAll asks all that was recorded, when it was, with a plain client, and returns
// the bytes that came.
func replayAll(t *testing.T, c *cassette.Cassette) (bytes int64) {
	var mu sync.Mutex
	synctest.Test(t, func(t *testing.T) {
		player, err := c.Handler(cassette.ReplayOptions{})
		require.NoError(t, err)
		network := fakes.NewNetwork(player)
		defer network.Close()
		client := network.Client()
		var running sync.WaitGroup
		start := time.Now()
		for n, at := range c.Arrivals() {
			time.Sleep(time.Until(start.Add(at)))
			running.Go(func() {
				resp, err := client.Post(chatURL, "application/json", strings.NewReader(chat(strconv.Itoa(n%500))))
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				mu.Lock()
				bytes += got
				mu.Unlock()
			})
		}
		running.Wait()
		require.NoError(t, player.Err())
	})
	return bytes
}

// A recording of many requests is read and replayed in virtual time in seconds, and in
// little memory. The figures of a long one, in a process that does nothing else (the
// first run makes the file):
//
//	export LATGATE_LONG=20000 LATGATE_LONG_FILE=/tmp/long.cassette.jsonl
//	go test -run LongReplay ./fakes/cassette && go test -count=1 -run LongReplay -v ./fakes/cassette
func TestLongReplay(t *testing.T) {
	requests, err := strconv.Atoi(os.Getenv("LATGATE_LONG"))
	if err != nil {
		requests = 50
	}
	path := os.Getenv("LATGATE_LONG_FILE")
	if path == "" {
		path = temporary(t, "long.cassette.jsonl")
	}
	if _, err := os.Stat(path); err != nil {
		start := time.Now()
		require.NoError(t, cassette.Write(path, long(t, requests)))
		t.Logf("made and written: %v", time.Since(start))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)

	report := func(what string, took time.Duration) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%s in %v: %d MB live, %d MB from the system", what, took, m.HeapAlloc>>20, m.Sys>>20)
	}
	start := time.Now()
	c, err := cassette.Read(path)
	require.NoError(t, err)
	report(fmt.Sprintf("%d MB, %d requests read", info.Size()>>20, c.Len()), time.Since(start))
	require.Equal(t, requests, c.Len())
	start = time.Now()
	bytes := replayAll(t, c)
	report(fmt.Sprintf("%d MB replayed", bytes>>20), time.Since(start))
	require.Greater(t, bytes, int64(requests)*100*150)
}

func BenchmarkRead(b *testing.B) {
	const requests = 100
	path := filepath.Join(b.TempDir(), "c.jsonl")
	require.NoError(b, cassette.Write(path, long(b, requests)))
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		c, err := cassette.Read(path)
		if err != nil || c.Len() != requests {
			b.Fatal(c.Len(), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/requests, "ns/request")
}

// BenchmarkAdd is what recording a request costs, after its stream has ended.
func BenchmarkAdd(b *testing.B) {
	for _, redact := range []bool{false, true} {
		b.Run(fmt.Sprintf("redact=%t", redact), func(b *testing.B) {
			recorder, err := cassette.Create(filepath.Join(b.TempDir(), "c.jsonl"), cassette.Recording{Redact: redact})
			require.NoError(b, err)
			x := long(b, 1).At(0).Exchange(time.Now())
			b.SetBytes(int64(len(x.Body)))
			for b.Loop() {
				if err := recorder.Add(x); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, recorder.Abandon())
		})
	}
}
