package tcp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Redact copies a capture to pcapng so that it can be shared: addresses are
// renumbered, payload is overwritten but for what frames it (HTTP's first line
// without the target, the lengths, the heads of TLS records and of HTTP/2's frames), names and comments go,
// and of packets that are not TCP only time and length stay. Frame numbers,
// times and lengths stay, so that its explanation does, or gets weaker.
func Redact(w io.Writer, r io.Reader) (Summary, error) {
	var sum Summary
	out, err := NewWriter(w, nil, nil)
	if err != nil {
		return sum, err
	}
	var d decoder
	masked := masker{addrs: map[netip.Addr]netip.Addr{}, inside: map[[2]endpoint]*framing{}}
	err = packets(r, &sum, func(c *capture, p *record) error {
		for out.taps < len(c.seen) {
			if err := out.AddInterface(Interface{Name: fmt.Sprintf("tap%d", out.taps), LinkType: linkRaw}); err != nil {
				return err
			}
		}
		q := Packet{Time: time.Unix(0, p.time), Interface: int(p.iface), OrigLen: p.orig}
		var s segment
		if d.decode(&s, p, sum.Frames) {
			sum.Segments++
			q.Data = masked.packet(&s)
			q.OrigLen = max(len(q.Data), len(q.Data)+int(s.length)-len(s.payload))
		}
		return out.Write(q)
	})
	sum.Names = nil
	return sum, ownError(err)
}

// masker hides what is nobody's business.
type masker struct {
	addrs  map[netip.Addr]netip.Addr // renumbered in order of appearance
	inside map[[2]endpoint]*framing  // of the directions that are inside a header or a chunked body
}

func (m masker) addr(a netip.Addr) netip.Addr {
	b, ok := m.addrs[a]
	if !ok {
		n := uint32(len(m.addrs) + 1)
		if a.Is4() {
			// 198.18.0.0/15 is nobody's (RFC 2544); 240.0.0.0/4 is what follows.
			if n < 1<<17 {
				n |= 198<<24 | 18<<16
			} else {
				n |= 240 << 24
			}
			b = netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		} else {
			v := netip.MustParseAddr("2001:db8::").As16()
			binary.BigEndian.PutUint32(v[12:], n)
			b = netip.AddrFrom16(v)
		}
		m.addrs[a] = b
	}
	return b
}

// packet rebuilds a segment with nothing of the original but what is known.
func (m masker) packet(s *segment) []byte {
	src, dst := s.src.addrPort(), s.dst.addrPort()
	tcp := make([]byte, 20, 32+len(s.payload))
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], s.seq)
	binary.BigEndian.PutUint32(tcp[8:], s.ack)
	tcp[12], tcp[13] = 5<<4, byte(s.flags)
	binary.BigEndian.PutUint16(tcp[14:], s.window)
	if s.stamp != 0 && s.icmp == nil {
		tcp[12] = 8 << 4
		tcp = append(tcp, 1, 1, 8, 10)
		tcp = binary.BigEndian.AppendUint32(tcp, s.stamp)
		tcp = binary.BigEndian.AppendUint32(tcp, s.echo)
	}
	head := len(tcp)
	tcp = append(tcp, s.payload...)
	if s.icmp == nil {
		m.mask(s, tcp[head:])
	} else {
		blank(tcp[head:])
	}
	b := header(m.addr(src.Addr()), m.addr(dst.Addr()), protoTCP, s.ttl, s.ipID, tcp, int(s.length)-len(s.payload))
	if e := s.icmp; e != nil {
		proto := byte(protoICMP)
		if e.V6 {
			proto = protoICMPv6
		}
		b = header(m.addr(e.From), m.addr(src.Addr()), proto, s.ttl, 0, append([]byte{e.Type, e.Code, 0, 0, 0, 0, 0, 0}, b...), 0)
	}
	return b
}

