package providers

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/latgate/latgate/providers/wire"
)

// A Builder puts a [Response] together while a decoder goes through the frames of
// an exchange. It keeps what every protocol has in common in one place: which read
// a frame came with, what counts as content, how the attempt ended. A decoder
// tells it what the frames say, and sets the other fields of the Response itself:
//
//	b := providers.NewBuilder("acme", "chat", x)
//	switch {
//	case b.Refused():
//		b.Refuse(providers.ErrorOf(b.Exchange.Body))
//	default:
//		b.SSE(func(e wire.SSEEvent) error {
//			var c chunk
//			if err := json.Unmarshal(e.Data, &c); err != nil {
//				return err
//			}
//			b.Add(providers.Text, c.Text)
//			if c.Done {
//				b.Finish()
//			}
//			return nil
//		})
//	}
//	return b.Done()
type Builder struct {
	*Response

	// Exchange is what is decoded, without its content encoding: offsets of
	// frames count its bytes.
	Exchange *wire.Exchange

	text     strings.Builder
	frame    Event // of the current frame: all but Channel and Bytes
	complete bool  // the reply is known to be whole
	nonempty bool  // it holds something, be it no content event
	over     bool  // nothing after the current frame matters
}

// NewBuilder begins the response to x. What the response head tells is read at
// once: the request's name, the server's own times, and the hint when to try again.
func NewBuilder(provider, api string, x *wire.Exchange) *Builder {
	b := &Builder{Response: &Response{Provider: provider, API: api, End: x.End}, Exchange: x}
	b.RequestID = requestID(x.Header)
	b.ServerTimes = serverTimes(x.Header)
	plain, err := x.Identity()
	switch {
	case err == nil:
		b.Exchange = plain
	case x.Status >= 300: // the status tells enough
		unread := *x
		unread.Body, unread.Marks = nil, nil
		b.Exchange = &unread
	default:
		b.Fail(Parse, "", err.Error())
		return b
	}
	if x.Status == 0 {
		b.over, b.Class = true, ClassOfError(x.Err)
		if x.Err != nil {
			b.Detail = x.Err.Error()
		}
	}
	return b
}

// Refused reports whether the status is no success, so that the body is an error
// in the words of the provider, for [Builder.Refuse].
func (b *Builder) Refused() bool { return b.Exchange.Status >= 300 }

// Refuse ends the response as the status says. A host that passes on what its
// model's server answered may tell the status of that one in e.
func (b *Builder) Refuse(e ServerError) {
	if b.over {
		return
	}
	x := b.Exchange
	b.Code, b.Detail, b.Class, b.over = e.Code, e.Message, ClassOfStatus(x.Status, e.Code), true
	if ClassOfStatus(e.Status, e.Code) == Throttled {
		b.Class = Throttled
	}
	b.Overloaded = isOverload(x.Status, e.Code) || isOverload(e.Status, e.Code)
	b.RetryAfter = retryAfter(x, e, b.Class == Throttled)
	if b.Class == Parse && b.Detail == "" {
		b.Detail = fmt.Sprintf("status %d %s, which is neither a reply nor an error", x.Status, http.StatusText(x.Status))
	}
}

// FailStream ends the response with an error that came inside a reply of status
// 200. Whatever follows is not looked at.
func (b *Builder) FailStream(e ServerError) {
	class := StreamError
	if ClassOfStatus(e.Status, e.Code) == Throttled {
		class = Throttled
	}
	if !b.over {
		b.Overloaded, b.RetryAfter = isOverload(e.Status, e.Code), e.RetryAfter
	}
	b.Fail(class, e.Code, e.Message)
}

// Fail ends the response in the current frame.
func (b *Builder) Fail(class Class, code, message string) {
	if b.over {
		return // the first failure is the one that ended the stream
	}
	b.Class, b.Code, b.Detail, b.over = class, code, message, true
	if b.Frames > 0 && class != Parse { // the server ended it, not our reading
		b.End = wire.At(b.frame.At)
	}
}

// MediaType returns the content type of the reply without its parameters, in
// lower case.
func (b *Builder) MediaType() string {
	header := b.Exchange.Header.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(header)
	if err != nil {
		mediaType, _, _ = strings.Cut(strings.ToLower(header), ";")
	}
	return strings.TrimSpace(mediaType)
}

// Frame begins the frame that ends at offset end of the body. The methods that
// go through frames call it themselves.
func (b *Builder) Frame(end int64) {
	read, at := b.Exchange.ReadOf(end)
	moment, _ := at.Get()
	b.frame = Event{Frame: b.Frames, End: end, At: moment, Read: read}
	if b.Frames == 0 {
		b.FirstFrame = at
	}
	b.Frames++
}

// Add notes content of the current frame. Empty content is none.
func (b *Builder) Add(channel Channel, content string) {
	if channel == Text {
		b.text.WriteString(content)
	}
	b.AddBytes(channel, len(content))
}

// AddBytes notes so many bytes of content of the current frame.
func (b *Builder) AddBytes(channel Channel, n int) {
	if n <= 0 {
		return
	}
	if channel == Reasoning {
		b.Reasoning += n
		if b.Disclosure != Summary {
			b.Disclosure = Verbatim
		}
	}
	e := b.frame
	e.Channel, e.Bytes = channel, n
	b.Events = append(b.Events, e)
}

// AddSummary notes reasoning that is a summary of what the model thought.
func (b *Builder) AddSummary(content string) {
	if content != "" {
		b.Disclosure = Summary
		b.Add(Reasoning, content)
	}
}

// AddRedacted notes reasoning that came encrypted: it is no content.
func (b *Builder) AddRedacted(ciphertext string) {
	if ciphertext != "" && b.Disclosure == "" {
		b.Disclosure = Redacted
	}
}

// Nonempty notes something that is no content event, and yet what was asked for: the
// call of a tool that takes no arguments. A whole reply that holds it is no empty
// one, though it has no first token.
func (b *Builder) Nonempty() { b.nonempty = true }

// Running notes the number of output tokens up to and including the current
// frame, from a server that counts along. With the first content it is
// [Response.FirstCount].
func (b *Builder) Running(output Count) {
	if len(b.Events) > 0 && b.Events[0].Frame == b.frame.Frame && !b.FirstCount.Known() {
		if n, _ := output.Get(); n > 0 {
			b.FirstCount = output
		}
	}
}

// Complete notes that the reply is whole, though more frames may tell of it.
func (b *Builder) Complete() { b.complete = true }

// Finish notes that the current frame is the terminal event. Whatever follows is
// not looked at.
func (b *Builder) Finish() {
	b.complete, b.over, b.End = true, true, wire.At(b.frame.At)
}

// Done judges how the attempt ended and returns the response.
func (b *Builder) Done() *Response {
	r := b.Response
	r.Text = b.text.String()
	if r.Class == "" {
		r.Class = ClassOfEnding(b.Exchange, b.complete, b.nonempty || len(r.Events) > 0)
	}
	r.Usage = r.Usage.plausible(len(r.Events) > 0)
	r.Buffered = buffered(r.Events)
	return r
}

// buffered reports whether something between the model and the client held the
// stream back and let it go at once: four content events or more to a read, all of
// them in the last twentieth of the time to the last token.
func buffered(events []Event) bool {
	if len(events) < 8 {
		return false
	}
	reads := 1
	for i := 1; i < len(events); i++ {
		if events[i].Read != events[i-1].Read {
			reads++
		}
	}
	first, last := events[0].At, events[len(events)-1].At
	return 4*reads <= len(events) && (last-first)*20 < last && last > time.Duration(0)
}
