package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/latgate/latgate/providers/wire"
)

// roundTripper is a network in one function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// streaming answers with a body that write fills.
func streaming(write func(ctx context.Context, w *io.PipeWriter)) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		r, w := io.Pipe()
		go write(req.Context(), w)
		return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{}, Body: r, Request: req}, nil
	})
}

// ticks writes n pieces, one every gap.
func ticks(n int, gap time.Duration) func(context.Context, *io.PipeWriter) {
	return func(_ context.Context, w *io.PipeWriter) {
		for i := range n {
			time.Sleep(gap)
			fmt.Fprintf(w, "piece %02d\n", i)
		}
		w.Close()
	}
}

func get(t *testing.T, ctx context.Context, rt http.RoundTripper) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://model.test/path", nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	return resp
}

func TestSlowConsumerDoesNotMoveTheMarks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(0)
		resp := get(t, capture.Context(t.Context()), &wire.Transport{Base: streaming(ticks(50, 20*time.Millisecond))})
		piece := make([]byte, 9)
		for range 50 {
			_, err := io.ReadFull(resp.Body, piece)
			require.NoError(t, err)
			time.Sleep(80 * time.Millisecond)
		}
		require.NoError(t, resp.Body.Close())

		x := capture.Exchanges()[0]
		require.Len(t, x.Marks, 50)
		for i, m := range x.Marks {
			assert.Equal(t, time.Duration(i+1)*20*time.Millisecond, m.At, "mark %d", i)
			assert.EqualValues(t, 9*(i+1), m.End)
		}
		assert.Equal(t, wire.At(time.Second), x.End)
		assert.Equal(t, wire.EndEOF, x.Ending)
		assert.Equal(t, wire.At(20*time.Millisecond), x.BodyStart())
	})
}

func TestReadOfFindsTheReadThatCompletedAnEvent(t *testing.T) {
	t.Parallel()
	x := &wire.Exchange{Marks: []wire.Mark{{End: 10, At: 1}, {End: 30, At: 2}}}
	for _, c := range []struct {
		end  int64
		read int
		at   wire.Instant
	}{
		{1, 0, wire.At(1)}, {10, 0, wire.At(1)}, {11, 1, wire.At(2)}, {30, 1, wire.At(2)}, {31, -1, wire.Instant{}},
	} {
		read, at := x.ReadOf(c.end)
		assert.Equal(t, c.read, read, "byte %d", c.end)
		assert.Equal(t, c.at, at, "byte %d", c.end)
	}
}

func TestStreamEndsAtWhateverComesFirst(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	endless := func(_ context.Context, w *io.PipeWriter) {
		for i := 0; ; i++ {
			time.Sleep(10 * time.Millisecond)
			if _, err := fmt.Fprintf(w, "piece %02d\n", i%100); err != nil {
				return
			}
		}
	}
	for _, c := range []struct {
		name  string
		write func(context.Context, *io.PipeWriter)
		stop  func(cancel context.CancelFunc, body io.Closer) // after 35 ms
		end   wire.Ending
		at    time.Duration
		bytes int
		err   error
	}{
		{"the server ends it", ticks(3, 10*time.Millisecond), nil, wire.EndEOF, 30 * time.Millisecond, 27, nil},
		{"the caller closes it", endless, func(_ context.CancelFunc, b io.Closer) { b.Close() }, wire.EndClosed, 35 * time.Millisecond, 27, nil},
		{"the context ends", endless, func(c context.CancelFunc, _ io.Closer) { c() }, wire.EndContext, 35 * time.Millisecond, 27, context.Canceled},
		{"the deadline passes", endless, nil, wire.EndContext, 95 * time.Millisecond, 81, context.DeadlineExceeded},
		{"the connection breaks", func(_ context.Context, w *io.PipeWriter) {
			fmt.Fprint(w, "piece 00\n")
			w.CloseWithError(broken)
		}, nil, wire.EndFailed, 0, 9, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				capture := wire.NewCapture(0)
				ctx, cancel := context.WithTimeout(t.Context(), 95*time.Millisecond)
				defer cancel()
				resp := get(t, capture.Context(ctx), &wire.Transport{Base: streaming(c.write)})
				if c.stop != nil {
					time.AfterFunc(35*time.Millisecond, func() { c.stop(cancel, resp.Body) })
				}
				got, err := io.ReadAll(resp.Body)
				if c.err != nil {
					assert.ErrorIs(t, err, c.err)
				}
				x := capture.Exchanges()[0]
				assert.Equal(t, c.end, x.Ending)
				assert.Equal(t, wire.At(c.at), x.End)
				assert.Len(t, x.Body, c.bytes)
				assert.Equal(t, x.Body, got, "the caller reads what was captured")
				assert.ErrorIs(t, x.Err, c.err)
				require.NoError(t, resp.Body.Close(), "closing twice is harmless")
				time.Sleep(time.Second) // the writer notices
			})
		})
	}
}

