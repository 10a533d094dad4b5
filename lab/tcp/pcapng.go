package tcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// section reads a section header block, which may change the byte order.
func (c *capture) section() error {
	h, err := c.peek(12)
	if err != nil {
		return cut(err)
	}
	switch {
	case binary.BigEndian.Uint32(h[8:]) == byteOrderMagic:
		c.order, c.big = binary.BigEndian, true
	case binary.LittleEndian.Uint32(h[8:]) == byteOrderMagic:
		c.order, c.big = binary.LittleEndian, false
	default:
		return errors.New("pcapng section header without its byte-order magic")
	}
	length := c.uint32(h[4:])
	if length < 28 || length%4 != 0 || length > maxBlock {
		return fmt.Errorf("pcapng section header claims a length of %d", length)
	}
	block, err := c.take(int(length))
	if err != nil {
		return cut(err)
	}
	if major := c.order.Uint16(block[12:]); major != 1 {
		return fmt.Errorf("pcapng version %d is unknown", major)
	}
	c.taps = c.taps[:0]
	return nil
}

func (c *capture) interfaceBlock(b []byte) error {
	if len(b) < 8 {
		return errors.New("pcapng interface block is too short")
	}
	if len(c.seen) >= maxInterfaces || len(c.taps) >= maxInterfaces {
		return fmt.Errorf("more than %d interfaces", maxInterfaces)
	}
	t := tap{Interface: Interface{LinkType: c.order.Uint16(b)}, units: 1_000_000, snaplen: c.order.Uint32(b[4:])}
	c.options(b[8:], func(code uint16, v []byte) {
		switch {
		case code == optionIfName:
			t.Name = string(v)
		case code == optionTsResol && len(v) >= 1:
			t.units = resolution(v[0])
		case code == optionTsOffset && len(v) >= 8:
			t.seconds = int64(c.order.Uint64(v))
		}
	})
	if t.units == 0 {
		return errors.New("pcapng interface with a timestamp resolution finer than 64 bits can count")
	}
	// A later section goes on with the same interfaces, where a capture was
	// split or several were joined.
	if t.index = len(c.taps); t.index >= len(c.seen) || c.seen[t.index] != t.Interface {
		t.index = len(c.seen)
		c.seen = append(c.seen, t.Interface)
	}
	c.taps = append(c.taps, t)
	return nil
}

// resolution decodes if_tsresol into ticks per second; 0 when it does not fit.
func resolution(v byte) uint64 {
	e := v & 0x7f
	if v&0x80 != 0 {
		if e > 62 {
			return 0
		}
		return 1 << e
	}
	if e > 18 {
		return 0
	}
	units := uint64(1)
	for range e {
		units *= 10
	}
	return units
}

// options calls each for every option of a block; a malformed rest is left out.
func (c *capture) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := c.order.Uint16(b), int(c.order.Uint16(b[2:]))
		if code == optionEnd || 4+n > len(b) {
			return
		}
		each(code, b[4:4+n])
		b = b[min(4+(n+3)&^3, len(b)):]
	}
}

// nameBlock reads a name resolution block: the lab's own captures carry the
// hosts' names in one.
func (c *capture) nameBlock(b []byte) error {
	for len(b) >= 4 {
		kind, n := c.order.Uint16(b), int(c.order.Uint16(b[2:]))
		if kind == 0 || 4+n > len(b) {
			return nil
		}
		v := b[4 : 4+n]
		size := 0
		switch kind {
		case recordNameIPv4:
			size = 4
		case recordNameIPv6:
			size = 16
		}
		if size > 0 && len(v) > size && len(c.names) < maxNames {
			addr, _ := netip.AddrFromSlice(v[:size])
			name, _, _ := strings.Cut(string(v[size:]), "\x00")
			if name != "" {
				c.names[addr.Unmap()] = name
				if c.swap != nil {
					c.fresh = append(c.fresh, hostName{addr.Unmap(), name})
				}
			}
		}
		b = b[min(4+(n+3)&^3, len(b)):]
	}
	return nil
}

func (c *capture) packetBlock(kind uint32, b []byte, p *record) error {
	var iface, size, orig uint32
	var ticks uint64
	head := 20
	if kind == blockSimple {
		head = 4
	}
	if len(b) < head {
		return errors.New("pcapng packet block is too short")
	}
	switch kind {
	case blockEnhanced:
		iface = c.uint32(b)
	case blockPacket:
		iface = uint32(c.order.Uint16(b))
	}
	if kind == blockSimple {
		orig = c.uint32(b)
		size = min(orig, uint32(len(b)-head))
	} else {
		ticks = uint64(c.uint32(b[4:]))<<32 | uint64(c.uint32(b[8:]))
		size, orig = c.uint32(b[12:]), c.uint32(b[16:])
	}
	if int64(iface) >= int64(len(c.taps)) {
		return fmt.Errorf("pcapng packet names interface %d, but its section has %d", iface, len(c.taps))
	}
	if int64(size) > int64(len(b)-head) {
		return fmt.Errorf("pcapng packet claims %d captured bytes, its block has room for %d", size, len(b)-head)
	}
	t := &c.taps[iface]
	if kind == blockSimple && t.snaplen > 0 {
		size = min(size, t.snaplen)
	}
	p.time, p.iface, p.link, p.notes = 0, int32(t.index), t.LinkType, nil
	p.data, p.orig = b[head:head+int(size)], max(int(orig), int(size))
	if kind != blockSimple {
		p.time = t.time(ticks)
	}
	if rest := b[min(head+int(size+3)&^3, len(b)):]; kind == blockEnhanced && len(rest) > 4 {
		p.notes = rest
	}
	return nil
}

// comment finds the comments among a packet's options.
func (c *capture) comment(p *record) string {
	comment := ""
	c.options(p.notes, func(code uint16, v []byte) {
		if code == optionComment {
			if comment != "" {
				comment += "\n"
			}
			comment += string(v)
		}
	})
	return comment
}
