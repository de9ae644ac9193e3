package latencytest

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// environ is an environment to look variables up in.
func environ(pairs ...string) func(string) (string, bool) {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	got, err := readSettings(environ())
	require.NoError(t, err)
	assert.Equal(t, Settings{Seed: 1}, got)

	got, err = readSettings(environ(
		"LATGATE_UPDATE", "1", "LATGATE_REASON", "a bigger prompt", "LATGATE_REQUESTS", "40", "LATGATE_SEED", "18446744073709551615",
		"LATGATE_RUNNER_CLASS", "ci-large", "LATGATE_REGION", "eu-west-1", "CI", "true", "LATGATE_ALLOW_CI_UPDATE", "true",
	))
	require.NoError(t, err)
	assert.Equal(t, Settings{
		Update: true, Reason: "a bigger prompt", Requests: 40, Seed: 1<<64 - 1, RunnerClass: "ci-large", Region: "eu-west-1", CI: true, AllowCIUpdate: true,
		Redact: true,
	}, got)

	got, err = readSettings(environ("LATGATE_UPDATE", "", "LATGATE_REQUESTS", "", "LATGATE_SEED", "", "CI", ""))
	require.NoError(t, err)
	assert.Equal(t, Settings{Seed: 1}, got, "an empty variable is one that is not set")
}

// CI services set CI to what they like.
func TestCI(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"true": true, "1": true, "false": false, "0": false, "woodpecker": true} {
		got, err := readSettings(environ("CI", value))
		require.NoError(t, err)
		assert.Equal(t, want, got.CI, "CI=%s", value)
	}
}

func TestBadVariablesAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, want string }{
		{"LATGATE_UPDATE", "yes please", `LATGATE_UPDATE="yes please": strconv.ParseBool`},
		{"LATGATE_ALLOW_CI_UPDATE", "2", `LATGATE_ALLOW_CI_UPDATE="2": strconv.ParseBool`},
		{"LATGATE_REQUESTS", "many", `LATGATE_REQUESTS="many": strconv.Atoi`},
		{"LATGATE_REQUESTS", "0", `LATGATE_REQUESTS="0": want a positive number`},
		{"LATGATE_REQUESTS", "-5", `LATGATE_REQUESTS="-5": want a positive number`},
		{"LATGATE_REGION", "../eu", `LATGATE_REGION="../eu": want a name of letters`},
		{"LATGATE_SEED", "-1", `LATGATE_SEED="-1": strconv.ParseUint`},
	} {
		_, err := readSettings(environ(c.name, c.value))
		assert.ErrorContains(t, err, c.want)
	}
}

// withFlags sets the flags for one test. Such a test must not be parallel.
func withFlags(t *testing.T, values map[string]string) {
	t.Helper()
	saved := flags
	t.Cleanup(func() { flags = saved })
	for name, value := range values {
		require.NoError(t, flag.Set(name, value))
	}
}

func TestFlagsGoFirst(t *testing.T) { // not parallel: flags are the process's
	withFlags(t, map[string]string{"latgate.update": "true", "latgate.reason": "by flag", "latgate.requests": "7", "latgate.seed": "9"})
	got, err := readSettings(environ("LATGATE_UPDATE", "false", "LATGATE_REASON", "by variable", "LATGATE_REQUESTS", "40", "LATGATE_SEED", "3"))
	require.NoError(t, err)
	assert.Equal(t, Settings{Update: true, Reason: "by flag", Requests: 7, Seed: 9}, got)
	assert.EqualValues(t, 9, Seed())
}

func TestBadFlagsAreNamed(t *testing.T) { // not parallel: flags are the process's
	withFlags(t, map[string]string{"latgate.requests": "-5"})
	_, err := readSettings(environ())
	assert.ErrorContains(t, err, "-latgate.requests=-5: want a positive number")
	assert.EqualValues(t, 1, Seed(), "where the settings cannot be read; Run reports why")
}

func TestFlagsAreRegistered(t *testing.T) {
	t.Parallel()
	var names []string
	flag.VisitAll(func(f *flag.Flag) {
		if len(f.Name) > 8 && f.Name[:8] == "latgate." {
			names = append(names, f.Name)
			assert.Contains(t, f.Usage, "latgate: ", "go test -h lists them among everybody's")
		}
	})
	assert.Equal(t, []string{"latgate.reason", "latgate.record", "latgate.requests", "latgate.seed", "latgate.update"}, names)
}
