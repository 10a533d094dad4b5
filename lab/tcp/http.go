package tcp

import (
	"bytes"
	"slices"
	"strings"
)

// During says in which part of an exchange a connection ended.
type During uint8

const (
	DuringUnknown During = iota
	DuringHandshake
	DuringIdle
	DuringRequest
	DuringAwaiting
	DuringResponse
)

var duringNames = []string{"unknown", "handshake", "idle", "request", "awaiting-response", "response"}

func (d During) String() string { return duringNames[d] }

func (d During) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *During) UnmarshalText(b []byte) error { return parseName(b, duringNames, (*uint8)(d)) }

// Answer says how much of the last request's answer was sent.
type Answer uint8

const (
	AnswerNone Answer = iota
	AnswerPartial
	AnswerWhole
)

var answerNames = []string{"none", "partial", "whole"}

func (a Answer) String() string { return answerNames[a] }

func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (a *Answer) UnmarshalText(b []byte) error { return parseName(b, answerNames, (*uint8)(a)) }

// protocol is what the first bytes of a flow look like.
type protocol uint8

const (
	protoUnknown protocol = iota
	protoHTTP1
	protoHTTP2 // in the clear, with prior knowledge
	protoTLS
	protoTunnel // after 101 Switching Protocols or CONNECT
)

var protocolNames = []string{"", "http/1", "http/2", "tls", "tunnel"}

// exchange follows the requests and responses of a flow (RFC 9112).
type exchange struct {
	reqs, resps uint32 // requests begun; final responses whose header is whole
	done        uint32 // responses whose body is whole
	reqSeq      uint32 // where the last request begins
	heads       uint32 // which of the last 32 requests have an answer without body (HEAD), by number; of TLS: how often its client had its turn after the first
	reqLine     uint32 // the last request's method and target, in the explainer's table
	status      uint16 // of the last response
	hint        uint16 // seconds of "Keep-Alive: timeout=", 0 without
	client      int8   // side that sends requests, from what it sent; -1 unknown
	proto       protocol
	flags       httpFlags
}

type httpFlags uint16

const (
	reqOpen     httpFlags = 1 << iota // a request is begun and not whole
	respOpen                          // a response is begun and not whole
	reqLost                           // the framing of the requests is not known any more
	respLost                          // the same for the responses
	untilFIN                          // the response in progress ends with the connection
	httpKnown                         // client is set
	httpCut                           // framing was lost where the capture holds only the beginning of a packet
	httpGarbled                       // framing was lost over bytes that are no HTTP/1
	interim                           // an interim response (1xx) came to the last request
	httpMixed                         // answers in HTTP/1 to what is not
	httpUneven                        // there were answers to requests that the capture lacks: which answers which is not known
)

// httpState is what a side's next byte belongs to.
type httpState uint8

const (
	httpUnset  httpState = iota
	httpStart            // a message begins
	httpHeader           // in a header that is carried over
	httpBody             // up to end
	httpChunkSize
	httpChunkData // up to end, with its CRLF
	httpTrailer
	httpClose  // up to the FIN
	httpLost   // not known; the next segment that looks like a message is one
	httpOpaque // not HTTP/1, or no longer
)

func (e *exchange) has(f httpFlags) bool { return e.flags&f != 0 }

// during says where in the exchange the flow is now.
func (e *exchange) during(f *flow) During {
	switch {
	case !f.has(flowEstablished):
		return DuringHandshake
	case e.proto == protoUnknown && f.talker < 0 && !f.has(flowMidstream):
		return DuringIdle
	case e.proto != protoHTTP1:
		return DuringUnknown
	case e.has(reqOpen):
		return DuringRequest
	case e.has(reqLost):
		return DuringUnknown
	case e.has(respOpen):
		if e.has(respLost) {
			return DuringUnknown
		}
		return DuringResponse
	case e.has(respLost):
		return DuringUnknown
	case e.reqs > e.done:
		return DuringAwaiting
	}
	return DuringIdle
}

// answer says how much of the last request's answer has come.
func (e *exchange) answer() Answer {
	switch {
	case e.proto != protoHTTP1:
		return AnswerNone
	case e.has(respOpen):
		return AnswerPartial
	case e.reqs > e.done || e.done == 0:
		return AnswerNone
	}
	return AnswerWhole
}

