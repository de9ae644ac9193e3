package memory

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A memoryListener hands the server's ends of the connections that are dialled
// to whoever accepts.
type memoryListener struct {
	accepting chan net.Conn
	closed    chan struct{}
	close     sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{accepting: make(chan net.Conn), closed: make(chan struct{})}
}

var errNetworkClosed = errors.New("memory: the network is closed")

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := newMemoryConn()
	select {
	case l.accepting <- server:
		return client, nil
	case <-l.closed:
		return nil, errNetworkClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements [net.Listener].
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepting:
		return c, nil
	case <-l.closed:
		return nil, errNetworkClosed
	}
}

// Close implements [net.Listener].
func (l *memoryListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr implements [net.Listener].
func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// A memoryConn is one end of a connection in memory. Unlike [net.Pipe] it
// buffers, as a socket does: a server is not held back by a client that reads
// slowly, until a buffer is full.
type memoryConn struct{ in, out *memoryPipe }

func newMemoryConn() (client, server net.Conn) {
	up, down := newMemoryPipe(), newMemoryPipe()
	return memoryConn{in: down, out: up}, memoryConn{in: up, out: down}
}

func (c memoryConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c memoryConn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c memoryConn) Close() error {
	c.in.closeReader()
	c.out.closeWriter()
	return nil
}

func (c memoryConn) LocalAddr() net.Addr  { return memoryAddr{} }
func (c memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

func (c memoryConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// A memoryPipe is one direction of a connection. What was written at once is
// never read together with what was written before or after, so the reads that
// a client sees do not depend on how goroutines are scheduled.
type memoryPipe struct {
	mu      sync.Mutex
	changed sync.Cond
	writes  [][]byte // not yet read
	size    int      // their bytes

	readerClosed, writerClosed bool
	readBy, writeBy            deadline
}

// pipeBuffer is when a writer must wait for the reader, in bytes.
const pipeBuffer = 256 << 10

func newMemoryPipe() *memoryPipe {
	p := new(memoryPipe)
	p.changed.L = &p.mu
	return p
}

func (p *memoryPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readerClosed:
			return 0, net.ErrClosed
		case p.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(p.writes) > 0:
			n := copy(b, p.writes[0])
			p.size -= n
			if p.writes[0] = p.writes[0][n:]; len(p.writes[0]) == 0 {
				p.writes = p.writes[1:]
			}
			p.changed.Broadcast()
			return n, nil
		case p.writerClosed:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *memoryPipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.writerClosed:
			return 0, net.ErrClosed
		case p.readerClosed:
			return 0, io.ErrClosedPipe
		case p.writeBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case p.size < pipeBuffer:
			p.writes = append(p.writes, append([]byte(nil), b...))
			p.size += len(b)
			p.changed.Broadcast()
			return len(b), nil
		}
		p.changed.Wait()
	}
}

func (p *memoryPipe) closeReader() { p.set(&p.readerClosed) }
func (p *memoryPipe) closeWriter() { p.set(&p.writerClosed) }

func (p *memoryPipe) set(state *bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*state = true
	p.changed.Broadcast()
}

// A deadline is a time after which an operation fails; there may be none.
type deadline struct {
	at   time.Time
	wake *time.Timer
}

func (d deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (p *memoryPipe) setDeadline(d *deadline, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.wake != nil {
		d.wake.Stop()
	}
	*d = deadline{at: t}
	if !t.IsZero() && !d.passed() {
		d.wake = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.changed.Broadcast()
		})
	}
	p.changed.Broadcast()
}
