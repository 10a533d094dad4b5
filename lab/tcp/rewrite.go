package tcp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"time"
)

// Comments gives what Annotate writes on a conversation's frames: each RST's
// kind, and on every frame of the proof which part of it the frame is.
func Comments(c Conversation) map[int]string {
	m := map[int]string{}
	for i, n := range c.Frames {
		m[n] = fmt.Sprintf("%s (%d of %d): %s", c.Cause, i+1, len(c.Frames), c.Text)
	}
	for _, r := range c.Resets {
		kind := fmt.Sprintf("RST %s, from %s", r.Kind, r.From)
		if m[r.Frame] != "" {
			kind += "\n" + m[r.Frame]
		}
		m[r.Frame] = kind
	}
	return m
}

// Annotate copies a capture to pcapng and puts comments on frames, for
// Wireshark to show. Names are added to those in the file.
func Annotate(w io.Writer, r io.Reader, comments map[int]string, names map[netip.Addr]string) (Summary, error) {
	var sum Summary
	var out *Writer
	err := packets(r, &sum, func(c *capture, p *record) (err error) {
		if out == nil {
			all := maps.Clone(c.names)
			maps.Copy(all, names)
			if out, err = NewWriter(w, nil, all); err != nil {
				return err
			}
		}
		for out.taps < len(c.seen) {
			if err := out.AddInterface(c.seen[out.taps]); err != nil {
				return err
			}
		}
		comment := c.comment(p)
		if add := comments[sum.Frames]; add != "" && comment != "" {
			comment += "\n" + add
		} else if add != "" {
			comment = add
		}
		return out.Write(Packet{Time: time.Unix(0, p.time), Interface: int(p.iface), Data: p.data, OrigLen: p.orig, Comment: comment})
	})
	return sum, ownError(err)
}

// Redact copies a capture to pcapng so that it can be shared: addresses are
// renumbered, payload is overwritten but for what frames it (HTTP's first line
// without the target, the lengths, TLS record headers), names and comments go,
// and of packets that are not TCP only time and length stay. Frame numbers,
// times and lengths stay, so that its explanation does, or gets weaker.
func Redact(w io.Writer, r io.Reader) (Summary, error) {
	var sum Summary
	out, err := NewWriter(w, nil, nil)
	if err != nil {
		return sum, err
	}
	var d decoder
	masked := masker{}
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

// masker renumbers addresses in order of appearance.
type masker map[netip.Addr]netip.Addr

func (m masker) addr(a netip.Addr) netip.Addr {
	b, ok := m[a]
	if !ok {
		n := uint32(len(m) + 1)
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
		m[a] = b
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
	mask(tcp[head:])
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

// mask overwrites payload in place.
func mask(b []byte) {
	switch sniff(b) {
	case looksTLS:
		for len(b) >= 5 && sniff(b) == looksTLS {
			n := min(5+int(binary.BigEndian.Uint16(b[3:])), len(b))
			blank(b[5:n])
			b = b[n:]
		}
		blank(b)
	case looksRequest, looksResponse:
		first := true
		for len(b) > 0 {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				blank(b)
				return
			}
			line := bytes.TrimRight(b[:i], "\r")
			b = b[i+1:]
			switch {
			case len(line) == 0:
				blank(b)
				return
			case first && bytes.HasPrefix(line, []byte("HTTP/")):
				blank(line[min(len(line), 12):])
			case first:
				if from, to := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' '); from < to {
					blank(line[from+1 : to])
				}
			default:
				keep := false
				for _, name := range kept {
					if _, ok := field(line, []byte(name)); ok {
						keep = true
					}
				}
				if !keep {
					blank(line)
				}
			}
			first = false
		}
	default:
		blank(b)
	}
}

func blank(b []byte) {
	for i := range b {
		b[i] = 'x'
	}
}
