package tcp

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
)

// message is what framing and keep-alive depend on in a header.
type message struct {
	length  int64  // -1 without Content-Length
	name    uint64 // a request's: tells its first line from others
	line    int32  // length of the first line
	head    int32  // length of all, -1 when it is not whole
	timeout uint16 // of Keep-Alive
	status  uint16 // a response's
	coded   bool   // in some way: the last must be chunked
	chunked bool
	close   bool // the connection is not kept, as far as its sender is concerned
	bad     bool // a length that cannot be trusted (RFC 9112 6.3)
	noBody  bool // the answer to it has none: HEAD, and CONNECT where it is granted
}

// names seeds message.name, lest a hostile capture make two lines one.
var names = maphash.MakeSeed()

// read reads a header up to its empty line.
func (m *message) read(b []byte) {
	*m = message{length: -1, head: -1, noBody: begins(b, "HEAD ") || begins(b, "CONNECT ")}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return
	}
	old := m.first(trimCR(b[:end]))
	keepAlive := false
	for rest := b[end+1:]; ; {
		n := bytes.IndexByte(rest, '\n')
		if n < 8 { // the names that matter are longer
			if n < 0 {
				return
			}
			if n == 0 || n == 1 && rest[0] == '\r' {
				m.head = int32(len(b) - len(rest) + n + 1)
				break
			}
		} else {
			switch word := binary.LittleEndian.Uint64(rest) | asciiCase; word {
			case wordLength, wordConnection, wordTransfer, wordKeepAlive:
				keepAlive = m.field(word, trimCR(rest[:n])) || keepAlive
			}
		}
		rest = rest[n+1:]
	}
	if m.chunked {
		m.length = -1
	}
	m.bad = m.bad || m.coded && !m.chunked
	m.close = m.close || old && !keepAlive
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// first takes in the first line, and says whether its connection is kept only if
// the message asks for that.
func (m *message) first(line []byte) (old bool) {
	m.line = int32(len(line))
	if begins(line, "HTTP/") {
		m.status = statusOf(line)
		return begins(line, "HTTP/1.0")
	}
	m.name = maphash.Bytes(names, line)
	return begins(line[max(len(line)-8, 0):], "HTTP/1.0")
}

// begins is bytes.HasPrefix in as many instructions as the prefix has words,
// for it is a constant.
func begins(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// asciiCase is set in lower-case letters, and in hyphens.
const asciiCase = 0x2020202020202020

// sameFold says whether b, of whose first eight bytes that is known, begins with
// a name of lower-case letters and hyphens, in any case.
func sameFold(b, name []byte) bool {
	n := len(name)
	for i := 8; i < n-8; i += 8 {
		if binary.LittleEndian.Uint64(b[i:])|asciiCase != binary.LittleEndian.Uint64(name[i:]) {
			return false
		}
	}
	return binary.LittleEndian.Uint64(b[n-8:n])|asciiCase == binary.LittleEndian.Uint64(name[n-8:])
}

// The fields that matter, with their first eight letters as a word: most lines
// are told to be others by it.
var (
	nameLength     = []byte("content-length")
	nameConnection = []byte("connection")
	nameTransfer   = []byte("transfer-encoding")
	nameKeepAlive  = []byte("keep-alive")

	wordLength     = binary.LittleEndian.Uint64(nameLength)
	wordConnection = binary.LittleEndian.Uint64(nameConnection)
	wordTransfer   = binary.LittleEndian.Uint64(nameTransfer)
	wordKeepAlive  = binary.LittleEndian.Uint64(nameKeepAlive)
)

// field takes in a line that begins with one of the words, and says whether it
// asks for the connection to be kept.
func (m *message) field(word uint64, line []byte) (keepAlive bool) {
	switch word {
	case wordLength:
		if v, ok := field(line, nameLength); ok {
			m.contentLength(v)
		}
	case wordConnection:
		v, _ := field(line, nameConnection)
		if len(v) == len(nameKeepAlive) && binary.LittleEndian.Uint64(v)|asciiCase == wordKeepAlive && sameFold(v, nameKeepAlive) {
			return true // as nearly always
		}
		_, isClose := after(v, "close")
		m.close = m.close || isClose
		_, keepAlive = after(v, "keep-alive")
	case wordTransfer:
		if v, ok := field(line, nameTransfer); ok {
			m.bad = m.bad || m.chunked // nothing may follow it
			rest, chunked := after(v, "chunked")
			m.coded, m.chunked = true, chunked && len(rest) == 0
		}
	case wordKeepAlive:
		v, _ := field(line, nameKeepAlive)
		if seconds, ok := after(v, "timeout="); ok {
			timeout := 0
			for _, c := range seconds {
				if c < '0' || c > '9' || timeout > math.MaxUint16 {
					break
				}
				timeout = timeout*10 + int(c-'0')
			}
			m.timeout = uint16(min(timeout, math.MaxUint16))
		}
	}
	return keepAlive
}

func (m *message) contentLength(v []byte) {
	n := int64(0)
	for _, c := range v {
		if c < '0' || c > '9' || n > 1<<50 {
			m.bad = true
			break
		}
		n = n*10 + int64(c-'0')
	}
	if len(v) == 0 || m.length >= 0 && m.length != n {
		m.bad = true
	}
	m.length = n
}

// after gives what follows a lower-case word in v, whatever its case there.
func after(v []byte, word string) ([]byte, bool) {
	for ; len(v) >= len(word); v = v[1:] {
		if v[0]|0x20 == word[0] && bytes.EqualFold(v[:len(word)], []byte(word)) {
			return v[len(word):], true
		}
	}
	return nil, false
}

// field gives the value of a header line that begins with the first eight letters
// of a name, if it has all of it.
func field(line, name []byte) ([]byte, bool) {
	n := len(name)
	if len(line) <= n || line[n] != ':' || !sameFold(line, name) {
		return nil, false
	}
	v := line[n+1:]
	for len(v) > 0 && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for len(v) > 0 && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	return v, true
}

func statusOf(line []byte) uint16 {
	if len(line) < 12 {
		return 0
	}
	status := uint16(0)
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return 0
		}
		status = status*10 + uint16(c-'0')
	}
	return status
}

