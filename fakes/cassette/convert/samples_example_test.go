package convert_test

import (
	"fmt"
	"time"

	"github.com/latgate/latgate/fakes"
	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/fakes/cassette/convert"
	"github.com/latgate/latgate/latencytest"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

func ExampleSamples() {
	// Usually: res, err := latencytest.Load("testdata/latgate/TestLatencyChat/latest.samples.jsonl")
	at := func(ms int) wire.Instant { return wire.At(time.Duration(ms) * time.Millisecond) }
	res := &latencytest.Result{
		Test: "TestLatencyChat",
		Samples: []latencytest.Sample{{
			Number: 4, Time: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Class: providers.OK,
			Provider: "openai", API: "chat-completions", Model: "gpt-5-mini",
			Phases: wire.Phases{Header: at(310)}, First: at(420), FirstVisible: at(420), Last: at(500), End: at(510),
			FirstChannel: providers.Text, ContentEvents: 3,
			Usage: providers.Usage{Output: providers.CountOf(5)},
		}, {
			Number: 5, Class: providers.Throttled,
		}},
	}
	c, err := convert.Samples(res, fakes.Script{}, cassette.Recording{})
	if err != nil {
		fmt.Println(err)
		return
	}
	i := c.At(0)
	fmt.Println(i.Request.Method, i.Request.Path)
	for _, e := range latencytest.Protocols().Decode(i.Exchange(time.Time{})).Events {
		fmt.Println(e.At, e.Channel)
	}
	fmt.Println("left out:", c.Header.Provenance[convert.LeftOut])
	// Output:
	// POST /v1/chat/completions
	// 420ms text
	// 460ms text
	// 500ms text
	// left out: 1 that failed
}
