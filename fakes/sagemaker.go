package fakes

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// A Container is the model server behind an endpoint of SageMaker's, and how its
// stream falls into parts. The zero Container streams server-sent events, and no
// part begins or ends where an event does.
type Container struct {
	// Lines streams lines of JSON instead of server-sent events.
	Lines bool

	// Aligned makes each event a part. Otherwise a part ends somewhere in the next
	// event, which is complete with the next part: still at its own time.
	Aligned bool
}

// SageMaker returns a fake of Amazon SageMaker's runtime that follows the script. It
// serves
//
//	POST /endpoints/{name}/invocations-response-stream
//	POST /endpoints/{name}/invocations
//
// with the frames, headers and errors of the real one, for any name. The container
// takes chat completions, as vLLM and many others do, and {"inputs": …}, as TGI and
// DJL do, which are given text alone: reasoning and tool calls are text there.
//
// Exceptions of Bedrock's stand for SageMaker's nearest: before a stream a
// [Throttling] has status 400, a [ModelError] and all that a container refuses is a
// ModelError (424); in a stream a [ModelStreamError] or [ModelTimeout] is a
// ModelStreamError and other exceptions an InternalStreamFailure. Four bytes of the
// prompt are a token of input; the output is the script's. [Script.Padding] does
// nothing, and where parts end follows from the seed.
//
// SageMaker panics when the script makes no sense.
func SageMaker(s Script, c Container) http.Handler {
	e := newEndpoint(s)
	invoke := func(reply bool) http.Handler {
		return e.handler(func(a *attempt) dialect {
			a.w.Header().Set("X-Amzn-Requestid", a.uuid())
			return &sageMaker{attempt: a, container: c, reply: reply}
		})
	}
	mux := http.NewServeMux()
	mux.Handle("POST /endpoints/{name}/invocations-response-stream", invoke(false))
	mux.Handle("POST /endpoints/{name}/invocations", invoke(true))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		(&sageMaker{attempt: &attempt{w: w, r: r}}).refuse(UnknownOperation, UnknownOperation.Message(), 0)
	})
	return mux
}

// A sageMaker is one attempt being answered, as a stream or as one reply.
type sageMaker struct {
	*attempt
	container Container
	reply     bool // in one piece
	words     containerWords
	refused   bool // by the container
}

// read implements [dialect].
func (m *sageMaker) read(body []byte) (maxTokens *int, refusal string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) == nil && members["inputs"] != nil {
		m.words = &tgiContainer{m: m}
	} else {
		m.words = &chatContainer{m: m}
	}
	maxTokens, refusal = m.words.read(body)
	m.refused = refusal != ""
	return maxTokens, refusal
}

// containerWords are those of a kind of container.
type containerWords interface {
	read(body []byte) (maxTokens *int, refusal string)

	// open, content and end return what precedes the content, the i-th event of it,
	// and what follows; piece returns one of text.
	open() []any
	content(i int) any
	end() []any
	piece(text string) any

	// event returns the bytes of one of these.
	event(data any) []byte

	whole() object
}

// answer implements [dialect].
func (m *sageMaker) answer() {
	m.w.Header().Set("X-Amzn-Invoked-Production-Variant", "AllTraffic")
	if m.reply {
		m.replyWhole()
	} else {
		m.stream()
	}
}

// A timedEvent is an event of the container, and when it is complete.
type timedEvent struct {
	at   time.Duration
	data []byte
}

