package convert

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// harFile is a HAR 1.2 file (http://www.softwareishard.com/blog/har-12-spec/), as far
// as it matters here. Times are in milliseconds, −1 where there is none.
type harFile struct {
	Log struct {
		Entries []harEntry `json:"entries"`
	} `json:"log"`
}

type harEntry struct {
	Started time.Time `json:"startedDateTime"`
	Time    float64   `json:"time"`
	Request struct {
		Method   string     `json:"method"`
		URL      string     `json:"url"`
		Headers  []harValue `json:"headers"`
		PostData *struct {
			Text     string `json:"text"`
			Encoding string `json:"encoding"` // an extension
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int        `json:"status"`
		Version string     `json:"httpVersion"`
		Headers []harValue `json:"headers"`
		Error   string     `json:"_error"`
		Content struct {
			Size     int64   `json:"size"`
			MIMEType string  `json:"mimeType"`
			Text     *string `json:"text"`
			Encoding string  `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
	Timings harTimings `json:"timings"`
}

type harValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harTimings struct {
	Blocked float64 `json:"blocked"`
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"` // with ssl
	SSL     float64 `json:"ssl"`
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

func readHAR(data []byte, p Profile) ([]converted, error) {
	var file harFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("HAR: %s", providers.Scrub(err.Error()))
	}
	var start time.Time
	for _, e := range file.Log.Entries {
		if start.IsZero() || !e.Started.IsZero() && e.Started.Before(start) {
			start = e.Started
		}
	}
	var all []converted
	for n, e := range file.Log.Entries {
		i, err := e.interaction(p)
		if err != nil {
			return nil, fmt.Errorf("HAR: entry %d: %w", n, err)
		}
		called := !e.Started.IsZero()
		if called {
			i.Call = e.Started.Sub(start)
		}
		all = append(all, converted{i, called})
	}
	return all, nil
}

func (e harEntry) interaction(p Profile) (*cassette.Interaction, error) {
	i, err := newInteraction(e.Request.Method, e.Request.URL, e.Response.Status, protoOf(e.Response.Version))
	if err != nil {
		return nil, err
	}
	i.Request.Header = harHeader(e.Request.Headers)
	if post := e.Request.PostData; post != nil {
		if i.Request.Body, err = harText(post.Text, post.Encoding); err != nil {
			return nil, err
		}
	}
	i.Response.Header = harHeader(e.Response.Headers)
	if i.Response.Header.Get("Content-Type") == "" && e.Response.Content.MIMEType != "" {
		i.Response.Header.Set("Content-Type", e.Response.Content.MIMEType)
	}
	content := e.Response.Content
	switch {
	case content.Text != nil:
		body, err := harText(*content.Text, content.Encoding)
		if err != nil {
			return nil, err
		}
		i.Response.Header.Del("Content-Encoding") // HAR holds the body decoded
		i.Response.Body = body
	case content.Size > 0:
		return nil, errors.New("its content is missing: export the HAR with content")
	}
	if i.Response.Status < 200 {
		i.Response.Status, i.Response.Body, i.Response.Ending = 0, nil, wire.EndNoReply
		i.Response.Err = "no response was recorded " + e.Response.Error
	}

	t := e.Timings
	head := milliseconds(t.Blocked) + milliseconds(t.DNS) + milliseconds(t.Connect) + milliseconds(t.Send) + milliseconds(t.Wait)
	if head+milliseconds(t.Receive) <= 0 {
		if i.Response.Status == 0 {
			i.Timing, i.Response.End = cassette.Recorded, wire.At(milliseconds(e.Time))
			return i, nil
		}
		synthesise(i, p, wire.Instant{})
		return i, nil
	}
	i.Response.Phases = t.phases()
	spread(i, head, head+milliseconds(t.Receive))
	return i, nil
}

// phases returns the moments before the response.
func (t harTimings) phases() wire.Phases {
	var p wire.Phases
	now := milliseconds(t.Blocked)
	span := func(ms float64) (from, to wire.Instant) {
		if ms < 0 {
			return wire.Instant{}, wire.Instant{}
		}
		from = wire.At(now)
		now += milliseconds(ms)
		return from, wire.At(now)
	}
	p.DNSStart, p.DNSDone = span(t.DNS)
	p.ConnectStart, p.ConnectDone = span(t.Connect)
	if done, known := p.ConnectDone.Get(); known && t.SSL > 0 {
		p.TLSDone = wire.At(done)
		p.TLSStart = wire.At(max(0, done-milliseconds(t.SSL)))
		p.ConnectDone = p.TLSStart
	}
	p.GotConn = wire.At(now)
	p.Reused = t.Connect < 0
	_, p.Wrote = span(t.Send)
	return p
}

// milliseconds returns a time of HAR; none, and nonsense, is 0.
func milliseconds(ms float64) time.Duration {
	if !(ms > 0 && ms < float64(24*time.Hour/time.Millisecond)) {
		return 0
	}
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

func harHeader(values []harValue) http.Header {
	h := make(http.Header)
	for _, v := range values {
		if !strings.HasPrefix(v.Name, ":") { // of HTTP/2
			h.Add(v.Name, v.Value)
		}
	}
	return h
}

func harText(text, encoding string) ([]byte, error) {
	if encoding != "base64" {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("its content says that it is base64, and is not")
	}
	return body, nil
}

// protoOf returns the protocol as net/http writes it.
func protoOf(version string) string {
	switch strings.ToLower(version) {
	case "h2", "http/2", "http/2.0":
		return "HTTP/2.0"
	case "h3", "http/3", "http/3.0", "h3-29":
		return "HTTP/3.0"
	case "http/1.0":
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}
