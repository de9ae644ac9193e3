package cassette

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/latgate/latgate/providers/wire"
)

// A line of a file is
//
//	{"n":7,"sum":"9f86d081884c7d65","exchange":{…}}
//
// where n counts the lines from 0, and sum is the start of the SHA-256 of the line
// before's sum and of the value after "exchange", byte for byte. The first line holds
// the "cassette", the [Header], the last the "end". A line that was changed is thus
// told from one that was moved, lost or added.

const (
	kindHeader   = "cassette"
	kindExchange = "exchange"
	kindEnd      = "end"
)

type endRecord struct {
	Exchanges int `json:"exchanges"`
}

// exchange is an [Interaction] in JSON. Bodies are text where they are UTF-8.
type exchange struct {
	Call     int64        `json:"call"` // ns since the start of the recording
	Order    int64        `json:"order"`
	Sample   *int         `json:"sample,omitempty"`
	Timing   string       `json:"timing"`
	Request  requestLine  `json:"request"`
	Response responseLine `json:"response"`
}

type requestLine struct {
	Method string      `json:"method"`
	Host   string      `json:"host,omitempty"`
	Path   string      `json:"path"`
	Query  string      `json:"query,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Body   *text       `json:"body,omitempty"`
	Body64 *[]byte     `json:"body64,omitempty"`
	Key    string      `json:"key,omitempty"`
}

type responseLine struct {
	Proto  string      `json:"proto,omitempty"`
	Status int         `json:"status,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Phases wire.Phases `json:"phases,omitzero"`
	Body   *text       `json:"body,omitempty"`
	Body64 *[]byte     `json:"body64,omitempty"`
	Reads  reads       `json:"reads,omitempty"` // [offset of the byte after, ns since call]
	End    int64       `json:"end"`
	Ending wire.Ending `json:"ending"`
	Error  string      `json:"error,omitempty"`
}

func exchangeOf(i *Interaction) exchange {
	end, _ := i.Response.End.Get()
	e := exchange{
		Call: int64(i.Call), Order: i.Order, Timing: i.Timing,
		Request: requestLine{
			Method: i.Request.Method, Host: i.Request.Host, Path: i.Request.Path, Query: i.Request.Query,
			Header: i.Request.Header, Key: i.Request.key,
		},
		Response: responseLine{
			Proto: i.Response.Proto, Status: i.Response.Status, Header: i.Response.Header, Phases: i.Response.Phases,
			Reads: i.Response.Reads, End: int64(end), Ending: i.Response.Ending, Error: i.Response.Err,
		},
	}
	if i.Sample >= 0 {
		e.Sample = &i.Sample
	}
	if i.Request.Body != nil {
		e.Request.Body, e.Request.Body64 = encodeBody(i.Request.Body)
	}
	if len(i.Response.Body) > 0 {
		e.Response.Body, e.Response.Body64 = encodeBody(i.Response.Body)
	}
	return e
}

func (e exchange) interaction() (*Interaction, error) {
	request, err := decodeBody(e.Request.Body, e.Request.Body64)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	response, err := decodeBody(e.Response.Body, e.Response.Body64)
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	sample := -1
	if e.Sample != nil {
		sample = *e.Sample
	}
	return &Interaction{
		Call: time.Duration(e.Call), Order: e.Order, Sample: sample, Timing: e.Timing,
		Request: Request{
			Method: e.Request.Method, Host: e.Request.Host, Path: e.Request.Path, Query: e.Request.Query,
			Header: e.Request.Header, Body: request, key: e.Request.Key,
		},
		Response: Response{
			Proto: e.Response.Proto, Status: e.Response.Status, Header: e.Response.Header, Phases: e.Response.Phases,
			Body: response, Reads: e.Response.Reads, End: wire.At(time.Duration(e.Response.End)), Ending: e.Response.Ending, Err: e.Response.Error,
		},
	}, nil
}

func encodeBody(body []byte) (plain *text, base *[]byte) {
	if utf8.Valid(body) {
		return (*text)(&body), nil
	}
	return nil, &body
}

func decodeBody(plain *text, base *[]byte) ([]byte, error) {
	switch {
	case plain != nil && base != nil:
		return nil, errors.New("both body and body64")
	case plain != nil:
		return *plain, nil
	case base != nil:
		return *base, nil
	}
	return nil, nil
}

// text is bytes that are UTF-8, as a JSON string. What could act on a terminal is
// escaped: models and users write it.
type text []byte

