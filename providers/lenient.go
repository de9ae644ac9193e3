package providers

import (
	"bytes"
	"encoding/json"
)

// Lenient is a JSON member whose loss must not lose the reply it came with: what is
// no T becomes the zero value.
type Lenient[T any] struct{ Value T }

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Lenient[T]) UnmarshalJSON(data []byte) error {
	var zero, value T
	if string(data) == "null" || json.Unmarshal(data, &value) != nil {
		value = zero
	}
	l.Value = value
	return nil
}

// Capped is a JSON list of which the first 1000 elements are kept. No reply has as
// many choices or calls, but a hostile one takes hundreds of times its own size
// when every empty element becomes a struct.
type Capped[T any] []T

const mostElements = 1000

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Capped[T]) UnmarshalJSON(data []byte) error {
	*c = nil
	if bytes.Count(data, []byte(",")) < mostElements { // so many elements at most
		return json.Unmarshal(data, (*[]T)(c))
	}
	list := json.NewDecoder(bytes.NewReader(data))
	if start, err := list.Token(); err != nil || start == nil { // null is an empty list
		return err
	} else if start != json.Delim('[') {
		return json.Unmarshal(data, (*[]T)(c)) // for the error it makes
	}
	*c = Capped[T]{}
	for list.More() && len(*c) < mostElements {
		var element T
		if err := list.Decode(&element); err != nil {
			return err
		}
		*c = append(*c, element)
	}
	return nil
}

// Present reports whether a JSON member is there and not null.
func Present(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}
