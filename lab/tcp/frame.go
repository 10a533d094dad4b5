package tcp

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// Flags are the control bits of a TCP header (RFC 9293 3.1).
type Flags uint8

const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// String gives tcpdump's letters: "S", "S.", ".", "P.", "F.", "FP.", "R", "R.".
func (f Flags) String() string {
	if f == 0 {
		return "none"
	}
	var b []byte
	for i, letter := range "FSRP.UEW" {
		if f&(1<<i) != 0 {
			b = append(b, byte(letter))
		}
	}
	return string(b)
}

// A Frame is one captured TCP segment, or an ICMP error that quotes one.
type Frame struct {
	Number    int // as Wireshark counts: from 1, over the whole file, packets that are not TCP included
	Time      time.Time
	Interface int
	Src, Dst  netip.AddrPort // of an ICMP error: those of the segment it quotes
	Flags     Flags
	Seq, Ack  uint32 // as on the wire, absolute; Ack means nothing without the ACK flag
	Window    uint16 // as on the wire, not scaled
	Len       int    // payload bytes as sent
	Payload   []byte // what of it the capture holds; valid only during the callback unless kept
	TTL       uint8  // or IPv6 hop limit
	ICMP      *ICMP  // not nil: the frame is this ICMP error, and the rest is what it quotes
}

// ICMP is an error about a segment (RFC 792, RFC 4443).
type ICMP struct {
	From       netip.Addr // the router or host that sent it
	Type, Code uint8
	V6         bool
}

// Has says whether all of the given flags are set.
func (f Frame) Has(flags Flags) bool { return f.Flags&flags == flags }

// Read hands out every TCP segment of a capture, each as soon as its bytes are
// there: tcpdump's output can be followed live through a pipe. An error means
// that nothing could be read, or is the callback's own.
func Read(r io.Reader, each func(Frame) error) (Summary, error) {
	var sum Summary
	var d decoder
	err := packets(r, &sum, func(_ *capture, p *record) error {
		var s segment
		if !d.decode(&s, p, sum.Frames) {
			return nil
		}
		sum.Segments++
		return each(s.frame())
	})
	return sum, ownError(err)
}

// An endpoint is an address and port in comparable words; IPv4 is v4-mapped.
type endpoint struct {
	hi, lo uint64
	port   uint16
}

func (e *endpoint) less(o *endpoint) bool {
	if e.lo != o.lo {
		return e.lo < o.lo
	}
	if e.hi != o.hi {
		return e.hi < o.hi
	}
	return e.port < o.port
}

func (e endpoint) addrPort() netip.AddrPort {
	var a [16]byte
	binary.BigEndian.PutUint64(a[:8], e.hi)
	binary.BigEndian.PutUint64(a[8:], e.lo)
	return netip.AddrPortFrom(netip.AddrFrom16(a).Unmap(), e.port)
}

// segment is a Frame as the decoder leaves it: no pointers but the payload, and
// the header fields that only the state machine needs.
type segment struct {
	time     int64  // ns since the Unix epoch
	hash     uint64 // of the flow; this and what follows from msg on is added by prepare
	src, dst endpoint
	number   int
	payload  []byte
	icmp     *ICMP
	seq, ack uint32
	stamp    uint32 // TSval of the timestamp option (RFC 7323), 0 without
	echo     uint32 // TSecr
	tap      int32  // interface, with the device of "any" captures in the upper half
	length   int32
	window   uint16
	ipID     uint16
	mss      uint16 // MSS option of a SYN (RFC 9293 3.7.1), 0 without
	flags    Flags
	ttl      uint8
	cut      bool // the capture lacks some of its options

	msg   message // that the payload begins with
	id    uint32  // what the segment keeps on its way
	dir   uint8   // which end of the flow sent it: 0 the lesser
	looks looks   // what the payload begins as
}

func (s *segment) frame() Frame {
	return Frame{
		Number: s.number, Time: time.Unix(0, s.time), Interface: int(s.tap & (maxInterfaces - 1)),
		Src: s.src.addrPort(), Dst: s.dst.addrPort(), Flags: s.flags, Seq: s.seq, Ack: s.ack,
		Window: s.window, Len: int(s.length), Payload: s.payload, TTL: s.ttl, ICMP: s.icmp,
	}
}

// Link types that the decoder reads in place.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawBSD   = 12
	linkRaw      = 101
	linkLoop     = 108
	linkSLL      = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

const (
	protoICMP   = 1
	protoTCP    = 6
	protoICMPv6 = 58
)

// decoder finds the TCP segment in a packet. Ethernet, VLAN, cooked, raw and
// loopback framing with IPv4 and IPv6 are read in place; tunnels, extension
// headers, fragments and other link types take the way through gopacket.
type decoder struct {
	rare rare
}

