package tcp

import (
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/ip6defrag"
	"github.com/gopacket/gopacket/layers"
)

// rare decodes with gopacket what the in-place reader leaves alone: other link
// types, tunnels, extension headers, and fragments, which it puts together.
type rare struct {
	v4     *ip4defrag.IPv4Defragmenter
	v6     *ip6defrag.IPv6Defragmenter
	stored int // fragments handed to them since they were made
}

// maxFragments bounds what waits for the rest of its packet; beyond it all of
// that is forgotten.
const maxFragments = 1024

func (r *rare) decode(d *decoder, s *segment, p *record, b []byte, link uint16) (ok bool) {
	defer func() {
		// gopacket's lazily written layers are many, and the input is hostile.
		if recover() != nil {
			ok = false
		}
	}()
	packet := gopacket.NewPacket(b, layers.LinkType(link), gopacket.Default)
	// The innermost IP header that carries TCP is the connection's.
	list := packet.Layers()
	for i := len(list) - 1; i >= 0; i-- {
		switch l := list[i].(type) {
		case *layers.IPv4:
			if l.Flags&layers.IPv4MoreFragments != 0 || l.FragOffset != 0 {
				whole := r.join4(l, time.Unix(0, p.time))
				if whole == nil {
					return false
				}
				l = whole
			}
			b = append(append(make([]byte, 0, 20+len(l.Payload)), header4(l)...), l.Payload...)
			return d.inner(s, b, p)
		case *layers.IPv6Fragment:
			ip, _ := packet.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
			if ip == nil {
				return false
			}
			whole := r.join6(ip, l)
			if whole == nil {
				return false
			}
			return d.inner(s, header6(whole, whole.NextHeader, whole.Payload), p)
		case *layers.IPv6:
			payload, next := l.Payload, l.NextHeader
			for _, x := range list[i+1:] {
				switch x := x.(type) {
				case *layers.IPv6HopByHop:
					next, payload = x.NextHeader, x.Payload
				case *layers.IPv6Routing:
					next, payload = x.NextHeader, x.Payload
				case *layers.IPv6Destination:
					next, payload = x.NextHeader, x.Payload
				case *layers.IPSecAH:
					next, payload = x.NextHeader, x.Payload
				}
			}
			return d.inner(s, header6(l, next, payload), p)
		}
	}
	return false
}

// inner reads an IP packet that is whole and free of extension headers.
func (d *decoder) inner(s *segment, b []byte, p *record) bool {
	return d.ip(s, b, &record{time: p.time, data: b, orig: len(b) + max(p.orig-len(p.data), 0)})
}

func (r *rare) join4(l *layers.IPv4, now time.Time) *layers.IPv4 {
	r.count()
	whole, err := r.v4.DefragIPv4WithTimestamp(l, now)
	if err != nil {
		return nil
	}
	return whole
}

func (r *rare) join6(ip *layers.IPv6, f *layers.IPv6Fragment) *layers.IPv6 {
	r.count()
	return r.v6.DefragIPv6(ip, f)
}

func (r *rare) count() {
	if r.stored++; r.v4 == nil || r.stored > maxFragments {
		*r = rare{v4: ip4defrag.NewIPv4Defragmenter(), v6: ip6defrag.NewIPv6Defragmenter()}
	}
}

// header4 makes a 20-byte IPv4 header for a packet put together by gopacket.
func header4(l *layers.IPv4) []byte {
	total := 20 + len(l.Payload)
	if l.Length > 0 && l.FragOffset == 0 && int(l.Length)-int(l.IHL)*4 > len(l.Payload) {
		total = int(l.Length) - int(l.IHL)*4 + 20 // cut by the snap length
	}
	if total > 0xffff {
		total = 0
	}
	h := []byte{0x45, 0, byte(total >> 8), byte(total), byte(l.Id >> 8), byte(l.Id), 0, 0, l.TTL, byte(l.Protocol), 0, 0}
	h = append(h, l.SrcIP.To4()...)
	return append(h, l.DstIP.To4()...)
}

// header6 makes an IPv6 packet without extension headers.
func header6(l *layers.IPv6, next layers.IPProtocol, payload []byte) []byte {
	h := []byte{0x60, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload)), byte(next), l.HopLimit}
	h = append(h, l.SrcIP.To16()...)
	h = append(h, l.DstIP.To16()...)
	return append(h, payload...)
}
