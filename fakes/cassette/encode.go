package cassette

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// encode returns a value as this package writes it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// decode reads a value strictly.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(data)) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// decodeExchange reads an exchange strictly. The body and the reads of the reply make
// up nearly all of it; they are taken out first, so that encoding/json need not look at
// them. That is safe, because no string of JSON can hold the quotes that are searched.
func decodeExchange(data []byte) (*Interaction, error) {
	var body *text
	var body64 *[]byte
	var marks reads
	small := data
	if response := bytes.Index(data, []byte(`,"response":{`)); response >= 0 {
		var rest []byte
		var cut bool
		if rest, body, cut = takeBody(data[response:]); !cut {
			rest, body64, cut = takeBody64(data[response:])
		}
		if cut {
			small = append(append(make([]byte, 0, response+len(rest)), data[:response]...), rest...)
		}
	}
	const open, shut = `,"reads":[[`, `]]`
	if start := bytes.Index(small, []byte(open)); start >= 0 {
		if size := bytes.Index(small[start:], []byte(shut)); size >= 0 {
			end := start + size + len(shut)
			if err := marks.UnmarshalJSON(small[start+len(open)-len("[[") : end]); err != nil {
				return nil, err
			}
			small = without(small, start, end)
		}
	}
	var e exchange
	if err := decode(small, &e); err != nil {
		return nil, err
	}
	if body != nil && e.Response.Body != nil || body64 != nil && e.Response.Body64 != nil || marks != nil && e.Response.Reads != nil {
		return nil, errors.New("a member twice")
	}
	if body != nil {
		e.Response.Body = body
	}
	if body64 != nil {
		e.Response.Body64 = body64
	}
	if marks != nil {
		e.Response.Reads = marks
	}
	return e.interaction()
}

// takeBody takes the body out of a response.
func takeBody(response []byte) (rest []byte, body *text, ok bool) {
	const open = `,"body":"`
	start := bytes.Index(response, []byte(open))
	if start < 0 {
		return nil, nil, false
	}
	at := start + len(open)
	end := at
	for {
		n := bytes.IndexByte(response[end:], '"')
		if n < 0 {
			return nil, nil, false
		}
		end += n
		escapes := 0
		for response[end-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			break
		}
		end++
	}
	plain, err := unquoted(response[at:end])
	if err != nil {
		return nil, nil, false // encoding/json tells
	}
	return without(response, start, end+1), (*text)(&plain), true
}

// takeBody64 is takeBody of one that is no text.
func takeBody64(response []byte) (rest []byte, body *[]byte, ok bool) {
	const open = `,"body64":"`
	start := bytes.Index(response, []byte(open))
	if start < 0 {
		return nil, nil, false
	}
	at := start + len(open)
	size := bytes.IndexByte(response[at:], '"')
	if size < 0 {
		return nil, nil, false
	}
	decoded, err := base64.StdEncoding.Strict().AppendDecode(nil, response[at:at+size])
	if err != nil {
		return nil, nil, false // encoding/json tells
	}
	return without(response, start, at+size+1), &decoded, true
}

// without returns a copy of data without a part of it.
func without(data []byte, start, end int) []byte {
	return append(append(make([]byte, 0, len(data)-end+start), data[:start]...), data[end:]...)
}