// decode fills s from a packet and says whether it is TCP or about TCP.
func (d *decoder) decode(s *segment, p *record, number int) bool {
	s.number, s.tap, s.time = number, p.iface, p.time
	s.payload = nil
	if s.icmp != nil {
		s.icmp = nil
	}
	b := p.data
	var ether uint16
	switch p.link {
	case linkEthernet:
		if len(b) < 14 {
			return false
		}
		ether, b = binary.BigEndian.Uint16(b[12:]), b[14:]
	case linkSLL:
		if len(b) < 16 {
			return false
		}
		// The packet type tells the copy that comes in from the one that goes
		// out again, where "any" sees both.
		s.tap |= int32(b[1]&7) << 24
		ether, b = binary.BigEndian.Uint16(b[14:]), b[16:]
	case linkSLL2:
		if len(b) < 20 {
			return false
		}
		s.tap |= int32(b[7]) << 16 // device index
		ether, b = binary.BigEndian.Uint16(b), b[20:]
	case linkRaw, linkRawBSD, linkIPv4, linkIPv6:
	case linkNull, linkLoop:
		if len(b) < 4 {
			return false
		}
		b = b[4:]
	default:
		return d.rare.decode(d, s, p, p.data, p.link)
	}
	for ether != 0x0800 && ether != 0x86dd && ether != 0 {
		switch ether {
		case 0x8100, 0x88a8, 0x9100: // VLAN
			if len(b) < 4 {
				return false
			}
			ether, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case 0x8847, 0x8864: // MPLS, PPPoE session
			return d.rare.decode(d, s, p, p.data, p.link)
		default:
			return false
		}
	}
	if len(b) == 0 {
		return false
	}
	if d.ip(s, b, p) {
		return true
	}
	return s.length == needsGopacket && d.rare.decode(d, s, p, b, linkRaw)
}

// needsGopacket in segment.length says that ip met headers it leaves to gopacket.
const needsGopacket = -1

// ip reads an IP packet that begins at b and says whether it is (about) TCP.
func (d *decoder) ip(s *segment, b []byte, p *record) bool {
	s.length = 0
	// What the snap length cut off the end counts as sent.
	sent := len(b) + p.orig - len(p.data)
	switch b[0] >> 4 {
	case 4:
		if len(b) < 20 {
			return false
		}
		head := int(b[0]&15) * 4
		total := int(binary.BigEndian.Uint16(b[2:]))
		if total == 0 { // the kernel's own big segments, longer than the field can say
			total = sent
		}
		if head < 20 || head > len(b) || total < head {
			return false
		}
		if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // more fragments, or an offset
			s.length = needsGopacket
			return false
		}
		s.src.hi, s.src.lo = 0, 0xffff<<32|uint64(binary.BigEndian.Uint32(b[12:]))
		s.dst.hi, s.dst.lo = 0, 0xffff<<32|uint64(binary.BigEndian.Uint32(b[16:]))
		s.ipID, s.ttl = binary.BigEndian.Uint16(b[4:]), b[8]
		b2 := b[head:min(len(b), total)]
		switch b[9] {
		case protoTCP:
			return s.tcp(b2, total-head)
		case protoICMP:
			return s.quoted(b2, false)
		case 4, 41, 47, 17: // IP in IP, GRE, VXLAN and GENEVE in UDP
			return s.tunnel(b[9], b2)
		}
	case 6:
		if len(b) < 40 {
			return false
		}
		length := int(binary.BigEndian.Uint16(b[4:]))
		if length == 0 {
			length = sent - 40
		}
		s.src.hi, s.src.lo = binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
		s.dst.hi, s.dst.lo = binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])
		s.ipID, s.ttl = 0, b[7]
		b2 := b[40:min(len(b), 40+max(length, 0))]
		switch b[6] {
		case protoTCP:
			return s.tcp(b2, length)
		case protoICMPv6:
			return s.quoted(b2, true)
		case 0, 43, 44, 51, 60, 135: // extension headers
			s.length = needsGopacket
		case 4, 41, 47, 17:
			return s.tunnel(b[6], b2)
		}
	}
	return false
}

// Ports of UDP tunnels that may carry TCP.
const (
	portVXLAN  = 4789
	portGENEVE = 6081
	portGTPU   = 2152
)

func (s *segment) tunnel(proto byte, b []byte) bool {
	if proto == 17 {
		if len(b) < 8 {
			return false
		}
		switch binary.BigEndian.Uint16(b[2:]) {
		case portVXLAN, portGENEVE, portGTPU:
		default:
			return false
		}
	}
	s.length = needsGopacket
	return false
}