func TestReplyLargerThanTheLimitIsCut(t *testing.T) {
	t.Parallel()
	capture := wire.NewCapture(0)
	resp := get(t, capture.Context(t.Context()), &wire.Transport{
		MaxBody: 1 << 20,
		Base: roundTripper(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(zeros{}), Request: req}, nil
		}),
	})
	_, err := io.Copy(io.Discard, resp.Body)
	require.ErrorIs(t, err, wire.ErrBodyTooLarge)
	x := capture.Exchanges()[0]
	assert.Equal(t, wire.EndTooLarge, x.Ending)
	assert.Less(t, cap(x.Body), 4<<20, "memory stays bounded")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestFailureWithoutAResponse(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	capture := wire.NewCapture(0)
	transport := &wire.Transport{Base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, refused })}
	req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodGet, "http://model.test/", nil)
	require.NoError(t, err)
	_, err = transport.RoundTrip(req)
	require.ErrorIs(t, err, refused)
	x := capture.Exchanges()[0]
	assert.Equal(t, wire.EndNoReply, x.Ending)
	assert.ErrorIs(t, x.Err, refused)
	assert.Zero(t, x.Status)
	assert.False(t, x.BodyStart().Known())
}

// bodyWithShortcut is what smithy-go sends: a body whose WriteTo breaks once it
// has been closed.
type bodyWithShortcut struct{ io.Reader }

func (bodyWithShortcut) WriteTo(io.Writer) (int64, error) { panic("the shortcut was taken") }
func (bodyWithShortcut) Close() error                     { return nil }

func TestRequestIsChangedOnACloneOnly(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	var sent []byte
	transport := &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		seen = req
		var b bytes.Buffer
		_, err := io.Copy(&b, req.Body)
		sent = b.Bytes()
		return &http.Response{StatusCode: 200, Header: http.Header{"Set-Cookie": {"session=1"}, "X-Id": {"7"}}, Body: http.NoBody, Request: req}, err
	})}
	capture := wire.NewCapture(0)
	req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, "https://model.test/v1/a%2Fb?key=SECRET", nil)
	require.NoError(t, err)
	req.Body = bodyWithShortcut{strings.NewReader("question")}
	for _, secret := range []string{"Authorization", "Cookie", "X-Api-Key", "X-Amz-Security-Token", "X-Anything-Else"} {
		req.Header.Set(secret, "SECRET")
	}
	req.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	before := req.Header.Clone()

	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	assert.Equal(t, before, req.Header, "the caller's request stays as it was")
	assert.Equal(t, "question", string(sent))
	assert.Equal(t, "identity", seen.Header.Get("Accept-Encoding"))
	x := capture.Exchanges()[0]
	assert.EqualValues(t, len("question"), x.RequestBytes)
	assert.Equal(t, "attempt=1; max=3", x.RequestHeader.Get("Amz-Sdk-Request"))
	assert.Equal(t, "/v1/a%2Fb", x.Path)
	assert.Equal(t, http.Header{"X-Id": {"7"}}, x.Header)
	assert.NotContains(t, fmt.Sprintf("%+v", *x), "SECRET")
}

func TestAcceptEncodingOfTheCallerIsKept(t *testing.T) {
	t.Parallel()
	var got string
	transport := &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		got = req.Header.Get("Accept-Encoding")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})}
	req, err := http.NewRequestWithContext(wire.NewCapture(0).Context(t.Context()), http.MethodGet, "http://model.test/", nil)
	require.NoError(t, err)
	req.Header.Set("Accept-Encoding", "gzip")
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, "gzip", got)
}

func TestRequestsOutsideACapturePassThrough(t *testing.T) {
	t.Parallel()
	body := io.NopCloser(strings.NewReader("untouched"))
	resp := get(t, t.Context(), &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		assert.Empty(t, req.Header)
		return &http.Response{StatusCode: 200, Body: body, Request: req}, nil
	})})
	assert.Same(t, &body, &body)
	assert.Equal(t, body, resp.Body)
	_, known := wire.SampleNumber(t.Context())
	assert.False(t, known)
	wire.Wait(t.Context()) // returns at once
}

func TestDetachedCallerGetsAnEmptyBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		capture := wire.NewCapture(3)
		ctx := capture.Context(t.Context())
		resp := get(t, ctx, &wire.Transport{
			Base:   streaming(ticks(5, 10*time.Millisecond)),
			Detach: func(*http.Response) bool { return true },
		})
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Empty(t, got)
		require.NoError(t, resp.Body.Close())
		wire.Wait(ctx)
		assert.Len(t, capture.Exchanges()[0].Marks, 5, "the real body is captured to its end")
		number, _ := wire.SampleNumber(ctx)
		assert.Equal(t, 3, number)
	})
}

func TestPhasesOfARealConnection(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = proto == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			client := &http.Client{Transport: &wire.Transport{Base: server.Client().Transport}}
			capture := wire.NewCapture(0)
			for range 2 {
				req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, server.URL, strings.NewReader("echo"))
				require.NoError(t, err)
				resp, err := client.Do(req)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			xs := capture.Exchanges()
			first, second := xs[0], xs[1]
			assert.Equal(t, proto, first.Proto)
			assertInOrder(t, first.Phases.ConnectStart, first.Phases.ConnectDone, first.Phases.TLSStart,
				first.Phases.TLSDone, first.Phases.GotConn, first.Phases.Wrote, first.End)
			assert.False(t, first.Phases.Reused)
			assert.True(t, second.Phases.Reused)
			assert.False(t, second.Phases.ConnectStart.Known(), "a reused connection is not dialled")
			assertInOrder(t, second.Phases.GotConn, second.Phases.Header, second.BodyStart(), second.End)
			assert.Equal(t, "echo", string(second.Body))
		})
	}
}

func assertInOrder(t *testing.T, instants ...wire.Instant) {
	t.Helper()
	var before time.Duration
	for i, instant := range instants {
		at, known := instant.Get()
		assert.True(t, known, "instant %d", i)
		assert.GreaterOrEqual(t, at, before, "instant %d", i)
		before = at
	}
}

// Requests whose body net/http must send again are counted once, and keep
// hiding the shortcut.
func TestRepeatedBodyIsWrappedAgain(t *testing.T) {
	t.Parallel()
	transport := &wire.Transport{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		again, err := req.GetBody()
		require.NoError(t, err)
		_, shortcut := again.(io.WriterTo)
		assert.False(t, shortcut)
		_, _ = io.Copy(io.Discard, again)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})}
	capture := wire.NewCapture(0)
	req, err := http.NewRequestWithContext(capture.Context(t.Context()), http.MethodPost, "http://model.test/", shortcutBody{strings.NewReader("twice")})
	require.NoError(t, err)
	req.ContentLength = int64(len("twice"))
	req.GetBody = func() (io.ReadCloser, error) { return shortcutBody{strings.NewReader("twice")}, nil }
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	assert.EqualValues(t, len("twice"), capture.Exchanges()[0].RequestBytes)
}

// shortcutBody is a body with a WriteTo, as smithy-go has one.
type shortcutBody struct{ *strings.Reader }

func (shortcutBody) Close() error { return nil }

// A request whose body is used up, as one SDK makes its retries with, and whose
// connection from the pool is dead, goes through as it does without the transport.
func TestBodyInMemoryIsSentAgain(t *testing.T) {
	t.Parallel()
	got := make(chan string, 3)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() { // each connection serves one request and is closed without a word
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				body, _ := io.ReadAll(req.Body)
				got <- string(body)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
			conn.Close()
		}
	}()
	client := &http.Client{Transport: &wire.Transport{Base: &http.Transport{}}}
	req, err := http.NewRequest(http.MethodPost, "http://"+listener.Addr().String(), strings.NewReader("prompt"))
	require.NoError(t, err)
	for range 3 {
		capture := wire.NewCapture(0)
		resp, err := client.Do(req.WithContext(capture.Context(t.Context()))) // its Body is at its end from the second time on
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		x := capture.Exchanges()[0]
		assert.EqualValues(t, 6, x.RequestBytes)
		assert.Equal(t, 200, x.Status)
		assert.Equal(t, "prompt", <-got)
	}
}
