package tcp

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"net/netip"
	"slices"
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

// source is a stream read through one buffer, out of which records are handed
// in place. It never waits for more than it was asked for, so that a live pipe
// can be followed. (bufio.Reader does the same at twice the cost a packet;
// mapping a file into memory gains a few per cent and faults when it is cut.)
type source struct {
	r    io.Reader
	rest []byte // what was read and is not consumed yet; its capacity is what is left of the buffer
	buf  []byte // a buffer of its own, where it has no others
	off  int64  // bytes of the stream before rest
	err  error  // of r, once it came
	// swap gives another buffer of at least n bytes that begins with what is
	// left over of this one; nil means that this one can be used again.
	swap func(left []byte, n int) []byte
}

// readAhead is the size of the buffer: small enough to stay in the cache.
const readAhead = 256 << 10

// peek gives the next n bytes without consuming them, fewer with an error at
// the end. They are valid until the next call.
func (s *source) peek(n int) ([]byte, error) {
	if len(s.rest) >= n {
		return s.rest[:n], nil
	}
	return s.fill(n)
}

func (s *source) fill(n int) ([]byte, error) {
	if s.swap != nil && s.err == nil {
		s.rest = s.swap(s.rest, n)[:len(s.rest)]
	} else if n > cap(s.rest) {
		if n > len(s.buf) {
			s.buf = make([]byte, max(n, readAhead))
		}
		s.rest = s.buf[:copy(s.buf, s.rest)]
	}
	for empty := 0; len(s.rest) < n; {
		if s.err != nil {
			return s.rest, s.err
		}
		m, free := 0, s.rest[len(s.rest):cap(s.rest)]
		m, s.err = s.r.Read(free)
		if m < 0 || m > len(free) {
			panic("tcp: a reader that counts more than it read")
		}
		if s.rest = s.rest[:len(s.rest)+m]; m > 0 {
			empty = 0
		} else if empty++; empty > 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	return s.rest[:n], nil
}

// take consumes the next n bytes.
func (s *source) take(n int) ([]byte, error) {
	b, err := s.peek(n)
	if err != nil {
		if err == io.EOF && len(b) == 0 {
			return nil, io.EOF
		}
		return nil, cut(err)
	}
	s.rest = s.rest[n:]
	s.off += int64(n)
	return b, nil
}

// record is a Packet as the reader leaves it.
type record struct {
	time  int64 // ns since the Unix epoch; 0 unknown
	data  []byte
	orig  int
	iface int32
	link  uint16
	notes []byte // the rest of its block: options; of pcapng only
}

// capture reads pcap and pcapng, of either byte order, plain or gzip.
type capture struct {
	source
	order binary.ByteOrder
	big   bool
	pcap  *tap        // the one interface of a pcap file, nil in pcapng
	extra int         // bytes between a pcap record's header and its data
	seen  []Interface // of all sections
	taps  []tap       // of this section
	names map[netip.Addr]string
	fresh []hostName // names since they were last taken note of
}

// errStopped marks errors of the capture's content, as opposed to those of the
// callback.
type errStopped struct{ error }

func (e errStopped) Unwrap() error { return e.error }

// errEmpty is what an input without a byte gives.
var errEmpty = errors.New("empty input")

func openCapture(input source) (*capture, error) {
	c := &capture{source: input, names: map[netip.Addr]string{}}
	if magic, err := c.peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		// A buffer of its own: swap hands the first one out again.
		packed := c.source
		packed.rest, packed.swap = slices.Clone(packed.rest), nil
		z, err := gzip.NewReader(&unread{packed})
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		c.source = source{r: z, swap: input.swap}
	}
	magic, err := c.peek(4)
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

// unread is a source as a reader, with what it holds already.
type unread struct{ source }

func (u *unread) Read(p []byte) (int, error) {
	if _, err := u.peek(1); err != nil {
		return 0, err
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
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
func (c *capture) next(p *record) error {
	if c.pcap != nil {
		return c.nextRecord(p)
	}
	for {
		h, err := c.peek(8)
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

func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the capture is cut in the middle of a record")
	}
	return err
}

func (c *capture) nextRecord(p *record) error {
	head := 16 + c.extra
	h := c.rest
	if len(h) < head {
		var err error
		if h, err = c.peek(head); err != nil {
			if err == io.EOF && len(h) == 0 {
				return io.EOF
			}
			return cut(err)
		}
	}
	little := binary.LittleEndian
	f := (*[16]byte)(h)
	sec, frac, n, orig := little.Uint32(f[:4]), little.Uint32(f[4:8]), little.Uint32(f[8:12]), little.Uint32(f[12:])
	if c.big {
		sec, frac, n, orig = bits.ReverseBytes32(sec), bits.ReverseBytes32(frac), bits.ReverseBytes32(n), bits.ReverseBytes32(orig)
	}
	if n > maxRecord {
		return fmt.Errorf("pcap record claims %d captured bytes, more than the limit of %d", n, maxRecord)
	}
	whole := head + int(n)
	if len(h) < whole {
		var err error
		if h, err = c.peek(whole); err != nil {
			return cut(err)
		}
	}
	p.data, p.orig = h[head:whole:whole], int(max(orig, n))
	c.rest = c.rest[whole:]
	c.off += int64(whole)
	if c.pcap.units != unixNanosPerSec {
		frac *= 1000
	}
	p.time = int64(sec)*unixNanosPerSec + int64(frac)
	p.link = c.pcap.LinkType
	return nil
}

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

// time converts ticks to ns since the Unix epoch. What does not fit is 0.
func (t *tap) time(ticks uint64) int64 {
	sec, frac := ticks/t.units, ticks%t.units
	if sec > 1<<33 || t.seconds > 1<<33 || t.seconds < -1<<33 {
		return 0
	}
	hi, lo := bits.Mul64(frac, unixNanosPerSec)
	ns, _ := bits.Div64(hi, lo, t.units)
	return (int64(sec)+t.seconds)*unixNanosPerSec + int64(ns)
}

// packets runs each over the packets of r and fills the summary.
func packets(r io.Reader, sum *Summary, each func(*capture, *record) error) error {
	return packetsOf(source{r: r}, sum, each)
}

func packetsOf(input source, sum *Summary, each func(*capture, *record) error) error {
	c, err := openCapture(input)
	if err != nil {
		return err
	}
	sum.Names = c.names
	var p record
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for {
		err := c.next(&p)
		if err != nil {
			sum.Interfaces = c.seen
			if first <= last {
				sum.First, sum.Last = time.Unix(0, first), time.Unix(0, last)
			}
			if err != io.EOF {
				sum.Stopped = fmt.Sprintf("after frame %d, at byte %d: %v", sum.Frames, c.off, err)
				if sum.Frames == 0 {
					return errors.New(sum.Stopped)
				}
			}
			return nil
		}
		sum.Frames++
		first, last = min(first, p.time), max(last, p.time)
		if err := each(c, &p); err != nil {
			return errStopped{err}
		}
	}
}

// ReadPackets hands out the raw packets of a pcap or pcapng stream, each as soon
// as its bytes are there. An error means that nothing could be read, or is
// the callback's own; whatever else ended the reading is in Summary.Stopped.
func ReadPackets(r io.Reader, each func(Packet) error) (Summary, error) {
	var sum Summary
	err := packets(r, &sum, func(c *capture, p *record) error {
		return each(Packet{Time: time.Unix(0, p.time), Interface: int(p.iface), LinkType: p.link, Data: p.data, OrigLen: p.orig, Comment: c.comment(p)})
	})
	return sum, ownError(err)
}

// ownError takes the callback's error out of its mark.
func ownError(err error) error {
	var own errStopped
	if errors.As(err, &own) {
		return own.error
	}
	return err
}
