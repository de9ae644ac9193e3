package latencytest_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
	"github.com/latgate/latgate/providers/wire"
)

const model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"

// client returns an SDK client of a network. It tries once.
func client(network http.RoundTripper, options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:       &http.Client{Transport: network},
		RetryMaxAttempts: 1,
	}, options...)
}

// bubble runs f in virtual time with the fake that follows the script.
func bubble(t *testing.T, script fakes.Script, f func(t *testing.T, network *fakes.Network)) {
	t.Helper()
	bubbleOf(t, fakes.Bedrock(script), f)
}

// bubbleOf runs f in virtual time with a network that leads to h.
func bubbleOf(t *testing.T, h http.Handler, f func(t *testing.T, network *fakes.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(h)
		defer network.Close()
		f(t, network)
	})
}

// measured runs a plan against the fake in virtual time, through the real SDK.
func measured(t *testing.T, script fakes.Script, plan latencytest.Plan, options ...bedrock.Option) *latencytest.Result {
	t.Helper()
	var res *latencytest.Result
	bubble(t, script, func(t *testing.T, network *fakes.Network) {
		var err error
		res, err = latencytest.Measure(t.Context(), bedrock.ConverseStream(client(network.Transport()), model, options...), plan)
		require.NoError(t, err)
	})
	return res
}

// promptSet is n prompts p0, p1 and so on.
func promptSet(n int) []providers.Prompt {
	var ps []providers.Prompt
	for i := range n {
		ps = append(ps, providers.Prompt{ID: fmt.Sprint("p", i), Text: fmt.Sprintf("Prompt number %d, of some length.", i), MaxTokens: 200})
	}
	return ps
}

// lively is a script in which every draw matters.
var lively = fakes.Script{
	Seed: 7, Session: .03,
	TTFT: fakes.Lognormal(400*ms, .45), Head: fakes.Lognormal(60*ms, .2), Gap: fakes.Lognormal(20*ms, .3),
	OutputTokens: 40, Padding: true,
}

// schedule is what a fake does with the first attempt of a sample's request.
func schedule(script fakes.Script, s latencytest.Sample) fakes.Schedule {
	return script.Schedule(s.Number, 0)
}

// ended is when a sample's stream ended, by the wall clock.
func ended(t *testing.T, s latencytest.Sample) time.Time {
	t.Helper()
	end, ok := s.End.Get()
	require.True(t, ok, "sample %d has no end", s.Number)
	return s.Time.Add(end)
}

// A fakeTB is a testing.TB whose failures are a test's subject.
type fakeTB struct {
	testing.TB // nil: what is not below must not be called

	name     string
	logs     []string
	fatal    string
	cleanups []func()
}

func (f *fakeTB) Helper()                  {}
func (f *fakeTB) Name() string             { return f.name }
func (f *fakeTB) Context() context.Context { return context.Background() }
func (f *fakeTB) Cleanup(c func())         { f.cleanups = append(f.cleanups, c) }
func (f *fakeTB) Logf(format string, args ...any) {
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// pretend runs f as the test of that name.
func pretend(name string, f func(tb testing.TB)) *fakeTB {
	tb := &fakeTB{name: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, c := range tb.cleanups {
				c()
			}
		}()
		f(tb)
	}()
	<-done
	return tb
}

// refusing is an endpoint that refuses every third request with a message.
type refusing struct {
	http.Handler
	message string
}

func (r refusing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if number, err := strconv.Atoi(req.Header.Get(wire.SampleHeader)); err != nil || number%3 != 2 {
		r.Handler.ServeHTTP(w, req)
		return
	}
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `{"message":%q}`, r.message)
}

// regexpFind returns the first group of a pattern that must match.
func regexpFind(t *testing.T, pattern, text string) string {
	t.Helper()
	groups := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotEmpty(t, groups, "%s in %s", pattern, text)
	return groups[1]
}
