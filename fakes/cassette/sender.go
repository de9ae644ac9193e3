package cassette

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/latgate/latgate/fakes/clock"
)

// A sender sends a response at its times.
type sender struct {
	w     http.ResponseWriter
	start time.Time
	alarm *clock.Alarm
}

// wait returns so long after the start, or false when the client goes before.
func (s *sender) wait(at time.Duration) bool { return s.alarm.Wait(s.start.Add(at)) }

// send sends a recorded response. Each read is a write of its own.
func (s *sender) send(r *Response, t timeline) {
	control := http.NewResponseController(s.w)
	if r.Status != 0 {
		if !s.wait(t.head) {
			return
		}
		s.head(r)
		if control.Flush() != nil {
			return
		}
		from := int64(0)
		for _, m := range t.reads {
			if !s.wait(m.At) {
				return
			}
			if _, err := s.w.Write(r.Body[from:m.End]); err != nil {
				return
			}
			if control.Flush() != nil {
				return
			}
			from = m.End
		}
	}
	end := t.end
	if t.hold {
		end += grace
	}
	if s.wait(end) && (t.cut || r.Status == 0) {
		panic(http.ErrAbortHandler)
	}
}

// head sends the response head. What net/http would add to it stays away, and the body
// is sent as it comes: its length was known to nobody.
func (s *sender) head(r *Response) {
	h := s.w.Header()
	for _, name := range []string{"Content-Type", "Date"} {
		h[name] = nil
	}
	for name, values := range r.Header {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Te":
		default:
			h[name] = values
		}
	}
	s.w.WriteHeader(r.Status)
}

// refuse answers as a provider does whose limits are used up, in the words of several.
func (s *sender) refuse(t Throttle) {
	h := s.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", "ThrottlingException")
	if t.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(int64((t.RetryAfter+time.Second-1)/time.Second)))
	}
	s.w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(s.w, `{"message":"too many requests","error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"too many requests"}}`)
}
