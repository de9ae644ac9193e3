package cassette

import "io"

// DecodeEdited reads a cassette as [Reseal] does: whatever its sums and numbers.
func DecodeEdited(r io.Reader, name string) (*Cassette, error) { return decodeFile(r, name, true) }
