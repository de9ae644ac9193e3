package memory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestNetworkTakesAnyHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) }))
		defer n.Close()
		for _, url := range []string{"http://bedrock.test/a", "https://bedrock-runtime.us-east-1.amazonaws.com/a", "http://10.0.0.1:8080/a"} {
			resp, err := n.Client().Get(url)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			_, want, _ := strings.Cut(url, "://")
			assert.Equal(t, want, string(body))
			assert.Equal(t, "HTTP/1.1", resp.Proto)
		}
	})
}

func TestNetworkKeepsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		peers := map[string]int{}
		n := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			fmt.Fprint(w, "hello")
		}))
		defer n.Close()
		n.server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			mu.Lock()
			defer mu.Unlock()
			peers["dialled"]++
			return ctx
		}
		for range 5 {
			var burst sync.WaitGroup
			for range 200 {
				burst.Go(func() {
					resp, err := n.Client().Get("http://fake.test/")
					if assert.NoError(t, err) {
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			burst.Wait()
		}
		assert.Equal(t, 200, peers["dialled"], "one a stream of the first burst")
	})
}

// Closing a network leaves nothing running, whatever state it is in: else the
// bubble would not end.
func TestNetworkCloses(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(t *testing.T, n *Network){
		"unused": func(*testing.T, *Network) {},
		"idle connection": func(t *testing.T, n *Network) {
			resp, err := n.Client().Get("http://fake.test/")
			require.NoError(t, err)
			resp.Body.Close()
		},
		"request in flight": func(t *testing.T, n *Network) {
			go func() {
				_, err := n.Client().Get("http://fake.test/hang")
				assert.Error(t, err)
			}()
			time.Sleep(time.Second)
		},
		"body unread": func(t *testing.T, n *Network) {
			resp, err := n.Client().Get("http://fake.test/endless")
			require.NoError(t, err)
			t.Cleanup(func() { resp.Body.Close() })
			time.Sleep(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/hang":
						<-r.Context().Done()
					case "/endless":
						for r.Context().Err() == nil {
							if _, err := w.Write(make([]byte, 1<<16)); err != nil {
								return
							}
						}
					}
				}))
				use(t, n)
				assert.NoError(t, n.Close())
				_, err := n.Client().Get("http://fake.test/")
				assert.ErrorIs(t, err, errNetworkClosed)
			})
		})
	}
}

// A client that reads slowly does not hold the server back, as it does not over
// a socket: not before some hundred kilobytes wait for it.
func TestNetworkBuffers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent time.Duration
		n := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			for range 100 {
				_, _ = w.Write(make([]byte, 1000))
				w.(http.Flusher).Flush()
				time.Sleep(10 * ms)
			}
			sent = time.Since(start)
		}))
		defer n.Close()
		resp, err := n.Client().Get("http://fake.test/")
		require.NoError(t, err)
		for buf := make([]byte, 1000); err == nil; {
			_, err = io.ReadFull(resp.Body, buf)
			time.Sleep(100 * ms)
		}
		assert.Equal(t, io.EOF, err)
		assert.Equal(t, time.Second, sent)
	})
}

func TestMemoryConn(t *testing.T) {
	t.Parallel()
	test := func(name string, f func(t *testing.T, client, server net.Conn)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newMemoryConn()
				defer client.Close()
				defer server.Close()
				f(t, client, server)
			})
		})
	}
	write := func(t *testing.T, c net.Conn, text string) {
		n, err := c.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n)
	}
	buf := make([]byte, 100)

	test("a read never joins writes", func(t *testing.T, client, server net.Conn) {
		write(t, client, "one")
		write(t, client, "")
		write(t, client, "two")
		for _, want := range []string{"on", "e", "tw", "o"} {
			n, err := server.Read(buf[:2])
			require.NoError(t, err)
			assert.Equal(t, want, string(buf[:n]))
		}
	})
	test("what was written is read after the end", func(t *testing.T, client, server net.Conn) {
		write(t, client, "last")
		client.Close()
		got, err := io.ReadAll(server)
		require.NoError(t, err)
		assert.Equal(t, "last", string(got))
		_, err = server.Write([]byte("x"))
		assert.Error(t, err)
		_, err = client.Read(buf)
		assert.ErrorIs(t, err, net.ErrClosed)
		_, err = client.Write(buf)
		assert.ErrorIs(t, err, net.ErrClosed)
	})
	test("closing wakes both ends", func(t *testing.T, client, server net.Conn) {
		go func() {
			time.Sleep(time.Second)
			server.Close()
		}()
		_, err := client.Read(buf)
		assert.Equal(t, io.EOF, err)
	})
	test("a full buffer holds the writer back", func(t *testing.T, client, server net.Conn) {
		start := time.Now()
		write(t, client, strings.Repeat("x", pipeBuffer))
		go func() {
			time.Sleep(time.Second)
			_, _ = server.Read(buf)
		}()
		write(t, client, "y")
		assert.Equal(t, time.Second, time.Since(start))
	})
	test("deadlines", func(t *testing.T, client, server net.Conn) {
		start := time.Now()
		require.NoError(t, client.SetReadDeadline(start.Add(3*time.Second)))
		_, err := client.Read(buf)
		assert.Equal(t, 3*time.Second, time.Since(start))
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		_, err = client.Read(buf)
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "it stays passed")

		require.NoError(t, client.SetReadDeadline(time.Time{}))
		write(t, server, "late")
		_, err = client.Read(buf)
		assert.NoError(t, err, "until it is lifted")

		write(t, client, strings.Repeat("x", pipeBuffer))
		require.NoError(t, client.SetDeadline(time.Now().Add(time.Second)))
		_, err = client.Write([]byte("y"))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
	test("a deadline in the past wakes a pending read", func(t *testing.T, client, server net.Conn) {
		go func() {
			time.Sleep(time.Second)
			_ = client.SetReadDeadline(time.Unix(1, 0))
		}()
		_, err := client.Read(buf)
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
	test("a moved deadline", func(t *testing.T, client, server net.Conn) {
		start := time.Now()
		require.NoError(t, client.SetReadDeadline(start.Add(time.Second)))
		go func() {
			time.Sleep(500 * ms)
			_ = client.SetReadDeadline(start.Add(4 * time.Second))
		}()
		_, err := client.Read(buf)
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 4*time.Second, time.Since(start))
	})
	test("addresses", func(t *testing.T, client, server net.Conn) {
		assert.Equal(t, "memory", client.LocalAddr().Network())
		assert.Equal(t, "memory", server.RemoteAddr().String())
	})
}

func TestDialGivesUp(t *testing.T) {
	t.Parallel()
	l := newMemoryListener()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.dial(ctx)
	assert.True(t, errors.Is(err, context.Canceled))
	assert.Equal(t, "memory", l.Addr().String())
}
