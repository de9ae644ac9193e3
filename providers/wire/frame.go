package wire

import "fmt"

// A FrameError says where the framing of a body broke, and why. What came
// before Offset was framed well and has been handed out; nothing after it is,
// because a stream of frames cannot be resumed in the middle.
type FrameError struct {
	Offset int64  // first byte of the frame at fault, counted from the start of the body
	Reason string // what is wrong with it
	Err    error  // the cause, such as [io.ErrUnexpectedEOF]; may be nil
}

// Error implements error.
func (e *FrameError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("wire: frame at byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("wire: frame at byte %d: %s: %v", e.Offset, e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *FrameError) Unwrap() error { return e.Err }