// requestLine is the method and target of a first line.
func requestLine(line []byte) []byte {
	if i := bytes.LastIndexByte(line, ' '); i > 0 && bytes.HasPrefix(line[i+1:], []byte("HTTP/")) {
		line = line[:i]
	}
	return line[:min(len(line), 200)]
}

type looks uint8

const (
	looksOther looks = iota
	looksShort       // too few bytes to say
	looksRequest
	looksResponse
	looksTLS
	looksHTTP2    // a client's preface
	looksSettings // a server's
)

var methods = []string{"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS ", "CONNECT ", "TRACE ",
	"PROPFIND ", "PROPPATCH ", "MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK ", "REPORT ", "PURGE ", "QUERY "}

// isHTTP1 says whether a request line tells the version of HTTP/1, at its end as
// nearly always or elsewhere.
func isHTTP1(line []byte) bool {
	const version = " HTTP/1."
	end := trimCR(line)
	return begins(end[max(len(end)-len(version)-1, 0):], version) || bytes.Contains(line, []byte(version))
}

// sniff says what a message that begins with b is.
func sniff(b []byte) looks {
	if len(b) == 0 {
		return looksShort
	}
	switch b[0] {
	case 0:
		if isSettings(b) {
			return looksSettings
		}
	case 'H':
		if hasOrShort(b, "HTTP/1.") {
			return shortOr(b, "HTTP/1.", looksResponse)
		}
	case 'P':
		if hasOrShort(b, "PRI * HTTP/2.0") && len(b) > 2 {
			return shortOr(b, "PRI * HTTP/2.0", looksHTTP2)
		}
	case 0x14, 0x15, 0x16, 0x17: // TLS records (RFC 8446 5.1)
		if len(b) < 3 {
			return looksShort
		}
		if b[1] == 3 && b[2] <= 4 {
			return looksTLS
		}
	}
	for _, m := range methods {
		if b[0] == m[0] && hasOrShort(b, m) {
			if end := bytes.IndexByte(b, '\n'); end >= 0 && !isHTTP1(b[:end]) {
				return looksOther // of another protocol, or HTTP/0.9
			}
			return shortOr(b, m, looksRequest)
		}
	}
	if otherMethod(b) {
		return looksRequest
	}
	return looksOther
}

// otherMethod says whether b begins with a request line of HTTP/1 whatever its
// method (RFC 9110 9.1: a token; in capitals by custom).
func otherMethod(b []byte) bool {
	const longest = 32
	if b[0] < 'A' || b[0] > 'Z' {
		return false
	}
	for i, c := range b[:min(len(b), longest)] {
		switch {
		case c == ' ':
			line, _, _ := bytes.Cut(b[i:], []byte("\r"))
			return isHTTP1(line)
		case (c < 'A' || c > 'Z') && c != '-' && c != '_':
			return false
		}
	}
	return false
}

// wholeLine says whether a segment of n bytes, of which b was captured, begins
// with a whole request line, as far as was captured.
func wholeLine(b []byte, n int64) bool {
	line, _, ended := bytes.Cut(b, []byte("\n"))
	if !ended {
		return int64(len(b)) < n
	}
	return isHTTP1(line)
}

func hasOrShort(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

func shortOr(b []byte, prefix string, l looks) looks {
	if len(b) < len(prefix) {
		return looksShort
	}
	return l
}
