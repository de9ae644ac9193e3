package cassette

import (
	"bytes"
	"strings"
)

// maskSecrets fills what looks like a credential, the account and resource of an ARN,
// or an account id, in place. Escapes of JSON and of URLs stay, so that the text still
// is what it was around it.
func maskSecrets(b []byte) {
	for at := 0; at < len(b); {
		if n := escape(b[at:]); n > 0 {
			at += n
			continue
		}
		if bytes.HasPrefix(b[at:], []byte("://")) {
			maskUserinfo(b[at+3:])
		}
		if bytes.HasPrefix(b[at:], []byte("-----BEGIN")) {
			at = maskPrivateKey(b, at)
			continue
		}
		if b[at] == '%' && at+2 < len(b) && hexadecimal(b[at+1:at+3]) {
			at += 3
			continue
		}
		if !wordByte(b[at]) {
			at++
			continue
		}
		end := at
		for end < len(b) && wordByte(b[end]) {
			end++
		}
		at = maskWord(b, at, end)
	}
}

// escape returns the length of the escape sequence of JSON at the start of b, also of
// JSON in JSON, 0 without one.
func escape(b []byte) int {
	n := 0
	for n < len(b) && b[n] == '\\' {
		n++
	}
	if n == 0 || n == len(b) {
		return n
	}
	switch b[n] {
	case 'n', 'r', 't', 'b', 'f', '/', '"', '\'':
		return n + 1
	case 'u':
		if len(b) >= n+5 && hexadecimal(b[n+1:n+5]) {
			return n + 5
		}
	}
	return n
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// maskWord looks at the word b[at:end], and returns where to go on.
func maskWord(b []byte, at, end int) int {
	word := b[at:end]
	for k := range word {
		if k > 0 && word[k-1] != '-' && word[k-1] != '_' {
			continue
		}
		if p := keyPrefix(word[k:]); p > 0 {
			end = at + k + p + valueEnd(b[at+k+p:])
			fillText(b[at+k+p:end], false)
			return end
		}
	}
	switch lower := strings.ToLower(string(word[:min(len(word), 64)])); lower {
	case "arn":
		if stop, is := maskARN(b, end); is {
			return stop
		}
	case "bearer", "basic", "apikey", "aws4-hmac-sha256":
		if stop, is := maskScheme(b, end); is {
			return stop
		}
		fallthrough
	default:
		if secretWord(word) || lower == "signature" && end < len(b) && b[end] == '=' {
			if stop, is := maskValue(b, end, lower); is {
				return stop
			}
		}
	}
	maskAccount(word)
	return end
}

// maskScheme fills what follows the name of an authentication scheme that ends at at.
func maskScheme(b []byte, at int) (int, bool) {
	start := at
	for start < len(b) && (b[start] == ' ' || b[start] == '+') {
		start++
	}
	end := start + valueEnd(b[start:])
	if start == at || !opaque(b[start:end]) {
		return 0, false
	}
	fillText(b[start:end], false)
	return end, true
}

// keyPrefix returns how much of a word tells that the rest of it is a key, 0 where
// nothing does.
func keyPrefix(word []byte) int {
	if len(word) < 8 {
		return 0
	}
	switch word[0] {
	case 's', 'p', 'r', 'x', 'g', 'A', 'h', 'e', 'y', 't', 'n', 'c':
	default:
		return 0
	}
	for _, prefix := range []string{
		"sk-", "pk-", "rk-", "xai-", "gsk_", "gsk-", "AKIA", "ASIA", "AIza", "ABSK", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
		"github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "xoxs-", "hf_", "eyJ", "ya29", "pplx-", "tgp_", "nvapi-", "csk-", "r8_", "sk_", "rk_", "pk_",
	} {
		if len(word) >= len(prefix)+8 && string(word[:len(prefix)]) == prefix {
			if prefix == "pk_" || prefix == "rk_" || prefix == "sk_" || prefix == "hf_" || prefix == "r8_" {
				if !opaque(word[len(prefix):]) {
					return 0 // an identifier of somebody's code
				}
			}
			return len(prefix)
		}
	}
	return 0
}

// valueEnd returns how far a value of base64, hexadecimal or the like goes.
func valueEnd(b []byte) int {
	at := 0
	for at < len(b) {
		switch c := b[at]; {
		case wordByte(c) || c == '.' || c == '/' || c == '+' || c == '=' || c == '~' || c == '%' || c == ':' || c == '!' || c == '$' || c == '@' || c == '*':
			at++
		case c == '\\':
			n := escape(b[at:])
			if e := b[at : at+n]; !bytes.HasSuffix(e, []byte("/")) && !bytes.Contains(e, []byte("u")) {
				return at
			}
			at += n
		default:
			return at
		}
	}
	return at
}

// opaque tells what could be a credential from a word of a sentence.
func opaque(b []byte) bool {
	if len(b) < 6 {
		return false
	}
	digits, lower, upper, others := 0, 0, 0, 0
	for k, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z' && k > 0:
			upper++
		case c == '-' || c == '_' || c == '=':
			others++
		}
	}
	return digits > 0 || lower > 0 && upper > 0 || others > 0 || len(b) >= 20
}

