package latencytest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/bedrock"
)

// Some things can only be seen from outside: the test binary starts itself, and
// the variable says as what.
const roleVariable = "LATGATE_TEST_ROLE"

var roles = map[string]func(sampleFile string){
	"to be killed": measureSlowly,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		roles[role](os.Args[len(os.Args)-1])
		os.Exit(0)
	}
	for _, name := range []string{"LATGATE_REQUESTS", "LATGATE_SEED"} { // go before what the tests' plans say
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// child is the command that starts the test binary in a role.
func child(t *testing.T, role, sampleFile string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$", sampleFile)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// measureSlowly measures a fake on the loopback interface, for much longer than
// it will live.
func measureSlowly(sampleFile string) {
	_, err := latencytest.Measure(context.Background(), loopback(fakes.Script{TTFT: fakes.Constant(5 * ms), OutputTokens: 3}), latencytest.Plan{
		Prompts: promptSet(2), Requests: 100_000, Load: latencytest.Closed(2), SampleFile: sampleFile,
	})
	panic(fmt.Sprint("the run came to its end: ", err))
}

// loopback is a fake in real time, served for as long as the process lives.
func loopback(script fakes.Script) *bedrock.Target {
	server := fakes.NewServer(fakes.Bedrock(script))
	return bedrock.ConverseStream(client(server.Client().Transport, func(o *bedrockruntime.Options) { o.BaseEndpoint = &server.URL }), model)
}

// A run that is killed leaves every sample it had taken. Real time, because a
// process is killed; nothing here depends on how fast it is.
func TestKilledRunLeavesItsSamples(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "samples.jsonl")
	cmd := child(t, "to be killed", path)
	require.NoError(t, cmd.Start())
	lines := func() int {
		partial, _ := filepath.Glob(path + ".*.partial")
		if len(partial) == 0 {
			return 0
		}
		data, _ := os.ReadFile(partial[0])
		return strings.Count(string(data), "\n")
	}
	reached := assert.Eventually(t, func() bool { return lines() > 10 }, time.Minute, ms)
	require.NoError(t, cmd.Process.Kill())
	assert.Error(t, cmd.Wait())
	require.True(t, reached)

	assert.NoFileExists(t, path, "it never became the file of a whole run")
	partial, err := filepath.Glob(path + ".*.partial")
	require.NoError(t, err)
	require.Len(t, partial, 1)
	res, err := latencytest.Load(partial[0])
	require.ErrorIs(t, err, latencytest.ErrInterrupted)
	require.ErrorContains(t, err, partial[0])
	assert.Equal(t, lines()-1, len(res.Samples), "every line but the run's own")
	assert.Equal(t, 100_000, res.Plan.Requests)
	require.Len(t, res.Scenarios, 1)
	for _, s := range res.Samples {
		assert.Equal(t, providers.OK, s.Class, s.Error)
		first, _ := s.First.Get()
		assert.GreaterOrEqual(t, first, 5*ms)
	}
	assert.NotEmpty(t, res.Scenarios[0].Values(latencytest.TTFT))
}
