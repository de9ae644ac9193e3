package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Identity returns the exchange as it would be had the body not been compressed: x
// itself without a Content-Encoding other than identity, and otherwise a copy with
// the body that gzip, x-gzip or deflate makes of it, without Content-Encoding and
// Content-Length in Header. Offsets into the body and Marks count decompressed bytes
// then, so that ReadOf is right for them.
//
// A byte has the time of the read that brought the last compressed byte it takes to
// decompress it. A server that flushes its compressor after each event thus leaves
// each event its own time; bytes that are not flushed come with the next flush, once
// 32 KiB have piled up, or at the end. Reads that made no byte available have no mark.
//
// A body that is cut yields what there is of it, and it is left to whoever decodes it
// to miss the rest. So does one that is damaged further on, and then the copy says
// [EndFailed] and why in Err, if nothing worse was known before. An error is returned
// for what cannot be read at all: another encoding, several at once, a body that is
// not what its header says, and one that decompresses to more than 64 MiB and more
// than 100 times its size, which is a [*FrameError].
func (x *Exchange) Identity() (*Exchange, error) {
	encoding := contentEncoding(x.Header)
	if encoding == "" {
		return x, nil
	}
	in := newInflation(x.Body, x.Marks)
	var err error
	switch encoding {
	case "gzip", "x-gzip":
		err = in.gunzip()
	case "deflate":
		err = in.undeflate()
	default:
		return nil, fmt.Errorf("wire: content-encoding %s cannot be decoded: ask for Accept-Encoding: identity", encoding)
	}

	var foreign *foreignBodyError
	switch {
	case errors.As(err, &foreign):
		return nil, fmt.Errorf("wire: content-encoding %s, but the body is not: %w", encoding, err)
	case errors.Is(err, errInflatesTooFar):
		return nil, &FrameError{Reason: fmt.Sprintf("content-encoding %s: %d bytes %v %d", encoding, len(x.Body), err, in.limit)}
	}
	plain := *x
	plain.Body, plain.Marks = in.body, in.mapped
	plain.Header = x.Header.Clone()
	plain.Header.Del("Content-Encoding")
	plain.Header.Del("Content-Length")
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && plain.Err == nil {
		plain.Ending, plain.Err = EndFailed, fmt.Errorf("wire: content-encoding %s: %w", encoding, err)
	}
	return &plain, nil
}

// contentEncoding returns the codings applied to a body, in lower case and parted by
// ", ", or "" where there is none but identity.
func contentEncoding(header http.Header) string {
	var codings []string
	for coding := range strings.SplitSeq(strings.Join(header.Values("Content-Encoding"), ","), ",") {
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "" && coding != "identity" {
			codings = append(codings, coding)
		}
	}
	return strings.Join(codings, ", ")
}
