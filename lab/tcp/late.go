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

// lateKind says what data of side d at offset off, after the peer's FIN, is.
func (f *flow) lateKind(d int, off int64, b []byte, n int32) lateKind {
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
		switch http2Says(b, n) {
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

// http2Says says what a segment of n bytes that begins with a frame says: the most of
// its frames.
func http2Says(b []byte, n int32) int {
	says := http2Nothing
	for rest := int(n) - len(b); len(b)+rest > 0; {
		if len(b) < 9 {
			if says == http2Nothing {
				return http2Unknown
			}
			return says
		}
		length := 9 + (int(b[0])<<16 | int(b[1])<<8 | int(b[2]))
		switch kind := b[3]; {
		case kind == 1:
			return http2Head
		case kind == 0 || kind > 9:
			says = http2Body
		}
		if length >= len(b) {
			if length < len(b)+rest && says == http2Nothing {
				return http2Unknown
			}
			return says
		}
		b = b[length:]
	}
	return says
}