func (m *sageMaker) stream() {
	m.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	contentType := "text/event-stream"
	if m.container.Lines {
		contentType = "application/jsonlines"
	}
	m.w.Header().Set("X-Amzn-Sagemaker-Content-Type", contentType)

	var events []timedEvent
	add := func(at time.Duration, contents ...any) {
		for _, c := range contents {
			events = append(events, timedEvent{at, m.words.event(c)})
		}
	}
	add(m.Head, m.words.open()...)
	for i, c := range m.Content {
		add(c.At, m.words.content(i))
	}
	switch e := m.ending.(type) {
	case Throw:
		add(m.End, m.words.piece(words(0, 8)))
		m.send(events)
		m.write(m.End, namedException(sageMakerStreamException(e.Exception.orThrottling())))
	case ThrowUnmodelled:
		add(m.End, m.words.piece(words(0, 8)))
		m.send(events)
		m.write(m.End, errorMessage(e.code(), e.Message))
	case Cut:
		add(m.End, m.words.piece(words(0, 8)))
		lost := m.send(events)
		m.write(m.End, e.At.cut(partMessage(lost)))
		if e.At == Abort {
			panic(http.ErrAbortHandler)
		}
	default:
		add(m.End, m.words.end()...)
		if rest := m.send(events); len(rest) > 0 {
			m.write(m.End, partMessage(rest))
		}
	}
}

// send sends events in parts, but for what is left of the last, which it returns. A
// part is sent when the event that it completes is due.
func (m *sageMaker) send(events []timedEvent) (rest []byte) {
	due := events[0].at
	for _, e := range events {
		begun := 0 // bytes that go with the part before
		if !m.container.Aligned {
			begun = 1 + m.padding.IntN(len(e.data)-1)
		}
		if rest = append(rest, e.data[:begun]...); len(rest) > 0 {
			m.write(due, partMessage(rest))
		}
		rest, due = e.data[begun:len(e.data):len(e.data)], e.at
	}
	return rest
}

// replyWhole answers InvokeEndpoint.
func (m *sageMaker) replyWhole() {
	if !m.wait(m.End) {
		return
	}
	switch e := m.ending.(type) {
	case Throw:
		exception := e.Exception.orThrottling()
		m.refuse(exception, exception.Message(), 0)
		return
	case ThrowUnmodelled:
		m.refuse(Exception(e.code()), e.Message, 0)
		return
	}
	m.writeWhole(m.words.whole())
}

// refuse implements [dialect].
func (m *sageMaker) refuse(e Exception, message string, retryAfter time.Duration) {
	name, status, fields := sageMakerException(e), e.Status(), object{"Message": message}
	switch {
	case m.refused:
		name, status = "ModelError", http.StatusFailedDependency
		fields = containerError(http.StatusUnprocessableEntity, message)
	case name == "ModelError":
		status = http.StatusFailedDependency
		fields = containerError(http.StatusInternalServerError, message)
	case e == Throttling:
		status = http.StatusBadRequest
	case e == ResourceNotFound:
		status = http.StatusBadRequest
	}
	if retryAfter > 0 {
		m.w.Header().Set("X-Amz-Retry-After", strconv.FormatInt(retryAfter.Milliseconds(), 10))
	}
	m.w.Header().Set("X-Amzn-Errortype", name+":")
	m.writeError(status, fields)
}

// containerError is what SageMaker makes of an error that the container answered with.
func containerError(status int, message string) object {
	return object{
		"Message": "Received client error (" + strconv.Itoa(status) + ") from primary with message \"" + message + "\".",

		"OriginalStatusCode": status, "OriginalMessage": message,
		"LogStreamArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/fake",
	}
}

// sageMakerException names the exception of SageMaker's that comes nearest.
func sageMakerException(e Exception) string {
	switch e {
	case Validation, ResourceNotFound:
		return "ValidationError"
	case ModelError, ModelStreamError, ModelTimeout:
		return "ModelError"
	case InternalServer:
		return "InternalFailure"
	case ServiceUnavailable:
		return "ServiceUnavailable"
	}
	return string(e) // those of all AWS, ModelNotReady, and names that nobody knows
}

// sageMakerStreamException is the same for an exception in a stream.
func sageMakerStreamException(e Exception) (name string, fields object) {
	fields = object{"Message": e.Message()}
	switch e {
	case ModelTimeout:
		fields["ErrorCode"] = "ModelInvocationTimeExceeded"
		return "ModelStreamError", fields
	case ModelStreamError, ModelError:
		fields["ErrorCode"] = "StreamBroken"
		return "ModelStreamError", fields
	case Throttling: // not modelled, and all the same what any service of AWS may send
		return string(e), fields
	}
	return "InternalStreamFailure", fields
}
