package cassette

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Filler takes as many bytes as what it stands for, once decoded as well: a client
// counts the same content.
const (
	filler2 = 'é' // in UTF-8 of two bytes,
	filler3 = '一' // three
	filler4 = '𠀀' // and four
)

// fillText fills the letters and digits of a text, in place; filler stays as it is.
// Escapes of JSON stay escapes. With words, so do true, false, null and exponents, so
// that JSON in the text stays JSON.
func fillText(b []byte, words bool) {
	for at := 0; at < len(b); {
		switch c := b[at]; {
		case c == '\\':
			at += fillEscape(b[at:])
		case c >= '0' && c <= '9':
			b[at] = '1'
			at++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			end := at
			for end < len(b) && (b[end] >= 'a' && b[end] <= 'z' || b[end] >= 'A' && b[end] <= 'Z') {
				end++
			}
			if !words || !jsonWord(b, at, end) {
				for k := at; k < end; k++ {
					b[k] = 'X' | b[k]&0x20 // its case
				}
			}
			at = end
		case c < utf8.RuneSelf:
			at++
		default:
			r, size := utf8.DecodeRune(b[at:])
			if telling(r) {
				utf8.AppendRune(b[at:at], fillerOf(size))
			}
			at += size
		}
	}
}

// jsonWord reports whether the letters b[at:end] are a literal of JSON, or the
// exponent of a number.
func jsonWord(b []byte, at, end int) bool {
	switch string(b[at:end]) {
	case "true", "false", "null":
		return true
	case "e", "E":
		return at > 0 && end < len(b) && b[at-1] >= '0' && b[at-1] <= '9' && (b[end] >= '0' && b[end] <= '9' || b[end] == '-' || b[end] == '+')
	}
	return false
}

// telling reports whether a rune beyond ASCII can carry content.
func telling(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r) || unicode.Is(unicode.Co, r))
}

func fillerOf(size int) rune {
	switch size {
	case 2:
		return filler2
	case 3:
		return filler3
	default:
		return filler4
	}
}

// fillEscape fills a character that b escapes at its start, and returns its length.
func fillEscape(b []byte) int {
	n := escape(b)
	if n < 6 || b[n-5] != 'u' {
		if n == 1 && len(b) > 1 {
			return 2 // no escape of JSON
		}
		return n
	}
	r, ok := unescaped(b[n-6 : n])
	switch {
	case !ok:
	case r >= 0xd800 && r < 0xdc00:
		low, paired := rune(0), false
		if len(b) >= n+6 {
			low, paired = unescaped(b[n : n+6])
		}
		if paired && low >= 0xdc00 && low < 0xe000 {
			copy(b[n-6:], `\ud840\udc00`) // U+20000, filler4
			return n + 6
		}
	case r < utf8.RuneSelf && (r >= '0' && r <= '9'):
		copy(b[n-4:], "0031")
	case r < utf8.RuneSelf && unicode.IsUpper(r):
		copy(b[n-4:], "0058")
	case r < utf8.RuneSelf && unicode.IsLower(r):
		copy(b[n-4:], "0078")
	case r >= utf8.RuneSelf && telling(r):
		copy(b[n-4:], strconv.FormatInt(0x10000+int64(fillerOf(utf8.RuneLen(r))), 16)[1:])
	}
	return n
}

// unescaped returns the code unit of \uXXXX.
func unescaped(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// pseudonym replaces a name by another of the same shape, in place: the same one for
// the same name, so that what refers to it still does. What tells its kind stays, the
// call_ of call_Zx91.
func (r *redactor) pseudonym(b []byte) {
	start := 0
	for k := 0; k < len(b) && k <= 12; k++ {
		if (b[k] == '_' || b[k] == '-') && k > 0 && len(b)-k > 8 {
			start = k + 1
			break
		}
		if b[k] < 'a' || b[k] > 'z' {
			break
		}
	}
	mac := hmac.New(sha256.New, r.salt)
	mac.Write(b[start:])
	seed := mac.Sum(nil)
	for k := start; k < len(b); k++ {
		n := k - start
		if n > 0 && n%len(seed) == 0 {
			next := sha256.Sum256(seed)
			seed = next[:]
		}
		switch c, random := b[k], seed[n%len(seed)]; {
		case c >= '0' && c <= '9':
			b[k] = '1' + random%9
		case c >= 'a' && c <= 'z':
			b[k] = 'a' + random%26
		case c >= 'A' && c <= 'Z':
			b[k] = 'A' + random%26
		}
	}
}

// stretched returns a hash of bytes that takes a fraction of a millisecond, so that a
// list of likely prompts takes long to try. Who holds the file can try; nobody can tell
// by one cassette what is in another.
func stretched(salt, data []byte) string {
	const rounds = 1000
	mac := hmac.New(sha256.New, salt)
	mac.Write(data)
	sum := mac.Sum(nil)
	for range rounds {
		mac.Reset()
		mac.Write(sum)
		sum = mac.Sum(sum[:0])
	}
	return hex.EncodeToString(sum)
}
