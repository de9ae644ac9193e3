package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/wire"
)

// readLines reads to the first error, copying what Next does not leave.
func readLines(r io.Reader) (lines []wire.Line, err error) {
	reader := wire.NewLineReader(r)
	for {
		line, err := reader.Next()
		if err != nil {
			return lines, err
		}
		line.Data = bytes.Clone(line.Data)
		lines = append(lines, line)
	}
}

func TestLineReader(t *testing.T) {
	t.Parallel()
	type line struct {
		raw          string // the body from Start to End
		data         string
		unterminated bool
	}
	long := strings.Repeat("0123456789abcdef", 70<<10/16)
	for _, c := range []struct {
		name string
		body string
		want []line
	}{
		{"empty body", "", nil},
		{"blank lines only", "\n\r\n \t\n\n\r", nil},
		{"LF", "{}\n[]\n", []line{{"{}\n", "{}", false}, {"[]\n", "[]", false}}},
		{"CRLF", "{}\r\n[]\r\n", []line{{"{}\r\n", "{}", false}, {"[]\r\n", "[]", false}}},
		{"CR is no line end", "{}\r[]\n", []line{{"{}\r[]\n", "{}\r[]", false}}},
		{"one CR belongs to the line end", "{}\r\r\n", []line{{"{}\r\r\n", "{}\r", false}}},
		{"blank lines", "\n{}\n\r\n  \n\n[]\n\n", []line{{"{}\n", "{}", false}, {"[]\n", "[]", false}}},
		{"white space is kept", "\t {} \n", []line{{"\t {} \n", "\t {} ", false}}},
		{"byte order mark", "\ufeff{}\n", []line{{"{}\n", "{}", false}}},
		{"byte order mark alone", "\ufeff", nil},
		{"byte order mark and a blank line", "\ufeff\r\n{}\n", []line{{"{}\n", "{}", false}}},
		{"byte order mark in the middle", "{}\n\ufeff{}\n", []line{{"{}\n", "{}", false}, {"\ufeff{}\n", "\ufeff{}", false}}},
		{"half a byte order mark", "\xef\xbb\n", []line{{"\xef\xbb\n", "\xef\xbb", false}}},
		{"no last LF", "{}\n[]", []line{{"{}\n", "{}", false}, {"[]", "[]", true}}},
		{"cut within CRLF", "{}\r\n[]\r", []line{{"{}\r\n", "{}", false}, {"[]\r", "[]", true}}},
		{"cut within a line", "{}\n{\"a", []line{{"{}\n", "{}", false}, {"{\"a", "{\"a", true}}},
		{"white space at the end", "{}\n  ", []line{{"{}\n", "{}", false}}},
		{"no JSON", "data: x\n", []line{{"data: x\n", "data: x", false}}},
		{"invalid UTF-8 and NUL", "\xff\x00\n", []line{{"\xff\x00\n", "\xff\x00", false}}},
		{"line of 70 KiB", "{}\n" + long + "\r\n[]\n", []line{{"{}\n", "{}", false}, {long + "\r\n", long, false}, {"[]\n", "[]", false}}},
	} {
		for feed, open := range feeds {
			t.Run(c.name+"/"+feed, func(t *testing.T) {
				t.Parallel()
				lines, err := readLines(open([]byte(c.body)))
				require.Equal(t, io.EOF, err)
				var got []line
				for _, l := range lines {
					got = append(got, line{c.body[l.Start:l.End], string(l.Data), l.Unterminated})
				}
				assert.Equal(t, c.want, got)
			})
		}
	}
}

// The LF decides: nothing behind it is waited for.
func TestLineIsReadAsItsLineEndComes(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	reader := wire.NewLineReader(r)
	for _, text := range []string{"1\n", "2\r\n", "\n\n3\n"} {
		go func() { _, _ = io.WriteString(w, text) }()
		line, err := reader.Next()
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(text), string(line.Data))
	}
}

