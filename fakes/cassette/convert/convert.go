package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/latgate/latgate/fakes/cassette"
	"github.com/latgate/latgate/providers"
	"github.com/latgate/latgate/providers/wire"
)

// A Profile makes up times for recordings that have none: most tools that record HTTP
// keep bodies only.
type Profile struct {
	TTFT time.Duration // from the call to the response head and the first event
	Gap  time.Duration // from each event to the next
}

func (p Profile) String() string { return fmt.Sprintf("profile TTFT %v, gap %v", p.TTFT, p.Gap) }

// File reads a recording that another tool made, and returns it as a cassette,
// cleaned as rec says: HAR 1.2, and the YAML or JSON of VCR.py, Ruby's VCR and go-vcr v1
// to v4. The format is told by the content.
//
// Each event of a stream becomes a read of its own. HAR says when head and end came;
// the events are spread evenly between. Where go-vcr says how long the head took, that
// takes the place of p.TTFT. All other times are those of p. Interactions with times
// that were made up say so, see [cassette.Interaction.Timing] and
// [cassette.Cassette.Synthesised].
//
// Calls that have no time follow one another: each begins when the one before ended.
func File(path string, p Profile, rec cassette.Recording) (*cassette.Cassette, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return From(file, filepath.ToSlash(path), p, rec)
}

// largestFile bounds what is read of a recording, in bytes.
const largestFile = 1 << 30

// From is [File] from r; name stands for it in errors.
func From(r io.Reader, name string, p Profile, rec cassette.Recording) (*cassette.Cassette, error) {
	if p.TTFT < 0 || p.Gap < 0 {
		return nil, fmt.Errorf("%s: the %v is negative", name, p)
	}
	data, err := io.ReadAll(io.LimitReader(r, largestFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(data) > largestFile:
		return nil, fmt.Errorf("%s: more than 1 GiB", name)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var source string
	var found []converted
	switch start := bytes.TrimLeft(data, " \t\r\n"); {
	case len(start) == 0:
		return nil, fmt.Errorf("%s: the file is empty", name)
	case bytes.HasPrefix(start, []byte(`{"n":0,"sum":"`)):
		return nil, fmt.Errorf("%s: it is a cassette already: use cassette.Read", name)
	case bytes.HasPrefix(start, []byte(`{"run":`)):
		return nil, fmt.Errorf("%s: it is a sample file of latgate's: use Samples, which takes what latencytest.Load reads", name)
	case start[0] == '{' && bytes.Contains(start[:min(len(start), 4096)], []byte(`"log"`)):
		source = "har"
		found, err = readHAR(data, p)
	default:
		source, found, err = readVCR(data, p)
	}
	if err == nil && len(found) == 0 {
		err = errors.New("it holds no interactions")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}

	interactions := make([]*cassette.Interaction, len(found))
	next := time.Duration(0)
	for n, one := range found {
		i := one.interaction
		i.Order = int64(n)
		if !one.called {
			i.Call = next
		}
		next = i.Call + i.Response.Ended()
		interactions[n] = i
	}
	c, err := cassette.Assemble(rec, interactions...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.Header.Source, c.Header.Started = source, time.Time{}
	return c, nil
}

// converted is an interaction of another format; called says that its Call is known.
type converted struct {
	interaction *cassette.Interaction
	called      bool
}

// newInteraction returns an interaction without times.
func newInteraction(method, address string, status int, proto string) (*cassette.Interaction, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("its URL is none: %s", providers.Scrub(err.Error()))
	}
	if method == "" {
		method = http.MethodGet
	}
	if proto == "" {
		proto = "HTTP/1.1"
	}
	return &cassette.Interaction{
		Sample:   -1,
		Request:  cassette.Request{Method: strings.ToUpper(method), Host: u.Host, Path: u.EscapedPath(), Query: u.RawQuery, Body: []byte{}},
		Response: cassette.Response{Proto: proto, Status: status, Ending: wire.EndEOF},
	}, nil
}

// setBody sets the body of a reply. Tools that keep it decompressed often leave the
// header as it was.
func setBody(r *cassette.Response, body []byte) {
	r.Body = body
	encoding := strings.ToLower(r.Header.Get("Content-Encoding"))
	gzipped := strings.Contains(encoding, "gzip") && bytes.HasPrefix(body, []byte("\x1f\x8b"))
	if encoding != "" && !gzipped && utf8.Valid(body) {
		r.Header.Del("Content-Encoding")
	}
}

// plain decompresses the reply, so that its events can be given times.
func plain(i *cassette.Interaction) error {
	x, err := (&cassette.Interaction{Response: cassette.Response{Header: i.Response.Header, Body: i.Response.Body}}).Exchange(time.Time{}).Identity()
	if err != nil {
		return err
	}
	i.Response.Header, i.Response.Body = x.Header, x.Body
	return nil
}

// synthesise gives the events of a reply the times of a profile, where it took known
// to the head those of known instead of p.TTFT.
func synthesise(i *cassette.Interaction, p Profile, known wire.Instant) {
	i.Timing = "synthesised (" + p.String() + ")"
	head := p.TTFT
	if d, ok := known.Get(); ok {
		head = d
		i.Timing = fmt.Sprintf("synthesised (head recorded, gap %v)", p.Gap)
	}
	at := head
	for _, end := range i.Response.FrameEnds() {
		if n := len(i.Response.Reads); n > 0 {
			if end <= i.Response.Reads[n-1].End {
				continue
			}
			at += p.Gap
		}
		i.Response.Reads = append(i.Response.Reads, wire.Mark{End: end, At: at})
	}
	i.Response.Phases.Header = wire.At(head)
	i.Response.End = wire.At(at)
}

// spread puts the events of a reply evenly between its head and its end.
func spread(i *cassette.Interaction, head, end time.Duration) {
	end = max(head, end)
	ends := i.Response.FrameEnds()
	i.Timing = cassette.Recorded
	if len(ends) > 1 {
		i.Timing = fmt.Sprintf("synthesised (head and end recorded, %d events spread evenly between)", len(ends))
	}
	for k, offset := range ends {
		at := end
		if len(ends) > 1 {
			at = head + time.Duration(float64(end-head)*float64(k)/float64(len(ends)-1))
		}
		if n := len(i.Response.Reads); n > 0 && offset <= i.Response.Reads[n-1].End {
			continue
		}
		i.Response.Reads = append(i.Response.Reads, wire.Mark{End: offset, At: at})
	}
	i.Response.Phases.Header = wire.At(head)
	i.Response.End = wire.At(end)
}