// secretWord reports whether a word names a credential.
func secretWord(word []byte) bool {
	if len(word) < 3 || len(word) > 64 {
		return false
	}
	var plain [64]byte
	n := 0
	for _, c := range word {
		if c == '_' || c == '-' {
			continue
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		plain[n] = c
		n++
	}
	name := plain[:n]
	for _, part := range secretParts {
		if bytes.Contains(name, part) {
			return true
		}
	}
	switch string(name) {
	case "key", "token", "sig", "pwd", "auth":
		return true
	}
	return false
}

var secretParts = [][]byte{
	[]byte("apikey"), []byte("accesskey"), []byte("secretkey"), []byte("privatekey"), []byte("accesstoken"), []byte("refreshtoken"),
	[]byte("idtoken"), []byte("authtoken"), []byte("sessiontoken"), []byte("securitytoken"), []byte("bearertoken"), []byte("apitoken"), []byte("secret"),
	[]byte("password"), []byte("passwd"), []byte("authorization"), []byte("cookie"), []byte("credential"), []byte("amzsignature"), []byte("sessionid"),
}

// maskValue fills the value that follows the name of a credential and a sign between
// them. After names that are words as well ("key", "token"), only what looks like one.
func maskValue(b []byte, at int, name string) (int, bool) {
	signed := false
	for at < len(b) {
		n := escape(b[at:])
		switch {
		case n > 0 && (b[at+n-1] == '"' || b[at+n-1] == '\'' || b[at+n-1] == '\\'):
			at += n
		case b[at] == ' ' || b[at] == '"' || b[at] == '\'':
			at++
		case b[at] == ':' || b[at] == '=':
			signed = true
			at++
		default:
			goto value
		}
	}
value:
	if !signed || at >= len(b) {
		return 0, false
	}
	end := at + valueEnd(b[at:])
	switch {
	case name == "cookie" || name == "set-cookie" || name == "authorization":
		end = at + lineEnd(b[at:])
	case len(name) <= 5 && !opaque(b[at:end]):
		return 0, false
	}
	if end == at {
		return 0, false
	}
	fillText(b[at:end], false)
	return end, true
}

// lineEnd returns where a header in a text ends.
func lineEnd(b []byte) int {
	for at := 0; at < len(b); at++ {
		switch b[at] {
		case '\r', '\n', '"', '\\':
			return at
		}
	}
	return len(b)
}

// maskARN fills the account and the resource of an ARN whose "arn" ends at at, in
// a URL or not.
func maskARN(b []byte, at int) (int, bool) {
	colons, from := 0, 0
	end := at
	for end < len(b) {
		step := 1
		colon := b[end] == ':'
		if b[end] == '%' && end+2 < len(b) {
			step = 3
			colon = strings.EqualFold(string(b[end:end+3]), "%3a")
		}
		if end == at && !colon {
			return 0, false
		}
		if colon {
			if colons++; colons == 4 {
				from = end + step
			}
		} else if step == 1 && !wordByte(b[end]) && b[end] != '/' && b[end] != '.' && b[end] != '*' && b[end] != '+' && b[end] != '@' && b[end] != '=' {
			if b[end] != '\\' || escape(b[end:]) == 0 || b[end+escape(b[end:])-1] != '/' {
				break
			}
			step = escape(b[end:])
		}
		end += step
	}
	if from == 0 {
		return 0, false
	}
	fillURL(b[from:end])
	return end, true
}

// fillURL fills a text whose percent escapes stay.
func fillURL(b []byte) {
	for at := 0; at < len(b); {
		next := bytes.IndexByte(b[at:], '%')
		if next < 0 {
			next = len(b) - at
		}
		fillText(b[at:at+next], false)
		at += next + 3
	}
}

// maskAccount fills numbers of twelve digits, as the ids of AWS accounts are, by
// themselves or as a part of a name; but not the end of a UUID.
func maskAccount(word []byte) {
	if len(word) == 36 && word[8] == '-' && word[23] == '-' {
		return
	}
	for at := 0; at < len(word); {
		end := at
		for end < len(word) && word[end] != '-' && word[end] != '_' {
			end++
		}
		if part := word[at:end]; len(part) == 12 && digits(part) {
			fillText(part, false)
		}
		at = end + 1
	}
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// maskUserinfo fills user and password at the start of what follows "://".
func maskUserinfo(b []byte) {
	at := 0
	for at < len(b) && b[at] != '/' && b[at] > ' ' && b[at] != '"' && b[at] != '\\' && b[at] != '<' && b[at] != '>' {
		at++
	}
	if last := bytes.LastIndexByte(b[:at], '@'); last > 0 {
		fillURL(b[:last])
	}
}

// maskPrivateKey fills a key in PEM that begins at at, to its end or that of the text.
func maskPrivateKey(b []byte, at int) int {
	head := bytes.Index(b[at+10:], []byte("-----"))
	if head < 0 || head > 64 || !bytes.Contains(b[at:at+10+head], []byte("PRIVATE")) {
		return at + 10
	}
	start := at + 10 + head + 5
	end := len(b)
	if n := bytes.Index(b[start:], []byte("-----END")); n >= 0 {
		end = start + n
	}
	fillText(b[start:end], true)
	return end
}
