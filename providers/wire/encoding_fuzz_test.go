package wire_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzIdentity(f *testing.F) {
	for _, c := range compressors {
		for _, flush := range []bool{true, false} {
			body := bytes.Join(compressEach(f, c.open, flush, events(3)...), nil)
			f.Add(c.encoding, body, byte(1))
			f.Add(c.encoding, body[:len(body)/2], byte(20))
			f.Add(c.encoding, append(bytes.Clone(body), body...), byte(255))
		}
	}
	f.Add("gzip", []byte("data: x\n\n"), byte(3))
	f.Add("deflate", []byte("{}"), byte(3))
	f.Fuzz(func(t *testing.T, encoding string, body []byte, read byte) {
		var pieces [][]byte
		for rest := body; len(rest) > 0; {
			n := min(1+int(read), len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		x := compressed(encoding, pieces...)
		plain, err := x.Identity()
		require.Equal(t, string(body), string(x.Body), "the exchange stays as it was")
		if err != nil {
			require.Nil(t, plain)
			return
		}
		requireMarks(t, plain)
		times := make(map[time.Duration]bool)
		for _, m := range x.Marks {
			times[m.At] = true
		}
		for _, m := range plain.Marks {
			require.True(t, times[m.At], "a time of the exchange")
		}

		// How the body fell into reads does not change what it says.
		whole, err := compressed(encoding, body).Identity()
		require.NoError(t, err)
		require.Equal(t, whole.Body, plain.Body)
		require.Equal(t, whole.Err == nil, plain.Err == nil)
		if encoding == "gzip" && len(body) > 0 { // a second opinion
			var theirs []byte
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err == nil {
				theirs, err = io.ReadAll(r)
			}
			require.Equal(t, string(theirs), string(plain.Body))
			cut := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
			require.Equal(t, err == nil || cut, plain.Err == nil, "%v, %v", err, plain.Err)
		}
	})
}