// feed takes in payload of side d that begins at offset off and is n bytes
// long, of which b was captured.
func (f *flow) feed(x *explainer, d int, off int64, b []byte, n int64) {
	p := &f.side[d]
	if p.http == httpOpaque {
		switch end := off + n; {
		case off > p.pos: // a hole
		case end < p.nxt: // it is filled from its beginning: what was lost was sent again
			p.pos = p.nxt
		default:
			p.pos = max(p.pos, end)
		}
		return
	}
	if p.http == httpUnset {
		p.http, p.pos = httpStart, off
		if !p.has(sideSYN | sideSYNACK) {
			p.http = httpLost // the capture may begin in the middle of a message
		} else if p.pos = 1; off > 1 {
			p.pos = 1
		}
	}
	f.consume(x, d, off, b, n)
	if f.more == nil || len(f.more.holds) == 0 {
		return
	}
	for again := true; again; {
		again = false
		for i, h := range f.more.holds {
			if int(h.dir) == d && h.off <= p.pos {
				f.more.holds = slices.Delete(f.more.holds, i, i+1)
				x.held -= len(h.data)
				f.consume(x, d, h.off, h.data, h.n)
				again = true
				break
			}
		}
	}
}

// consume looks at one segment; what comes too early is held back.
func (f *flow) consume(x *explainer, d int, off int64, b []byte, n int64) {
	p := &f.side[d]
	end := off + n
	switch p.http {
	case httpOpaque:
		return
	case httpLost:
		f.resync(x, d, off, b, n)
		return
	case httpClose:
		p.pos = max(p.pos, end)
		return
	case httpBody, httpChunkData:
		// Bytes of a body need not be seen, nor come in order, only be counted.
		if off <= p.end {
			if p.pos = max(p.pos, min(p.end, end)); p.pos < p.end {
				return
			}
			f.bodyDone(d)
		}
	}
	if end <= p.pos {
		return
	}
	if off > p.pos {
		t := f.trouble(x)
		if len(t.holds) >= maxHeld || x.held+len(b) > maxHeldBytes {
			f.skip(x, d)
			f.consume(x, d, off, b, n)
			return
		}
		x.held += len(b)
		t.holds = append(t.holds, held{off: off, n: n, dir: int8(d), data: bytes.Clone(b)})
		return
	}
	f.parse(x, d, b[min(p.pos-off, int64(len(b))):], n-(p.pos-off))
}

// arrived takes in that the peer has acknowledged all of side d up to ack: of a body
// it need not be seen, what was held back waits for the rest in vain.
func (f *flow) arrived(x *explainer, d int, ack int64) {
	p := &f.side[d]
	if (p.http == httpBody || p.http == httpChunkData) && ack >= p.end {
		p.pos = p.end
		f.bodyDone(d)
	}
	if f.more != nil && len(f.more.holds) > 0 && ack > p.pos {
		f.skip(x, d)
	}
}

// skip gives up waiting for the bytes at side d's pos: the peer acknowledged
// them, the capture lacks them.
func (f *flow) skip(x *explainer, d int) {
	f.flags |= flowMissed
	f.lose(x, d, 0)
	if f.http.has(httpKnown) && int(f.http.client) == d {
		f.http.flags |= httpUneven // requests may be among what is missing
	}
	if f.more == nil {
		return
	}
	var mine []held
	f.more.holds = slices.DeleteFunc(f.more.holds, func(h held) bool {
		if int(h.dir) == d {
			mine = append(mine, h)
			x.held -= len(h.data)
			return true
		}
		return false
	})
	slices.SortStableFunc(mine, func(a, b held) int { return int(a.off - b.off) })
	for _, h := range mine {
		f.consume(x, d, h.off, h.data, h.n)
	}
}

// missingTail gives up on what side d sent at its end and the capture lacks:
// its own sequence numbers, or the peer's acknowledgments, went beyond.
func (f *flow) missingTail(x *explainer, d int) {
	p, peer := f.sides(d)
	end := max(p.nxt, p.off(p.top))
	if p.fin != never {
		end = p.fin
	} else {
		if peer.has(sideAcked) {
			end = max(end, peer.ack)
		}
		if end == p.nxt+1 {
			end-- // its FIN
		}
	}
	if p.http == httpUnset {
		if seen := f.dataStart(p); end > seen && p.has(sideKnown) && f.http.proto != protoTLS {
			p.flags |= sideMissed
			f.lose(x, d, 0)
		}
		return
	}
	if p.http == httpOpaque {
		if p.pos < end {
			p.flags |= sideMissed
		}
		return
	}
	if p.http == httpBody || p.http == httpChunkData {
		if p.pos = max(p.pos, min(p.end, end)); p.pos == p.end {
			f.bodyDone(d)
		}
	}
	if p.pos < end && p.http != httpClose || p.nxt < end {
		p.flags |= sideMissed
		if p.http != httpBody {
			f.lose(x, d, 0)
		}
	}
}

