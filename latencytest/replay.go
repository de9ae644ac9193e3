package latencytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/memory"
)

// Replay runs f in virtual time, in a synctest bubble, with a recorder whose network is
// a recording: the application under test and its SDK are real, the endpoint answers
// with the recorded bytes at the recorded nanoseconds, and hours pass in seconds. A
// request is answered by a recording of the same request; where there are several,
// they are taken in turn, and from the first again when all were used.
//
//	latencytest.Replay(t, "testdata/latgate/TestLatencyAnswer.cassette.jsonl", func(t *testing.T, rec *latencytest.Recorder) {
//		app := answer.New(openai.NewClient(option.WithHTTPClient(rec.Client())))
//		res := latencytest.RunFunc(t, rec, plan, func(ctx context.Context, p providers.Prompt) error { return app.Answer(ctx, p.Text) })
//		assertions.Check(t, res, baseline.Dir(latencytest.Dir), assertions.NoRegression(latencytest.OperationTTFT))
//	})
//
// A [Run] of a target takes [Recorder.Base] as the transport of its client. Requests
// that the recording does not answer fail the test, with what is different; so does a
// real connection that something in the bubble tries to make. The recording is a part
// of what runs are compared by, and their comparison knows no noise: each run of the
// same code gives the same times.
func Replay(t *testing.T, path string, f func(t *testing.T, rec *Recorder)) {
	t.Helper()
	ReplayWith(t, path, cassette.ReplayOptions{Repeat: true}, f)
}

// ReplayWith is [Replay] with options: what-if questions, faults, the order of requests.
// Runs of different options are never compared.
func ReplayWith(t *testing.T, path string, o cassette.ReplayOptions, f func(t *testing.T, rec *Recorder)) {
	t.Helper()
	recording, of, err := readRecording(path, o)
	if err != nil {
		t.Fatalf("[latgate] %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		player, err := recording.Handler(o)
		if err != nil {
			t.Fatalf("[latgate] %v", err)
		}
		network := memory.New(player)
		defer network.Close()
		replays.Store(t.Name(), of)
		defer replays.Delete(t.Name())
		f(t, &Recorder{Base: network.Transport(), Recording: recording})
		for _, miss := range player.Misses() {
			t.Errorf("[latgate] cassette-miss (exit code %d): %v", miss.ExitCode(), miss)
		}
	})
}

// RecordingFact names the recording in the identity of what was replayed from it.
const RecordingFact = "recording"

// A replayed endpoint is a recording.
type replayed struct {
	recording string // a digest of the file and the options; empty where nothing is replayed
	untimed   string // why its times say nothing
}

// replays are the replays that are under way, by the name of their test.
var replays sync.Map

func readRecording(path string, o cassette.ReplayOptions) (*cassette.Cassette, replayed, error) {
	sum, err := fileDigest(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, replayed{}, fmt.Errorf("%w: record it with -latgate.record=<pattern of the test>, where the endpoint can be reached", err)
	}
	if err != nil {
		return nil, replayed{}, err
	}
	recording, err := cassette.Read(path)
	if err != nil {
		return nil, replayed{}, err
	}
	o.Scrub, o.Pace.Content = nil, nil // functions, of which a digest can say nothing
	o.Faults = slices.Clone(o.Faults)
	for i := range o.Faults {
		o.Faults[i].On = nil
	}
	_, _ = fmt.Fprintf(sum, "%+v", o) // a hash takes all
	of := replayed{recording: hex.EncodeToString(sum.Sum(nil)[:6])}
	if reason, made := recording.Synthesised(); made {
		of.untimed = "the recording has no times of its own: " + reason
	} else if reason, buffered := recording.Buffered(); buffered {
		of.untimed = "the recording was buffered, its times are nobody's: " + reason
	}
	return recording, of, nil
}

// fileDigest begins a digest with the content of a file, which may be large.
func fileDigest(path string) (hash.Hash, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	return sum, err
}

// In a bubble nothing wakes a connection to a real network: the test would hang, or end
// in a deadlock that says nothing. So the transports that dial as net/http does by
// default refuse there, in test binaries.
func init() {
	if !testing.Testing() {
		return
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return
	}
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if Virtual() {
			return nil, fmt.Errorf("latgate: a connection to %s from inside a synctest bubble, which only leads to a network in memory: give the SDK the recorder's client", address)
		}
		return dial(ctx, network, address)
	}
}
