package fakebedrock

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/latgate/latgate/fakes"
)

// TestProfiles is [Test] with a fake whose latency-optimized inference is faster: the
// first token and every one after it take 0.7 times as long as with the standard
// profile. Both profiles see the same day.
func TestProfiles(t *testing.T, f func(*testing.T, aws.Config)) {
	t.Helper()
	if live, err := Live(); live || err != nil {
		Test(t, f)
		return
	}
	standard, err := Script()
	if err != nil {
		t.Fatal(err)
	}
	standard.Session = 0
	optimized := standard
	optimized.Seed = standard.Seed ^ 1<<62 // requests of the same number have nothing else in common
	optimized.TTFT, optimized.Gap = fakes.Scale(standard.TTFT, .7), fakes.Scale(standard.Gap, .7)
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(byProfile(fakes.Bedrock(standard), fakes.Bedrock(optimized)))
		defer network.Close()
		f(t, Config(network.Client()))
	})
}

// byProfile serves requests by the performance configuration that they ask for.
func byProfile(standard, optimized http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var asked struct {
			PerformanceConfig struct {
				Latency string `json:"latency"`
			} `json:"performanceConfig"`
		}
		_ = json.Unmarshal(body, &asked) // the fake refuses what is no JSON
		r.Body = io.NopCloser(bytes.NewReader(body))
		if asked.PerformanceConfig.Latency == "optimized" {
			optimized.ServeHTTP(w, r)
			return
		}
		standard.ServeHTTP(w, r)
	})
}
