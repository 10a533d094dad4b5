package tcp

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// A Packet is one captured packet as the file holds it.
type Packet struct {
	Time      time.Time
	Interface int    // index into the interfaces, in order of appearance over the whole file
	LinkType  uint16 // LINKTYPE_ value, https://www.tcpdump.org/linktypes.html; the Writer takes it from the interface
	Data      []byte // what was captured; valid only during the callback
	OrigLen   int    // length on the wire, at least len(Data)
	Comment   string // pcapng opt_comment; several are joined by a newline
}

// An Interface is one tap of a capture.
type Interface struct {
	Name     string
	LinkType uint16
}

// A Summary says what a reader got out of a capture.
type Summary struct {
	Frames        int // packets of any kind, as Wireshark counts
	Segments      int // TCP segments among them
	Conversations int
	First, Last   time.Time // earliest and latest timestamp
	Interfaces    []Interface
	Names         map[netip.Addr]string // host names from the file, overridden by Options.Names
	Stopped       string                // where and why reading stopped; "" when the capture was read to its end
	SeenFrom      string                // which side the capture seems to have been taken at, and why; "" when unknown
}

// Limits against hostile input. A capture that exceeds one is read up to there.
const (
	maxBlock      = 16 << 20 // bytes of one pcapng block; libpcap's own limit
	maxRecord     = 1 << 20  // captured bytes of one packet; libpcap's MAXIMUM_SNAPLEN is 256 KiB
	maxInterfaces = 1 << 16
	maxNames      = 1 << 16
)

const (
	blockSection    = 0x0A0D0D0A
	blockInterface  = 1
	blockPacket     = 2 // obsolete, written by Wireshark before 1.6
	blockSimple     = 3
	blockNames      = 4
	blockEnhanced   = 6
	byteOrderMagic  = 0x1A2B3C4D
	optionEnd       = 0
	optionComment   = 1
	optionIfName    = 2
	optionTsResol   = 9
	optionTsOffset  = 14
	recordNameIPv4  = 1
	recordNameIPv6  = 2
	magicMicros     = 0xA1B2C3D4
	magicNanos      = 0xA1B23C4D
	magicModified   = 0xA1B2CD34 // Kuznetzov's variant: 8 more bytes a record
	unixNanosPerSec = 1_000_000_000
)

// tap is an interface with how its clock counts.
type tap struct {
	Interface
	index   int    // over all sections
	units   uint64 // ticks per second; 0 means nanoseconds
	seconds int64  // added to every timestamp
	snaplen uint32
}

// capture reads pcap and pcapng, of either byte order, plain or gzip. Packets
// are handed out in place, out of one buffer that is as long as the longest
// record; nothing is read ahead of what the source has, so that it can follow a
// live pipe.
type capture struct {
	r     *bufio.Reader
	off   int64 // bytes of the (decompressed) stream consumed
	order binary.ByteOrder
	big   bool
	pcap  *tap        // the one interface of a pcap file, nil in pcapng
	extra int         // bytes between a pcap record's header and its data
	seen  []Interface // of all sections
	taps  []tap       // of this section
	names map[netip.Addr]string
	buf   []byte
}

// errStopped marks errors of the capture's content, as opposed to those of the
// callback.
type errStopped struct{ error }

func (e errStopped) Unwrap() error { return e.error }

// errEmpty is what an input without a byte gives.
var errEmpty = errors.New("empty input")

func openCapture(r io.Reader) (*capture, error) {
	c := &capture{r: bufio.NewReaderSize(r, 1<<18), names: map[netip.Addr]string{}}
	if magic, err := c.r.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(c.r)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		c.r = bufio.NewReaderSize(z, 1<<18)
	}
	magic, err := c.r.Peek(4)
	if err != nil {
		switch {
		case err == io.EOF && len(magic) == 0:
			return nil, errEmpty
		case err == io.EOF:
			return nil, errors.New("not a capture: shorter than the magic number of pcap or pcapng")
		}
		return nil, err
	}
	if binary.BigEndian.Uint32(magic) == blockSection {
		return c, c.section()
	}
	return c, c.pcapHeader()
}

func (c *capture) pcapHeader() error {
	h, err := c.take(24)
	if err != nil {
		return fmt.Errorf("pcap header: %w", err)
	}
	units := uint64(1_000_000)
	c.order = binary.LittleEndian
	if m := binary.BigEndian.Uint32(h); m == magicMicros || m == magicNanos || m == magicModified {
		c.order, c.big = binary.BigEndian, true
	}
	switch m := c.order.Uint32(h); m {
	case magicMicros:
	case magicNanos:
		units = unixNanosPerSec
	case magicModified:
		c.extra = 8
	default:
		return fmt.Errorf("not a capture: magic number %#08x is neither pcap nor pcapng", binary.BigEndian.Uint32(h))
	}
	if major := c.order.Uint16(h[4:]); major != 2 {
		return fmt.Errorf("pcap version %d is unknown", major)
	}
	// The upper bits of the link type say whether there is a frame check
	// sequence (pcap-savefile(5)).
	c.pcap = &tap{Interface: Interface{LinkType: c.order.Uint16(h[20:])}, units: units}
	if c.big {
		c.pcap.LinkType = c.order.Uint16(h[22:])
	}
	c.seen = []Interface{c.pcap.Interface}
	return nil
}

