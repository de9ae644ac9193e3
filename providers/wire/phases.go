package wire

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// A phaseClock notes the moments that net/http reports through httptrace. The
// hooks run on the transport's own goroutines, some of them after RoundTrip has
// returned (a dial that lost the race to an idle connection), hence the lock.
type phaseClock struct {
	call time.Time

	mu     sync.Mutex
	phases Phases
}

func (c *phaseClock) note(set func(p *Phases, now Instant)) {
	now := At(time.Since(c.call))
	c.mu.Lock()
	set(&c.phases, now)
	c.mu.Unlock()
}

// read returns the phases so far; the first response byte falls back to
// headAt for transports that report none.
func (c *phaseClock) read(headAt Instant) Phases {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.phases
	if !p.Header.Known() {
		p.Header = headAt
	}
	return p
}

func (c *phaseClock) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			c.note(func(p *Phases, now Instant) {
				p.GotConn, p.Reused, p.Idle = now, info.Reused, info.IdleTime
			})
		},
		DNSStart: func(httptrace.DNSStartInfo) { c.note(func(p *Phases, now Instant) { p.DNSStart = now }) },
		DNSDone:  func(httptrace.DNSDoneInfo) { c.note(func(p *Phases, now Instant) { p.DNSDone = now }) },
		ConnectStart: func(_, _ string) {
			c.note(func(p *Phases, now Instant) {
				if !p.ConnectStart.Known() { // happy eyeballs dials twice
					p.ConnectStart = now
				}
			})
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				c.note(func(p *Phases, now Instant) { p.ConnectDone = now })
			}
		},
		TLSHandshakeStart: func() { c.note(func(p *Phases, now Instant) { p.TLSStart = now }) },
		TLSHandshakeDone: func(tls.ConnectionState, error) {
			c.note(func(p *Phases, now Instant) { p.TLSDone = now })
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				c.note(func(p *Phases, now Instant) { p.Wrote = now })
			}
		},
		GotFirstResponseByte: func() { c.note(func(p *Phases, now Instant) { p.Header = now }) },
	}
}
