package fakes

import (
	"bytes"
	"encoding/binary"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// An object is a JSON object. Bedrock sends members in alphabetical order, which
// is that of a marshalled map.
type object = map[string]any

// eventMessage returns an event as a message of AWS's event-stream format, its
// headers in Bedrock's order.
func eventMessage(event string, payload object) []byte {
	return message(mustJSON(payload), header{":event-type", event}, header{":content-type", "application/json"}, header{":message-type", "event"})
}

func exceptionMessage(e Exception) []byte {
	return namedException(e.member(), e.payload(e.Message()))
}

func namedException(name string, payload object) []byte {
	return message(mustJSON(payload), header{":exception-type", name}, header{":content-type", "application/json"}, header{":message-type", "exception"})
}

// partMessage returns bytes of a container as SageMaker wraps them.
func partMessage(content []byte) []byte {
	return message(content, header{":event-type", "PayloadPart"}, header{":content-type", "application/octet-stream"}, header{":message-type", "event"})
}

// errorMessage returns an error that the API does not define. It has no payload.
func errorMessage(code, text string) []byte {
	return message(nil, header{":error-code", code}, header{":error-message", text}, header{":message-type", "error"})
}

type header struct{ name, value string }

func message(payload []byte, headers ...header) []byte {
	m := eventstream.Message{Payload: payload}
	for _, h := range headers {
		m.Headers = append(m.Headers, eventstream.Header{Name: h.name, Value: eventstream.StringValue(h.value)})
	}
	var b bytes.Buffer
	_ = eventstream.NewEncoder().Encode(&b, m) // cannot fail: no header or payload is too long
	return b.Bytes()
}

// cut returns what is sent of a message that is cut at p.
func (p Place) cut(message []byte) []byte {
	const prelude, checksum = 12, 4 // bytes: lengths with their checksum, checksum of the whole
	payload := prelude + int(binary.BigEndian.Uint32(message[4:]))
	end := len(message) - checksum
	switch p {
	case InPrelude:
		return message[:prelude/2]
	case InHeaders:
		return message[:(prelude+payload)/2]
	case InPayload:
		return message[:(payload+end)/2]
	case BeforeCRC:
		return message[:end]
	case BadCRC:
		message[end] ^= 0xff
		return message
	}
	return nil
}
