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
	lateRequest                 // begins an HTTP request
	lateRest                    // goes on with an HTTP message
	lateGoodbye                 // TLS close_notify, HTTP/2 frames that end a connection
	lateAsking                  // bytes of TLS that may well be a request
)

// lateOff is the offset of side d's first data after the peer's FIN.
func (f *flow) lateOff(d int) int64 {
	if f.more == nil || !f.more.after.at.ok() || int(f.more.after.from) != d {
		return math.MaxInt64
	}
	return f.more.after.off
}

// lateKind says what data of side d at offset off, after the peer's FIN, is, where that
// may be a good-bye, and in HTTP/2 says something.
func (f *flow) lateKind(d int, off int64, b []byte, bye bool, says int) lateKind {
	p, e := &f.side[d], &f.http
	switch {
	case bye:
		return lateGoodbye
	case e.proto == protoTLS && roomy(b):
		return lateAsking
	case e.proto == protoHTTP2 && says == http2Head && int(e.client) == d:
		return lateRequest
	case e.proto == protoHTTP2 && says == http2Body:
		return lateRest
	case e.proto == protoTLS, e.proto == protoHTTP2, e.proto == protoTunnel:
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
	case e.proto == protoTLS && f.turnTLS()&tlsRequest != 0 && f.side[d].off(f.side[d].turnSeq) >= off:
		if c, _ := f.client(); c == d {
			return lateAsking
		}
		return lateOpaque
	case !e.reads() || !e.has(httpKnown) || int(e.client) != d:
		return lateOpaque
	case e.reqs > 0 && f.side[d].off(e.reqSeq) >= off:
		return lateRequest
	}
	return lateRest
}