// dataStart is the offset of a side's first byte of data, as far as is known.
func (f *flow) dataStart(p *side) int64 {
	if p.has(sideSYN | sideSYNACK) {
		return 1
	}
	return 0
}

// lose marks that the framing of side d's messages is not known any more; why is
// httpCut, httpGarbled, or 0 where the capture lacks what it takes.
func (f *flow) lose(x *explainer, d int, why httpFlags) {
	p := &f.side[d]
	if p.http == httpOpaque {
		return
	}
	p.http = httpLost
	if f.http.has(httpUneven) {
		why &^= httpGarbled // what breaks may be the reading
	}
	f.http.flags |= why
	f.setCarry(x, d, nil)
	switch {
	case f.http.client < 0 || !f.http.has(httpKnown):
		f.http.flags |= reqLost | respLost
	case int(f.http.client) == d:
		f.http.flags = f.http.flags&^reqOpen | reqLost
	default:
		f.http.flags |= respLost
	}
}

// lostTo is why framing is lost over a segment of n bytes of which b was captured.
func lostTo(b []byte, n int64) httpFlags {
	if int64(len(b)) < n {
		return httpCut
	}
	return 0
}

// over takes the answers that could not be followed as whole, up to the n-th: the
// next is expected. Of pipelined requests it is not known which are answered.
func (e *exchange) over(n uint32) {
	if e.reqs > e.done+1 || e.resps > n {
		e.flags |= httpUneven
	}
	e.flags &^= respLost | respOpen
	e.done = max(e.done, n)
	e.resps = e.done
}

// resync looks for the start of a message at the start of a segment.
func (f *flow) resync(x *explainer, d int, off int64, b []byte, n int64) {
	p := &f.side[d]
	kind := sniff(b)
	if kind == looksRequest && !wholeLine(b, n) {
		kind = looksOther // a body may well begin with the name of a method
	}
	switch kind {
	case looksRequest, looksResponse:
		p.http, p.pos = httpStart, off
		if kind == looksRequest {
			f.http.flags &^= reqLost | reqOpen
		} else {
			f.http.over(f.http.reqs - min(f.http.reqs, 1))
		}
		f.parse(x, d, b, n)
	case looksTLS:
		if f.http.proto == protoUnknown {
			f.http.proto = protoTLS
			p.http = httpOpaque
		}
	default:
		if f.http.proto == protoUnknown && !f.has(flowMissed) && off == p.off(p.turnSeq) && f.side[1-d].data.ok() && (int64(len(b)) == n || len(b) >= 16) && kind == looksOther {
			// Both have spoken, and what begins here is no HTTP/1.
			p.http, f.side[1-d].http = httpOpaque, httpOpaque
			f.side[1-d].pos = f.side[1-d].nxt
			f.http.flags &^= reqLost | respLost
		} else {
			f.lose(x, d, 0)
		}
	}
	p.pos = max(p.pos, off+n)
}

