// Package fakeapi is the endpoint of the examples: a vendor's API, or the fake of
// it that they run against by default, in virtual time, without a key or a
// network. The variables that slow a fake down are those of
// examples/internal/fakebedrock.
//
//	LATGATE_MODE=live              use the vendor's API, with the key in its usual variable
//	LATGATE_SEED=7                 another day: every draw of the fake follows from it
//	LATGATE_FAKE_SLOWDOWN=1.3      the fake takes 1.3 times as long for everything
//	LATGATE_FAKE_TAIL=1.5          only its slow tail does, from P90 on
package fakeapi

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/latgate/latgate/examples/internal/fakebedrock"
	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/latencytest"
)

// A Fake is a vendor's fake in package fakes.
type Fake func(fakes.Script) http.Handler

// Test runs f with a recorder that leads to the fake, in virtual time, or to the
// vendor's API where LATGATE_MODE=live. The key is the one in the variable for the
// API, which must be set, and made up for the fake.
func Test(t *testing.T, fake Fake, variable string, f func(t *testing.T, rec *latencytest.Recorder, key string)) {
	t.Helper()
	live, err := fakebedrock.Live()
	if err != nil {
		t.Fatal(err)
	}
	if live {
		key, err := liveKey(variable)
		if err != nil {
			t.Fatal(err)
		}
		f(t, latencytest.NewRecorder(t), key)
		return
	}
	script, err := fakebedrock.Script()
	if err != nil {
		t.Fatal(err)
	}
	Isolate(t)
	synctest.Test(t, func(t *testing.T) {
		network := fakes.NewNetwork(fake(script))
		defer network.Close()
		rec := latencytest.NewRecorder(t)
		rec.Base = network.Transport()
		f(t, rec, "fake")
	})
}

func liveKey(variable string) (string, error) {
	key := os.Getenv(variable)
	if key == "" {
		return "", fmt.Errorf("LATGATE_MODE=live: no key in %s", variable)
	}
	return key, nil
}

// Isolate hides from the SDKs what the environment says of keys, endpoints,
// profiles and telemetry: a fake gets no real key, and the host in a result is the
// vendor's own.
func Isolate(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		for _, prefix := range []string{"ANTHROPIC_", "AWS_", "CO_API_", "GEMINI_", "GOOGLE_", "OPENAI_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, value) // which puts it back when the test ends
				os.Unsetenv(name)
			}
		}
	}
}