// tcp reads the TCP header at b; length is what the IP header says is there.
func (s *segment) tcp(b []byte, length int) bool {
	if len(b) < 20 || length < 20 {
		return false
	}
	head := int(b[12]>>4) * 4
	if head < 20 || head > length {
		return false
	}
	s.src.port, s.dst.port = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	s.seq, s.ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	s.flags, s.window = Flags(b[13]), binary.BigEndian.Uint16(b[14:])
	s.length = int32(length - head)
	s.stamp, s.echo, s.mss = 0, 0, 0
	if s.cut = head > len(b); !s.cut {
		s.payload = b[head:]
		if head > 20 {
			s.stamp, s.echo = timestamp(b[20:head])
			if s.flags&SYN != 0 {
				s.mss = maxSegment(b[20:head])
			}
		}
	}
	return true
}

// timestamp finds TSval and TSecr among the TCP options (RFC 7323 3.2).
func timestamp(o []byte) (value, echo uint32) {
	if len(o) >= 12 && binary.BigEndian.Uint32(o) == 0x0101080a { // NOP NOP, as everybody sends it
		return binary.BigEndian.Uint32(o[4:]), binary.BigEndian.Uint32(o[8:])
	}
	if v := tcpOption(o, 8, 10); v != nil {
		return binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
	}
	return 0, 0
}

// maxSegment finds the MSS among the TCP options (RFC 9293 3.7.1).
func maxSegment(o []byte) uint16 {
	if v := tcpOption(o, 2, 4); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// tcpOption finds a TCP option of the given kind and length (RFC 9293 3.1); nil
// without.
func tcpOption(o []byte, kind, length byte) []byte {
	for len(o) > 0 {
		switch {
		case o[0] == 0:
			return nil
		case o[0] == 1:
			o = o[1:]
			continue
		case len(o) < 2 || o[1] < 2 || int(o[1]) > len(o):
			return nil
		case o[0] == kind && o[1] == length:
			return o[2:length]
		}
		o = o[o[1]:]
	}
	return nil
}

// quoted reads an ICMP error and the TCP header that it quotes, of which eight
// bytes are enough (RFC 792): ports and sequence number.
func (s *segment) quoted(b []byte, v6 bool) bool {
	if len(b) < 8 {
		return false
	}
	e := ICMP{From: s.src.addrPort().Addr(), Type: b[0], Code: b[1], V6: v6}
	if !e.fatal() {
		return false
	}
	q := b[8:]
	switch {
	case !v6 && len(q) >= 28 && q[0]>>4 == 4 && q[9] == protoTCP:
		head := int(q[0]&15) * 4
		if head < 20 || len(q) < head+8 {
			return false
		}
		s.src.hi, s.src.lo = 0, 0xffff<<32|uint64(binary.BigEndian.Uint32(q[12:]))
		s.dst.hi, s.dst.lo = 0, 0xffff<<32|uint64(binary.BigEndian.Uint32(q[16:]))
		q = q[head:]
	case v6 && len(q) >= 48 && q[0]>>4 == 6 && q[6] == protoTCP:
		s.src.hi, s.src.lo = binary.BigEndian.Uint64(q[8:]), binary.BigEndian.Uint64(q[16:])
		s.dst.hi, s.dst.lo = binary.BigEndian.Uint64(q[24:]), binary.BigEndian.Uint64(q[32:])
		q = q[40:]
	default:
		return false
	}
	s.src.port, s.dst.port = binary.BigEndian.Uint16(q), binary.BigEndian.Uint16(q[2:])
	s.seq, s.ack, s.flags, s.window, s.stamp, s.echo, s.length = binary.BigEndian.Uint32(q[4:]), 0, 0, 0, 0, 0, 0
	if len(q) >= 14 {
		s.flags = Flags(q[13])
	}
	s.icmp = &e
	return true
}

// fatal says whether the error can end a connection attempt: destination
// unreachable and time exceeded. Not "fragmentation needed" (path MTU
// discovery), not redirects.
func (e ICMP) fatal() bool {
	if e.V6 {
		return e.Type == 1 || e.Type == 3
	}
	return e.Type == 3 && e.Code != 4 || e.Type == 11
}

// String names the error in the words of RFC 792 and RFC 4443.
func (e ICMP) String() string {
	if e.V6 {
		if e.Type == 3 {
			return "time exceeded"
		}
		names := []string{"no route to destination", "administratively prohibited", "beyond scope of source address",
			"address unreachable", "port unreachable", "source address failed ingress/egress policy", "reject route to destination"}
		if int(e.Code) < len(names) {
			return names[e.Code]
		}
		return "destination unreachable"
	}
	if e.Type == 11 {
		return "time exceeded"
	}
	switch e.Code {
	case 0, 6, 11:
		return "network unreachable"
	case 1, 7, 12:
		return "host unreachable"
	case 2:
		return "protocol unreachable"
	case 3:
		return "port unreachable"
	case 9, 10, 13:
		return "administratively prohibited"
	}
	return "destination unreachable"
}