// parse reads in-order bytes of side d, which begin at its pos; n counts those
// that the capture cut off too.
func (f *flow) parse(x *explainer, d int, b []byte, n int64) {
	p := &f.side[d]
	for n > 0 {
		switch p.http {
		case httpStart, httpHeader:
			var carry []byte
			if f.more != nil {
				carry = f.more.carry[d]
			}
			whole := b
			kind, m := looksOther, &message{}
			if c := x.seg; len(carry) == 0 && len(b) > 0 && len(b) == len(c.payload) && &b[0] == &c.payload[0] && c.looks != looksOther {
				kind, m = c.looks, &c.msg // as prepared
			} else {
				if len(carry) > 0 {
					whole = append(carry, b...) // carry is a copy of ours
				} else {
					// Empty lines before a request are allowed (RFC 9112 2.2).
					for p.http == httpStart && len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
						b = b[1:]
						n--
						p.pos++
					}
					if whole = b; n == 0 {
						return
					}
				}
				if kind = sniff(whole); kind == looksRequest || kind == looksResponse || p.http == httpHeader {
					m.read(whole)
				}
			}
			head := int(m.head)
			if len(carry) == 0 && (head < 0 || kind == looksShort) {
				whole = bytes.Clone(whole)
			}
			if kind == looksShort && int64(len(b)) == n {
				f.setCarry(x, d, whole)
				p.pos += n
				return
			}
			if kind == looksShort && p.http == httpHeader {
				kind = looksOther
			}
			if !f.begin(x, d, kind, int64(len(carry))) {
				p.pos += n
				return
			}
			p.http = httpHeader
			if kind == looksRequest {
				f.http.answered(noBody(whole))
			}
			if head < 0 {
				if int64(len(b)) < n || len(whole) > maxCarry {
					f.lose(x, d, lostTo(b, n))
				} else {
					f.setCarry(x, d, whole)
				}
				p.pos += n
				return
			}
			used := head - len(carry)
			f.setCarry(x, d, nil)
			p.pos += int64(used)
			n -= int64(used)
			b = b[used:]
			f.header(x, d, m, whole, kind == looksRequest)
		case httpBody, httpChunkData:
			step := min(n, p.end-p.pos)
			p.pos += step
			n -= step
			b = b[min(step, int64(len(b))):]
			if p.pos == p.end {
				f.bodyDone(d)
			}
		case httpChunkSize, httpTrailer:
			var carry []byte
			if f.more != nil {
				carry = f.more.carry[d]
			}
			if p.http == httpChunkSize && len(carry) == 0 && len(b) > 0 && hexDigit(b[0]) < 0 {
				f.lose(x, d, httpGarbled)
				p.pos += n
				return
			}
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				if int64(len(b)) < n || len(carry)+len(b) > 4096 {
					f.lose(x, d, lostTo(b, n))
				} else {
					f.setCarry(x, d, append(carry[:len(carry):len(carry)], b...))
				}
				p.pos += n
				return
			}
			line := b[:i]
			if len(carry) > 0 {
				line = append(carry, line...)
				f.setCarry(x, d, nil)
			}
			p.pos += int64(i + 1)
			n -= int64(i + 1)
			b = b[i+1:]
			f.line(x, d, bytes.TrimRight(line, "\r"))
		default: // until close, lost, opaque
			p.pos += n
			return
		}
	}
}

// setCarry keeps the start of a message, or of a line, for the next segment.
func (f *flow) setCarry(x *explainer, d int, b []byte) {
	if b == nil && f.more == nil {
		return
	}
	t := f.trouble(x)
	x.held += len(b) - len(t.carry[d])
	t.carry[d] = b
	if x.held > maxHeldBytes && b != nil {
		f.lose(x, d, 0)
	}
}