// MarshalJSON implements [json.Marshaler].
func (t text) MarshalJSON() ([]byte, error) {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(t)+len(t)/8+2)
	out = append(out, '"')
	for k := 0; k < len(t); {
		switch c := t[k]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
			k++
		case c == '\n':
			out = append(out, `\n`...)
			k++
		case c == '\r':
			out = append(out, `\r`...)
			k++
		case c == '\t':
			out = append(out, `\t`...)
			k++
		case c < ' ' || c == 0x7f:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
			k++
		case c < utf8.RuneSelf:
			out = append(out, c)
			k++
		default:
			r, size := utf8.DecodeRune(t[k:])
			if acts(r) {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				out = append(out, t[k:k+size]...)
			}
			k += size
		}
	}
	return append(out, '"'), nil
}

// acts reports whether a rune beyond ASCII can end a line or turn the direction of
// what follows. All of them are below U+FFFF.
func acts(r rune) bool {
	return r >= 0x80 && r <= 0x9f || r == 0x061c || r == 0x200e || r == 0x200f ||
		r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) < 2 || data[0] != '"' || data[len(data)-1] != '"' {
		return errors.New("a body that is no string")
	}
	out, err := unquoted(data[1 : len(data)-1])
	*t = out
	return err
}

// unquoted returns what a string of JSON says that [text] has written; it takes no
// other way to write it.
func unquoted(data []byte) ([]byte, error) {
	for _, c := range data {
		if c < ' ' {
			return nil, errors.New("a body with a control character that is not escaped")
		}
	}
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		plain := bytes.IndexByte(data, '\\')
		if plain < 0 {
			plain = len(data)
		}
		out = append(out, data[:plain]...)
		if data = data[plain:]; len(data) == 0 {
			break
		}
		if len(data) == 1 {
			return nil, errors.New(`a body that ends in \`)
		}
		switch data[1] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '"', '\\':
			out = append(out, data[1])
		case 'u':
			code, err := strconv.ParseUint(string(data[2:min(6, len(data))]), 16, 16)
			if err != nil || len(data) < 6 || !utf8.ValidRune(rune(code)) {
				return nil, errors.New(`a body with a \u that is no character by itself`)
			}
			out = utf8.AppendRune(out, rune(code))
			data = data[4:]
		default:
			return nil, fmt.Errorf(`a body with \%c, which latgate does not write`, data[1])
		}
		data = data[2:]
	}
	if !utf8.Valid(out) {
		return nil, errors.New("a body that is no UTF-8")
	}
	return out, nil
}

// reads are the marks of a body as pairs.
type reads []wire.Mark

// MarshalJSON implements [json.Marshaler].
func (r reads) MarshalJSON() ([]byte, error) {
	out := make([]byte, 0, 2+24*len(r))
	out = append(out, '[')
	for k, m := range r {
		if k > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		out = strconv.AppendInt(out, m.End, 10)
		out = append(out, ',')
		out = strconv.AppendInt(out, int64(m.At), 10)
		out = append(out, ']')
	}
	return append(out, ']'), nil
}

var errReads = errors.New("reads are not pairs [offset, ns]")

// UnmarshalJSON implements [json.Unmarshaler].
func (r *reads) UnmarshalJSON(data []byte) error {
	marks := make([]wire.Mark, 0, bytes.Count(data, []byte{'['}))
	eat := func(c byte) bool {
		data = bytes.TrimLeft(data, " ")
		if len(data) == 0 || data[0] != c {
			return false
		}
		data = data[1:]
		return true
	}
	number := func() (int64, bool) {
		data = bytes.TrimLeft(data, " ")
		n := int64(0)
		k := 0
		for ; k < len(data) && k < 18 && data[k] >= '0' && data[k] <= '9'; k++ {
			n = 10*n + int64(data[k]-'0')
		}
		data = data[k:]
		return n, k > 0
	}
	if !eat('[') {
		return errReads
	}
	for !eat(']') {
		if len(marks) > 0 && !eat(',') {
			return errReads
		}
		open := eat('[')
		end, isEnd := number()
		comma := eat(',')
		at, isAt := number()
		if !open || !isEnd || !comma || !isAt || !eat(']') {
			return errReads
		}
		marks = append(marks, wire.Mark{End: end, At: time.Duration(at)})
	}
	*r = marks
	return nil
}

// sumOf returns the sum of a line from that of the line before.
func sumOf(previous string, value []byte) string {
	h := sha256.New()
	h.Write([]byte(previous))
	h.Write([]byte{'\n'})
	h.Write(value)
	return hex.EncodeToString(h.Sum(nil)[:8])
}
