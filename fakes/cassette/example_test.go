package cassette_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers/wire"
)

// Keep this test in sync with the package documentation.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := cassette.Read("testdata/answer.cassette.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		player, err := c.Handler(cassette.ReplayOptions{Pace: cassette.Pace{TTFT: 1.5}})
		if err != nil {
			t.Fatal(err)
		}
		network := fakes.NewNetwork(player)
		defer network.Close()

		start := time.Now()
		resp, err := network.Client().Post("https://api.openai.com/v1/chat/completions", "application/json",
			strings.NewReader(`{"model":"gpt-test","stream":true,"messages":[{"role":"user","content":"Hello"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), 3*c.At(0).Response.Reads[0].At/2; got != want {
			t.Errorf("the first byte came after %v, want %v", got, want)
		}
		if err := player.Err(); err != nil {
			t.Error(err) // the code asks something else than it did
		}
	})
}

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cassette")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "answer.cassette.jsonl")

	// Record an endpoint, here a fake one.
	server := fakes.NewServer(fakes.OpenAI(fakes.Script{OutputTokens: 3, Gap: fakes.Constant(5 * time.Millisecond)}))
	recorder, err := cassette.Create(path, cassette.Recording{Name: "answer", Redact: true})
	if err != nil {
		log.Fatal(err)
	}
	transport := &wire.Transport{Base: recorder.Transport(server.Client().Transport)}
	ask := func(ctx context.Context, client *http.Client, url, prompt string) string {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions",
			strings.NewReader(`{"model":"gpt-test","messages":[{"role":"user","content":"`+prompt+`"}]}`))
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.Status + " " + string(body)
	}
	capture := wire.NewCapture(0)
	ask(capture.Context(ctx), &http.Client{Transport: transport}, server.URL, "Hello")
	for _, x := range capture.Exchanges() {
		if err := recorder.Add(x); err != nil {
			log.Fatal(err)
		}
	}
	if err := recorder.Close(); err != nil {
		log.Fatal(err)
	}
	server.Close()

	// Replay it.
	c, err := cassette.Read(path)
	if err != nil {
		log.Fatal(err)
	}
	player, err := c.Handler(cassette.ReplayOptions{})
	if err != nil {
		log.Fatal(err)
	}
	server = fakes.NewServer(player)
	defer server.Close()
	reply := ask(ctx, server.Client(), server.URL, "Hello")
	fmt.Println(strings.Contains(reply, "200 OK"), strings.Contains(reply, "x xxxxxxx xxxx"))
	ask(ctx, server.Client(), server.URL, "Good morning")
	for _, miss := range player.Misses() {
		fmt.Println(miss.Field, "changed, exit code", miss.ExitCode())
	}
	// Output:
	// true true
	// messages[0].content changed, exit code 17
}