// header puts an IP header before a payload of which missing bytes were cut.
func header(src, dst netip.Addr, proto, ttl byte, id uint16, payload []byte, missing int) []byte {
	n := len(payload) + missing
	if src.Is4() && dst.Is4() {
		if n += 20; n > 0xffff {
			n = 0
		}
		h := []byte{0x45, 0, byte(n >> 8), byte(n), byte(id >> 8), byte(id), 0, 0, ttl, proto, 0, 0}
		h = append(append(h, src.AsSlice()...), dst.AsSlice()...)
		return append(h, payload...)
	}
	if n > 0xffff {
		n = 0
	}
	a, b := src.As16(), dst.As16()
	h := []byte{0x60, 0, 0, 0, byte(n >> 8), byte(n), proto, ttl}
	h = append(append(h, a[:]...), b[:]...)
	return append(h, payload...)
}

// kept are the header fields that say where a message ends; the rest of a
// header is nobody's business.
var kept = []string{"content-length", "transfer-encoding", "connection", "keep-alive"}

// framing is where a direction stands in a message whose end is told by the
// message itself: the next segment goes on there.
type framing struct {
	next    uint32 // its sequence number
	state   httpState
	left    int64 // httpBody, httpChunkData: of it, with its CRLF; httpFrameBody
	request bool
	head    message // httpHeader: what its lines said of the body

	inLine bool   // the line has begun in an earlier segment
	line   []byte // its beginning
	digits bool   // of a chunk's size: nothing else has come
	keep   int    // httpFrameBody: bytes of it that stay
	size   int64
}

// maxLine is as much of a line as is looked at.
const maxLine = 256

// maxInside bounds the directions that are followed; of those beyond, what
// frames a message is hidden too where it is not in the message's first segment.
const maxInside = 1 << 16

// mask overwrites a segment's payload, which is b, in place.
func (m masker) mask(s *segment, b []byte) {
	if len(b) == 0 {
		return
	}
	way := [2]endpoint{s.src, s.dst}
	f := m.inside[way]
	if f != nil && s.seq != f.next {
		if int32(s.seq-f.next) < 0 { // sent again
			blank(b)
			return
		}
		delete(m.inside, way) // what lies between is not known
		f = nil
	}
	cut := int(s.length) > len(b)
	for len(b) > 0 {
		if f == nil {
			switch kind := sniff(b); kind {
			case looksRequest, looksResponse:
				f = &framing{state: httpHeader, line: []byte("x"), request: kind == looksRequest, head: message{length: -1, status: statusOf(b)}}
				n, whole := firstLine(b)
				f.inLine, b = !whole, b[n:]
				continue
			case looksHTTP2, looksSettings:
				peer := m.inside[[2]endpoint{s.dst, s.src}]
				if opens := begins(b, preface); opens || kind == looksSettings && peer != nil && peer.state.framed() {
					f = &framing{state: httpFrame}
					b = b[btoi(opens)*len(preface):]
					continue
				}
			case looksTLS:
				for len(b) >= 5 && sniff(b) == looksTLS {
					n := min(5+int(binary.BigEndian.Uint16(b[3:])), len(b))
					blank(b[5:n])
					b = b[n:]
				}
			}
			blank(b)
			break
		}
		if b = f.mask(b); f.state == httpStart {
			f = nil
		}
	}
	switch {
	case f == nil || f.state == httpLost || cut:
		delete(m.inside, way)
	case len(m.inside) < maxInside || m.inside[way] != nil:
		f.next = s.seq + uint32(s.length)
		m.inside[way] = f
	}
}

// firstLine hides the target of a request, or the reason of a response, and
// returns the length of the line, and whether all of it is there.
func firstLine(b []byte) (n int, whole bool) {
	n = len(b)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		n, whole = i+1, true
	}
	line := bytes.TrimRight(b[:n], "\r\n")
	if bytes.HasPrefix(line, []byte("HTTP/")) {
		blank(line[min(len(line), 12):])
	} else if from, to := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' '); from < to {
		blank(line[from+1 : to])
	} else {
		blank(line[from+1:]) // it goes on in another segment
	}
	return n, whole
}

