package tcp

import (
	"bytes"
	"strings"
)

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
				if p.http.framed() {
					if f.setCarry(x, d, nil); p.http == httpFrame { // which began in what was carried
						b, n, p.pos = whole, n+int64(len(carry)), p.pos-int64(len(carry))
					}
					continue
				}
				p.pos += n
				return
			}
			p.http = httpHeader
			if kind == looksRequest {
				f.http.answered(m.noBody)
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
		case httpBody, httpChunkData, httpFrameBody:
			step := min(n, p.end-p.pos)
			p.pos += step
			n -= step
			b = b[min(step, int64(len(b))):]
			if p.pos == p.end {
				f.bodyDone(x, d)
			}
		case httpFrame:
			b, n = f.readFrame(x, d, b, n)
		case httpFields:
			b, n = f.readFields(x, d, b, n)
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

// line takes in a line of chunked framing (RFC 9112 7.1).
func (f *flow) line(x *explainer, d int, line []byte) {
	p := &f.side[d]
	if p.http == httpTrailer {
		if len(line) == 0 {
			f.bodyDone(x, d)
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
func (f *flow) bodyDone(x *explainer, d int) {
	p := &f.side[d]
	switch p.http {
	case httpChunkData:
		p.http = httpChunkSize
		return
	case httpFrameBody:
		f.frameDone(x, d, nil)
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
	if e.proto == protoTunnel {
		if p.http = httpOpaque; kind != looksHTTP2 && kind != looksSettings || (kind == looksHTTP2) != (int(e.client) == d) {
			return false
		}
		f.upgraded(x)
	}
	if e.proto == protoHTTP2 && int(e.client) == d && kind != looksHTTP2 && kind != looksShort {
		f.unframed(x)
		return false
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
	case looksTLS:
		if e.proto == protoUnknown {
			e.proto = protoTLS
		}
	case looksHTTP2:
		if e.proto == protoUnknown {
			f.frames(x, d)
		}
		if e.proto == protoHTTP2 && int(e.client) == d {
			p.http, p.end = httpFrameBody, p.pos-carried+int64(len(preface))
			return false
		}
	case looksSettings:
		if e.proto == protoUnknown {
			f.frames(x, 1-d)
		}
	}
	switch {
	case e.proto == protoHTTP2 && int(e.client) != d && kind != looksShort:
		p.http = httpFrame
		return false
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
				f.bodyDone(x, d)
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
	switch peer := &f.side[1-d]; {
	case status == 101, tunnel && head && m.length < 0 && !m.chunked:
		e.proto = protoTunnel
		e.flags &^= respOpen
		e.done++
		if p.http = httpOpaque; status == 101 && peer.http == httpStart && peer.pos == peer.nxt {
			p.http, f.trouble(x).switched = httpStart, peer.turn // what begins may be HTTP/2
			break
		}
		peer.http, peer.pos = httpOpaque, peer.nxt
	case head || status == 204 || status == 304:
		p.http = httpBody
		f.bodyDone(x, d)
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
			f.bodyDone(x, d)
		}
	default:
		p.http, e.flags = httpClose, e.flags|untilFIN
	}
}
