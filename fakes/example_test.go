package fakes_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latgate/latgate/fakes"
)

// Keep this test in sync with the package documentation.
func TestFirstToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := fakes.Script{
			Seed: 1,
			TTFT: fakes.Mixture(fakes.Lognormal(400*time.Millisecond, 0.35), 0.05, 4), // 5 % of requests 4x slower
			Gap:  fakes.Lognormal(20*time.Millisecond, 0.3),
			Faults: []fakes.Fault{
				{On: fakes.Every(50), Attempts: 1, Effect: fakes.Refuse{Exception: fakes.Throttling}},
			},
		}
		network := fakes.NewNetwork(fakes.Bedrock(script))
		defer network.Close()

		start := time.Now()
		resp, err := network.Client().Post("http://bedrock.test/model/any/converse-stream", "application/json",
			strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		want, _ := script.Schedule(0, 0).TTFT()
		if got := time.Since(start); got != want {
			t.Errorf("the first event came after %v, want %v", got, want)
		}
	})
}

func Example() {
	network := fakes.NewNetwork(fakes.Bedrock(fakes.Script{
		TTFT:         fakes.Constant(20 * time.Millisecond),
		Gap:          fakes.Constant(time.Millisecond),
		OutputTokens: 4,
		Faults:       []fakes.Fault{{On: fakes.Every(2), Effect: fakes.Refuse{Exception: fakes.Throttling}}},
	}))
	defer network.Close()
	for range 2 {
		resp, err := network.Client().Post("http://bedrock.test/model/any/converse", "application/json",
			strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.Status, strings.Contains(string(body), `"text":"a request that waits"`))
		if resp.StatusCode != http.StatusOK {
			fmt.Println(string(body))
		}
	}
	// Output:
	// 200 OK true
	// 429 Too Many Requests false
	// {"message":"Too many requests, please wait before trying again."}
}

func ExampleScript_Schedule() {
	script := fakes.Script{
		TTFT:         fakes.Constant(400 * time.Millisecond),
		Gap:          fakes.Constant(20 * time.Millisecond),
		OutputTokens: 3,
		Faults:       []fakes.Fault{{On: fakes.Request(7), Effect: fakes.Stall{At: 2, For: time.Second}}},
	}
	for _, request := range []int{6, 7} {
		schedule := script.Schedule(request, 0)
		for _, c := range schedule.Content {
			fmt.Printf("%v %q, ", c.At, c.Text)
		}
		fmt.Println("end", schedule.End)
	}
	// Output:
	// 400ms "a", 420ms " request", 440ms " that", end 460ms
	// 400ms "a", 420ms " request", 1.44s " that", end 1.46s
}

func ExampleStretchTail() {
	d := fakes.Lognormal(400*time.Millisecond, 0.45)
	slower := fakes.StretchTail(d, 1.2)
	for _, p := range []float64{0.5, 0.7, 0.9} {
		fmt.Printf("P%.0f %v %v\n", 100*p, fakes.Quantile(d, p).Round(time.Millisecond), fakes.Quantile(slower, p).Round(time.Millisecond))
	}
	fmt.Println(slower)
	// Output:
	// P50 400ms 400ms
	// P70 506ms 506ms
	// P90 712ms 854ms
	// stretchtail(lognormal(400ms, 0.45), 1.2)
}