func TestLineReaderLimitsLines(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", 32<<20)
	lines, err := readLines(strings.NewReader("\ufeff" + longest + "\r\n"))
	require.Equal(t, io.EOF, err)
	require.Len(t, lines, 1)
	assert.Len(t, lines[0].Data, len(longest))
	for _, rest := range []string{"x\r\n", strings.Repeat("x", 100)} {
		reader := wire.NewLineReader(io.MultiReader(strings.NewReader("{}\n"), strings.NewReader(longest), strings.NewReader(rest)))
		_, err := reader.Next()
		require.NoError(t, err)
		for range 2 {
			_, err = reader.Next()
			require.EqualError(t, err, "wire: frame at byte 3: line of more than 32 MiB")
		}
	}
}

func TestLineReaderAfterReadError(t *testing.T) {
	t.Parallel()
	failure := errors.New("connection reset")
	reader := wire.NewLineReader(io.MultiReader(strings.NewReader("{}\n[]"), iotest.ErrReader(failure)))
	line, err := reader.Next()
	require.NoError(t, err)
	assert.False(t, line.Unterminated)
	line, err = reader.Next()
	require.NoError(t, err)
	assert.Equal(t, "[]", string(line.Data))
	assert.True(t, line.Unterminated)
	for range 2 {
		_, err = reader.Next()
		assert.Equal(t, failure, err)
	}
}

// plainLines is LineReader for a whole text, with no regard to offsets or memory.
func plainLines(body string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimPrefix(body, "\ufeff"), "\n") {
		if strings.Trim(line, " \t\r") != "" {
			lines = append(lines, strings.TrimSuffix(line, "\r"))
		}
	}
	return lines
}

func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeff{}\r\n", "{\"a\":1}\n\n{\"b\":2}\n", "\r\n \t\r\n{}\r", "{}\r[]\r\r\n", "\xef\xbb\n\x00\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := readLines(bytes.NewReader(body))
		require.Equal(t, io.EOF, err)
		slowly, err := readLines(iotest.OneByteReader(bytes.NewReader(body)))
		require.Equal(t, io.EOF, err)
		require.Equal(t, lines, slowly)

		plain := plainLines(string(body))
		require.Len(t, lines, len(plain))
		end := int64(0)
		for i, line := range lines {
			require.Equal(t, plain[i], string(line.Data))
			require.LessOrEqual(t, end, line.Start)
			require.Less(t, line.Start, line.End)
			require.LessOrEqual(t, line.End, int64(len(body)))
			require.True(t, bytes.HasPrefix(body[line.Start:line.End], line.Data))
			require.Equal(t, line.Unterminated, body[line.End-1] != '\n')
			if line.Unterminated {
				require.Equal(t, len(lines)-1, i)
			}
			end = line.End
		}
	})
}

// chatLines is a body of n lines like those of Ollama's chat API.
func chatLines(n int) []byte {
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, `{"model":"llama3","created_at":"2026-06-10T17:16:06.213598Z",`+
			`"message":{"role":"assistant","content":" token%d"},"done":false}`+"\n", i)
	}
	return body.Bytes()
}

// countLines reads body to its end and keeps nothing.
func countLines(body []byte) (n int) {
	reader := wire.NewLineReader(bytes.NewReader(body))
	for {
		if _, err := reader.Next(); err != nil {
			return n
		}
		n++
	}
}

func BenchmarkLines(b *testing.B) {
	const lines = 1000
	body := chatLines(lines)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if n := countLines(body); n != lines {
			b.Fatalf("read %d lines, want %d", n, lines)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
}

func ExampleLineReader() {
	body := `{"response":"Hello","done":false}` + "\n" + `{"response":"","done":true}`
	reader := wire.NewLineReader(strings.NewReader(body))
	for {
		line, err := reader.Next()
		if err != nil {
			break
		}
		fmt.Printf("bytes %d to %d: %s\n", line.Start, line.End, line.Data)
	}
	// Output:
	// bytes 0 to 34: {"response":"Hello","done":false}
	// bytes 34 to 61: {"response":"","done":true}
}
