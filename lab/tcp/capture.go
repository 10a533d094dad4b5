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
