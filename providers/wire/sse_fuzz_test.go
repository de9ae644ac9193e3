package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/latgate/latgate/providers/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainEvents is the standard's algorithm for a whole text, with no regard to
// offsets or memory: a second opinion on SSEReader.
func plainEvents(body string) (events []wire.SSEEvent, comments int) {
	body = strings.TrimPrefix(body, "\ufeff")
	body = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body)
	lines := strings.Split(body, "\n")
	var e wire.SSEEvent
	var id string
	for i, line := range lines {
		last := i == len(lines)-1
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" || name == "retry":
		case name == "":
			comments++
		case name == "data" && e.Data == nil:
			e.Data = []byte(value)
		case name == "data":
			e.Data = fmt.Appendf(e.Data, "\n%s", value)
		case name == "event":
			e.Event = value
		case name == "id" && strings.Contains(value, "\x00"):
		case name == "id":
			id = value
		case len(e.Other) < 1024:
			e.Other = append(e.Other, wire.SSEField{Name: name, Value: []byte(value)})
		}
		if line == "" || last {
			if e.Data != nil || e.Other != nil {
				e.ID, e.Unterminated = id, last
				events = append(events, e)
			}
			e = wire.SSEEvent{}
		}
	}
	return events, comments
}

func FuzzSSE(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeff: hi\r\n\r\ndata: a\r\n\r\n", "event: a\rid: 1\rdata:b\r\rretry: 5\r\rdata\r",
		"data: {}\nevent: response.created\n\ndata: [DONE]\n\n", "data: a\n\nerror: {}\n\n",
		"data: {}\r\n\r\n{\n  \"error\": {\n    \"code\": 503\n  }\n}\n", "id: \x00\ndata: \xff\ndata: \xf0",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var events []wire.SSEEvent
		var comments int
		var err error
		allocated := allocatedBy(func() { events, comments, err = readEvents(bytes.NewReader(body)) })
		require.Equal(t, io.EOF, err)
		assert.LessOrEqual(t, allocated, uint64(64<<10+200*len(body)))

		slowly, slowComments, err := readEvents(iotest.OneByteReader(bytes.NewReader(body)))
		require.Equal(t, io.EOF, err)
		require.Equal(t, events, slowly)
		require.Equal(t, comments, slowComments)

		plain, plainComments := plainEvents(string(body))
		require.Equal(t, plainComments, comments)
		require.Len(t, events, len(plain))
		end := int64(0)
		for i, e := range events {
			require.LessOrEqual(t, end, e.Start)
			require.Less(t, e.Start, e.End)
			require.LessOrEqual(t, e.End, int64(len(body)))
			end = e.End

			// The range alone says the same, but for the ID; the LF keeps a
			// byte order mark from being at the start.
			alone, _, _ := readEvents(io.MultiReader(strings.NewReader("\n"), bytes.NewReader(body[e.Start:e.End])))
			require.Len(t, alone, 1)
			require.Equal(t, e.Data, alone[0].Data)
			require.Equal(t, e.Other, alone[0].Other)
			require.Equal(t, e.End-e.Start, alone[0].End-alone[0].Start)

			e.Start, e.End = 0, 0
			require.Equal(t, plain[i], e)
		}
	})
}
