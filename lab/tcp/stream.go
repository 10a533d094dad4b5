package tcp

import (
	"bytes"
	"slices"
)

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
			if off > f.dataStart(p) {
				p.flags |= sideMissed // the peer has acknowledged what was before
			}
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
	case httpBody, httpChunkData, httpFrameBody:
		// Bytes of a body need not be seen, nor come in order, only be counted.
		if off <= p.end {
			if p.pos = max(p.pos, min(p.end, end)); p.pos < p.end {
				return
			}
			f.bodyDone(x, d)
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
	if p.http.counted() && ack >= p.end {
		p.pos = p.end
		f.bodyDone(x, d)
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
	if c, _ := f.client(); c == d {
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
		if seen := f.dataStart(p); end > seen && p.has(sideKnown) {
			p.flags |= sideMissed
			if f.http.proto != protoTLS {
				f.lose(x, d, 0)
			}
		}
		return
	}
	if p.http == httpOpaque {
		if p.pos < end {
			p.flags |= sideMissed
		}
		return
	}
	if p.http.counted() {
		if p.pos = max(p.pos, min(p.end, end)); p.pos == p.end {
			f.bodyDone(x, d)
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
	if f.http.proto == protoHTTP2 {
		f.http.flags |= why &^ httpGarbled
		f.setCarry(x, d, nil)
		f.unfollowed()
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

// resync looks for the start of a message at the start of a segment.
func (f *flow) resync(x *explainer, d int, off int64, b []byte, n int64) {
	p := &f.side[d]
	if off > p.pos {
		p.flags |= sideMissed
	}
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
	case looksHTTP2, looksSettings:
		p.http, p.pos = httpStart, off
		f.parse(x, d, b, n)
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