// next hands out the next packet. io.EOF means a clean end.
func (c *capture) next(p *Packet) error {
	if c.pcap != nil {
		return c.nextRecord(p)
	}
	for {
		h, err := c.r.Peek(8)
		if err != nil {
			if err == io.EOF && len(h) == 0 {
				return io.EOF
			}
			return cut(err)
		}
		kind, length := c.uint32(h), c.uint32(h[4:])
		if kind == blockSection {
			if err := c.section(); err != nil {
				return err
			}
			continue
		}
		if length < 12 || length%4 != 0 {
			return fmt.Errorf("pcapng block of type %#x claims a length of %d", kind, length)
		}
		if length > maxBlock {
			return fmt.Errorf("pcapng block of type %#x claims %d bytes, more than the limit of %d", kind, length, maxBlock)
		}
		block, err := c.take(int(length))
		if err != nil {
			return err
		}
		if trailer := c.uint32(block[length-4:]); trailer != length {
			return fmt.Errorf("pcapng block of type %#x ends with length %d, began with %d", kind, trailer, length)
		}
		body := block[8 : length-4]
		switch kind {
		case blockInterface:
			err = c.interfaceBlock(body)
		case blockNames:
			err = c.nameBlock(body)
		case blockEnhanced, blockPacket, blockSimple:
			return c.packetBlock(kind, body, p)
		}
		if err != nil {
			return err
		}
	}
}

func (c *capture) uint32(b []byte) uint32 {
	if c.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// take consumes n bytes; they are valid until the next call.
func (c *capture) take(n int) ([]byte, error) {
	if n <= c.r.Size() {
		b, err := c.r.Peek(n)
		if err != nil {
			if len(b) == 0 && err == io.EOF {
				return nil, io.EOF
			}
			return nil, cut(err)
		}
		c.r.Discard(n)
		c.off += int64(n)
		return b, nil
	}
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	got, err := io.ReadFull(c.r, c.buf[:n])
	c.off += int64(got)
	if err != nil {
		return nil, cut(err)
	}
	return c.buf[:n], nil
}

func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the capture is cut in the middle of a record")
	}
	return err
}

func (c *capture) nextRecord(p *Packet) error {
	h, err := c.take(16 + c.extra)
	if err != nil {
		return err
	}
	sec, frac, n, orig := c.uint32(h), c.uint32(h[4:]), c.uint32(h[8:]), c.uint32(h[12:])
	if n > maxRecord {
		return fmt.Errorf("pcap record claims %d captured bytes, more than the limit of %d", n, maxRecord)
	}
	data, err := c.take(int(n))
	if err != nil {
		return cut(err)
	}
	nanos := int64(frac)
	if c.pcap.units != unixNanosPerSec {
		nanos *= 1000
	}
	*p = Packet{Time: time.Unix(int64(sec), nanos), LinkType: c.pcap.LinkType, Data: data, OrigLen: max(int(orig), len(data))}
	return nil
}

// section reads a section header block, which may change the byte order.
func (c *capture) section() error {
	h, err := c.r.Peek(12)
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
			}
		}
		b = b[min(4+(n+3)&^3, len(b)):]
	}
	return nil
}

func (c *capture) packetBlock(kind uint32, b []byte, p *Packet) error {
	var iface, size, orig uint32
	var ticks uint64
	head := 20
	switch kind {
	case blockSimple:
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
	*p = Packet{Interface: t.index, LinkType: t.LinkType, Data: b[head : head+int(size)], OrigLen: max(int(orig), int(size))}
	if kind != blockSimple {
		p.Time = t.time(ticks)
	}
	if rest := b[min(head+int(size+3)&^3, len(b)):]; kind == blockEnhanced && len(rest) > 4 {
		c.options(rest, func(code uint16, v []byte) {
			if code == optionComment {
				if p.Comment != "" {
					p.Comment += "\n"
				}
				p.Comment += string(v)
			}
		})
	}
	return nil
}

func (t *tap) time(ticks uint64) time.Time {
	switch t.units {
	case unixNanosPerSec:
		return time.Unix(int64(ticks/unixNanosPerSec)+t.seconds, int64(ticks%unixNanosPerSec))
	case 1_000_000:
		return time.Unix(int64(ticks/1_000_000)+t.seconds, int64(ticks%1_000_000)*1000)
	}
	frac := float64(ticks%t.units) / float64(t.units) * unixNanosPerSec
	return time.Unix(int64(ticks/t.units)+t.seconds, int64(frac))
}

// packets runs each over the packets of r and fills the summary.
func packets(r io.Reader, sum *Summary, each func(*Packet) error) error {
	c, err := openCapture(r)
	if err != nil {
		return err
	}
	sum.Names = c.names
	var p Packet
	for {
		err := c.next(&p)
		if err != nil {
			sum.Interfaces = c.seen
			if err != io.EOF {
				sum.Stopped = fmt.Sprintf("after frame %d, at byte %d: %v", sum.Frames, c.off, err)
				if sum.Frames == 0 {
					return errors.New(sum.Stopped)
				}
			}
			return nil
		}
		sum.Frames++
		if sum.First.IsZero() || p.Time.Before(sum.First) {
			sum.First = p.Time
		}
		if p.Time.After(sum.Last) {
			sum.Last = p.Time
		}
		if err := each(&p); err != nil {
			return errStopped{err}
		}
	}
}

// ReadPackets hands out the raw packets of a pcap or pcapng stream, each as soon
// as its bytes are there. An error means that nothing could be read, or is
// the callback's own; whatever else ended the reading is in Summary.Stopped.
func ReadPackets(r io.Reader, each func(Packet) error) (Summary, error) {
	var sum Summary
	err := packets(r, &sum, func(p *Packet) error { return each(*p) })
	var own errStopped
	if errors.As(err, &own) {
		return sum, own.error
	}
	return sum, err
}
