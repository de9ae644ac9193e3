package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The test binary starts itself, and the variable says as what.
const (
	roleVariable = "LATGATE_BENCH_ROLE"
	loadVariable = "LATGATE_BENCH_LOAD"
)

var roles = map[string]func(load) any{
	"server":  serve,
	"bare":    readBare,
	"capture": readCaptured,
	"latgate": measureStreams,
	"open":    measureOpen,
	"closed":  measureClosed,

	"lowmemory": measureLowMemory,

	"makeday":      makeDay,
	"replayday":    replayDay,
	"replayserver": serveReplay,
	"replayclient": measureReplay,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	var l load
	if err := json.Unmarshal([]byte(os.Getenv(loadVariable)), &l); err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(roles[role](l)); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// child is the command that starts the binary in a role. Settings of the user's for
// latgate do not reach it.
func child(b *testing.B, role string, l load) *exec.Cmd {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	config, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^$")
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LATGATE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, roleVariable+"="+role, loadVariable+"="+string(config))
	cmd.Stderr = os.Stderr
	endWithParent(cmd)
	return cmd
}

// against runs a client against a server of its own and returns what either has to
// say at its end.
func against[T any](b *testing.B, role string, l load) (client T, server served) {
	b.Helper()
	return betweenTwo[T](b, "server", role, l)
}

// betweenTwo is against, with another server.
func betweenTwo[T any](b *testing.B, serving, role string, l load) (client T, server served) {
	b.Helper()
	endpoint := child(b, serving, l)
	hangUp, err := endpoint.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	said, err := endpoint.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := endpoint.Start(); err != nil {
		b.Fatal(err)
	}
	words := json.NewDecoder(said)
	if err := words.Decode(&l.URL); err != nil {
		b.Fatal("the server did not start: ", err)
	}
	client = alone[T](b, role, l)
	hangUp.Close()
	if err := words.Decode(&server); err != nil {
		b.Fatal("the server: ", err)
	}
	if err := endpoint.Wait(); err != nil {
		b.Fatal("the server: ", err)
	}
	return client, server
}

// alone runs a client and returns what it has to say at its end.
func alone[T any](b *testing.B, role string, l load) (client T) {
	b.Helper()
	cmd := child(b, role, l)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		b.Fatalf("the client %s failed: %v\n%s", role, err, out.String())
	}
	if err := json.Unmarshal(out.Bytes(), &client); err != nil {
		b.Fatalf("the client %s: %v\n%s", role, err, out.String())
	}
	return client
}

// fail ends a child's process with a reason.
func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