// line takes in a line of chunked framing (RFC 9112 7.1).
func (f *flow) line(x *explainer, d int, line []byte) {
	p := &f.side[d]
	if p.http == httpTrailer {
		if len(line) == 0 {
			f.bodyDone(d)
		}
		return
	}
	size, digits := int64(0), 0
	for _, c := range line {
		v := hexDigit(c)
		if v < 0 {
			break
		}
		size, digits = size<<4|int64(v), digits+1
	}
	switch {
	case digits == 0 || digits > 12:
		f.lose(x, d, httpGarbled)
	case size == 0:
		p.http = httpTrailer
	default:
		p.http, p.end = httpChunkData, p.pos+size+2
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// bodyDone moves on from a body, a chunk or a message without body.
func (f *flow) bodyDone(d int) {
	p := &f.side[d]
	if p.http == httpChunkData {
		p.http = httpChunkSize
		return
	}
	p.http = httpStart
	e := &f.http
	if int(e.client) == d {
		e.flags &^= reqOpen
	} else {
		e.flags &^= respOpen
		e.done++
	}
}

// begin takes note of what side d's stream looks like where a message is
// expected, and says whether it is HTTP/1.
func (f *flow) begin(x *explainer, d int, kind looks, carried int64) bool {
	p, e := &f.side[d], &f.http
	if p.http == httpHeader {
		return true // begun before
	}
	switch kind {
	case looksRequest:
		if e.proto == protoUnknown {
			e.proto = protoHTTP1
		}
		if !e.has(httpKnown) {
			e.client, e.flags = int8(d), e.flags|httpKnown
		}
		if int(e.client) != d {
			f.lose(x, d, httpGarbled)
			return false
		}
		// A request on a connection whose last answer could not be followed
		// shows that its client had it whole, but where it was held back until the next.
		if e.has(respLost) && int(f.talker) == d {
			e.over(e.reqs)
		}
		if e.resps > e.reqs {
			e.flags |= httpUneven
		}
		e.flags &^= interim
		if e.reqs++; e.reqs-e.resps > 32 && e.reqs > e.resps {
			e.flags |= httpUneven // which of them were HEAD is not known any more
		}
		e.reqSeq = p.base + uint32(p.pos-carried)
		e.flags |= reqOpen
		return true
	case looksResponse:
		switch e.proto {
		case protoUnknown:
			e.proto = protoHTTP1
		case protoTLS, protoHTTP2:
			e.flags |= httpMixed
		}
		if !e.has(httpKnown) {
			e.client, e.flags = int8(1-d), e.flags|httpKnown
		}
		if int(e.client) == d {
			f.lose(x, d, httpGarbled)
			return false
		}
		e.flags |= respOpen
		return true
	case looksTLS, looksHTTP2:
		if e.proto == protoUnknown {
			e.proto = protoTLS
			if kind == looksHTTP2 {
				e.proto = protoHTTP2
			}
			if !e.has(httpKnown) && kind == looksHTTP2 {
				e.client, e.flags = int8(d), e.flags|httpKnown
			}
		}
	}
	switch {
	case kind == looksShort:
		f.lose(x, d, httpCut)
	case e.proto == protoHTTP1:
		f.lose(x, d, httpGarbled)
	default:
		p.http = httpOpaque
	}
	return false
}

// answered notes whether the answer to the request that has begun has a body.
func (e *exchange) answered(without bool) {
	bit := uint32(1) << (e.reqs % 32)
	if e.heads &^= bit; without {
		e.heads |= bit
	}
}

// header takes in a whole header and decides what follows it.
func (f *flow) header(x *explainer, d int, m *message, whole []byte, request bool) {
	p, e := &f.side[d], &f.http
	if m.close {
		p.flags |= sideSaidClose
	} else {
		p.flags &^= sideSaidClose
	}
	if request {
		e.reqLine = x.intern(m, whole)
		switch {
		case m.bad:
			f.lose(x, d, httpGarbled)
		case m.chunked:
			p.http = httpChunkSize
		default:
			p.http, p.end = httpBody, p.pos+max(m.length, 0)
			if p.end == p.pos {
				f.bodyDone(d)
			}
		}
		return
	}
	status := m.status
	if status >= 100 && status < 200 && status != 101 {
		p.http, e.flags = httpStart, e.flags&^respOpen|interim
		return
	}
	e.resps++
	e.status = status
	e.flags &^= interim
	if m.timeout > 0 {
		e.hint = m.timeout
	}
	head := e.heads&(1<<(e.resps%32)) != 0 && e.resps <= e.reqs
	tunnel := head && strings.HasPrefix(x.lineOf[e.reqLine], "CONNECT ")
	head = head && (!tunnel || status/100 == 2)
	switch {
	case status == 101, tunnel && head && m.length < 0 && !m.chunked:
		e.proto = protoTunnel
		e.flags &^= respOpen
		e.done++
		p.http, f.side[1-d].http = httpOpaque, httpOpaque
		f.side[1-d].pos = f.side[1-d].nxt
	case head || status == 204 || status == 304:
		p.http = httpBody
		f.bodyDone(d)
	case m.bad || e.resps > e.reqs && !(m.length == 0):
		// Without its request it is not known whether a body follows (HEAD).
		if m.bad {
			f.lose(x, d, httpGarbled)
			return
		}
		if m.length < 0 && !m.chunked {
			f.lose(x, d, 0)
			return
		}
		fallthrough
	case m.chunked || m.length >= 0:
		if m.chunked {
			p.http = httpChunkSize
			return
		}
		p.http, p.end = httpBody, p.pos+m.length
		if m.length == 0 {
			f.bodyDone(d)
		}
	default:
		p.http, e.flags = httpClose, e.flags|untilFIN
	}
}

// lateKind says what data of side d at offset off, after the peer's FIN, is.
func (f *flow) lateKind(d int, off int64, b []byte) lateKind {
	p, e := &f.side[d], &f.http
	switch e.proto {
	case protoTLS:
		if closeNotify(b) {
			return lateGoodbye
		}
		return lateOpaque
	case protoHTTP2:
		if !http2Request(b) {
			return lateGoodbye
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

// http2Request says whether a segment that begins with an HTTP/2 frame
// (RFC 9113 4.1) holds HEADERS or DATA; PING, GOAWAY and the like are nobody's
// request.
func http2Request(b []byte) bool {
	for len(b) >= 9 {
		n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if b[3] == 0 || b[3] == 1 || b[3] > 9 {
			return true
		}
		if len(b) <= 9+n {
			return false
		}
		b = b[9+n:]
	}
	return len(b) > 0
}