// mask goes on with b and returns what is behind the step that it has taken;
// httpStart says that the message is over.
func (f *framing) mask(b []byte) []byte {
	switch {
	case f.state == httpLost:
		blank(b)
		return nil
	case !f.request && (f.state == httpChunkSize && !f.inLine || f.state == httpBody && f.left == f.head.length) && sniff(b) == looksResponse:
		f.state = httpStart // the answer to HEAD had no body
		return b
	case f.state == httpFrame:
		return f.frame(b)
	case f.state == httpFrameBody:
		n := min(f.left, int64(len(b)))
		if f.left -= n; f.left == 0 {
			f.state = httpFrame
		}
		blank(b[min(int64(f.keep), n):n])
		f.keep -= min(f.keep, int(n))
		return b[n:]
	case f.state == httpChunkData, f.state == httpBody:
		n := min(f.left, int64(len(b)))
		if f.left -= n; f.left == 0 && f.state == httpBody {
			f.state = httpStart
		} else if f.left == 0 {
			f.state = httpChunkSize
		}
		blank(b[:n])
		return b[n:]
	}
	n, whole := len(b), false
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		n, whole = i+1, true
	}
	line, rest := bytes.TrimRight(b[:n], "\r\n"), b[n:]
	if !f.inLine {
		f.line, f.size, f.digits = f.line[:0], 0, true
	}
	first := len(f.line) == 0
	f.line = append(f.line, line[:min(len(line), maxLine-len(f.line))]...)
	switch f.state {
	case httpHeader:
		if !frames(f.line, whole, &f.head) {
			blank(line)
		}
	case httpChunkSize:
		for i, c := range line {
			v := hexDigit(c)
			if f.digits = f.digits && v >= 0; !f.digits {
				line[i] = 'x'
			} else {
				f.size = f.size<<4 | int64(v)
			}
			if first && i == 0 && !f.digits || f.size > 1<<48 {
				f.state = httpLost
			}
		}
	default:
		blank(line)
	}
	if f.inLine = !whole; f.inLine {
		return rest
	}
	empty := len(f.line) == 0
	switch {
	case f.state == httpHeader && empty:
		f.state, f.left = f.body(), f.head.length
	case f.state == httpChunkSize && empty:
		f.state = httpLost
	case f.state == httpChunkSize && f.size == 0:
		f.state = httpTrailer
	case f.state == httpChunkSize:
		f.state, f.left = httpChunkData, f.size+2
	case f.state == httpTrailer && empty:
		f.state = httpStart
	}
	return rest
}

// frame goes on with the head of a frame of HTTP/2.
func (f *framing) frame(b []byte) []byte {
	n := min(frameHead-len(f.line), len(b))
	if f.line = append(f.line, b[:n]...); len(f.line) < frameHead {
		return nil
	}
	var r frame
	if f.left = r.read(f.line); !r.known() {
		f.state = httpLost
		return b
	}
	f.line, f.keep = f.line[:0], 0
	if r.kind == frameGoAway {
		f.keep = 8 // the last stream, and why
	}
	if f.left > 0 {
		f.state = httpFrameBody
	}
	return b[n:]
}

// body says what follows the header.
func (f *framing) body() httpState {
	switch m := &f.head; {
	case m.bad:
		return httpLost
	case m.chunked:
		return httpChunkSize
	case m.length > 0 && (f.request || m.status != 204 && m.status != 304):
		return httpBody
	case f.request, m.length == 0, m.status/100 == 1, m.status == 204, m.status == 304:
		return httpStart
	}
	return httpLost // up to the FIN
}

// frames says whether a line of a header says where its message ends, or may
// while it is not whole, and takes in what it says.
func frames(line []byte, whole bool, m *message) bool {
	for _, name := range kept {
		n := len(name)
		switch {
		case len(line) > n && line[n] == ':' && bytes.EqualFold(line[:n], []byte(name)):
			switch value := bytes.TrimSpace(line[n+1:]); {
			case name == "transfer-encoding" && whole:
				_, m.chunked = after(value, "chunked")
			case name == "content-length" && whole:
				m.contentLength(value)
			}
			return true
		case !whole && len(line) <= n && bytes.EqualFold(line, []byte(name[:len(line)])):
			return true
		}
	}
	return false
}

func blank(b []byte) {
	for i := range b {
		b[i] = 'x'
	}
}
