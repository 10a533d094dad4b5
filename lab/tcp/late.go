package tcp

import "math"

// lateData is the first data of a side after the other side's FIN, in order of
// capture or because the FIN does not acknowledge it.
type lateData struct {
	at   mark
	off  int64
	ack  int64 // acknowledgment it carried, in the closer's offsets
	from int8
	fins uint8 // FINs seen before it
	kind lateKind
}

type lateKind uint8

const (
	lateOpaque  lateKind = iota // bytes of a protocol that is not read here
	lateRequest                 // begins an HTTP/1 request
	lateRest                    // goes on with an HTTP message
	lateGoodbye                 // TLS close_notify, HTTP/2 frames that end a connection
	lateAsking                  // bytes of TLS or HTTP/2 that may well be a request
)

// lateOff is the offset of side d's first data after the peer's FIN.
func (f *flow) lateOff(d int) int64 {
	if f.more == nil || !f.more.after.at.ok() || int(f.more.after.from) != d {
		return math.MaxInt64
	}
	return f.more.after.off
}

// lateKind says what data of side d at offset off, after the peer's FIN, is; in HTTP/2
// its frames say something.
func (f *flow) lateKind(d int, off int64, b []byte, says int) lateKind {
	p, e := &f.side[d], &f.http
	switch e.proto {
	case protoTLS:
		switch {
		case closeNotify(b):
			return lateGoodbye
		case roomy(b):
			return lateAsking
		}
		return lateOpaque
	case protoHTTP2:
		switch says {
		case http2Nothing:
			return lateGoodbye
		case http2Head:
			return lateAsking
		}
		return lateOpaque
	case protoTunnel:
		return lateOpaque
	}
	if sniff(b) == looksRequest && (p.http == httpStart || p.http == httpLost || p.http == httpUnset) {
		return lateRequest
	}
	if e.proto == protoHTTP1 && p.http != httpLost && p.http != httpUnset && p.http != httpStart {
		return lateRest
	}
	return lateOpaque
}

// crossKind is lateKind for data of side d from offset off on that was fed
// before the FIN came.
func (f *flow) crossKind(d int, off int64) lateKind {
	e := &f.http
	switch {
	case e.proto != protoHTTP1 || !e.has(httpKnown) || int(e.client) != d:
		return lateOpaque
	case e.reqs > 0 && f.side[d].off(e.reqSeq) >= off:
		return lateRequest
	}
	return lateRest
}

// What a segment in HTTP/2 says (RFC 9113 4.1, 6).
const (
	http2Unknown = iota // the capture does not show all of it
	http2Nothing        // of the connection only: PING, SETTINGS, GOAWAY and the like
	http2Body           // DATA, or what goes on with it
	http2Head           // HEADERS: a request or an answer begins
)

// frames takes in n bytes of HTTP/2 at offset off, of which b was captured, and gives
// what they say, the most of their frames. The end of the last frame is kept in s.end,
// and whether the last HEADERS or DATA has left its stream open in sideStream.
func (s *side) frames(off int64, b []byte, n int32) (says int) {
	const (
		headers, endStream = 1, 1
		lastKind           = 9 // CONTINUATION
	)
	end := off + int64(n)
	says = http2Nothing
	if s.end > off {
		says = http2Body // goes on with a frame
		b = b[min(s.end-off, int64(len(b))):]
	} else {
		s.end = off // if a frame begins before, the capture lacks that
	}
	for s.end < end {
		if len(b) < 9 { // cut by the capture, or in the middle of a frame's head
			s.end, s.flags = end, s.flags|sideStream
			if says == http2Nothing {
				says = http2Unknown
			}
			return says
		}
		length := 9 + (int64(b[0])<<16 | int64(b[1])<<8 | int64(b[2]))
		if kind := b[3]; kind <= headers || kind > lastKind {
			says = max(says, http2Body)
			if kind == headers {
				says = http2Head
			}
			if s.flags &^= sideStream; b[4]&endStream == 0 {
				s.flags |= sideStream
			}
		}
		s.end += length
		b = b[min(length, int64(len(b))):]
	}
	return says
}
