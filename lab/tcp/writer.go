package tcp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
)

// A Writer writes one pcapng section: the interfaces, the hosts' names (a name
// resolution block, which gopacket's writer lacks), and packets with
// nanosecond timestamps and comments. Each call makes one Write on the
// underlying writer, so that a file is whole up to its last packet at any time.
type Writer struct {
	w     io.Writer
	taps  int
	block []byte
}

// NewWriter writes the section's header: interfaces in the order of their index
// in Packet, and the names.
func NewWriter(w io.Writer, interfaces []Interface, names map[netip.Addr]string) (*Writer, error) {
	pw := &Writer{w: w, taps: len(interfaces)}
	var head []byte
	head = append(head, pw.seal(blockSection, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
		b = binary.LittleEndian.AppendUint16(b, 1)
		b = binary.LittleEndian.AppendUint16(b, 0)
		return binary.LittleEndian.AppendUint64(b, ^uint64(0)) // section length unknown
	})...)
	for _, i := range interfaces {
		head = append(head, pw.description(i)...)
	}
	if len(names) > 0 {
		head = append(head, pw.seal(blockNames, func(b []byte) []byte {
			for _, addr := range slices.SortedFunc(maps.Keys(names), netip.Addr.Compare) {
				kind := uint16(recordNameIPv6)
				if addr = addr.Unmap(); addr.Is4() {
					kind = recordNameIPv4
				}
				b = option(b, kind, string(addr.AsSlice())+names[addr]+"\x00")
			}
			return option(b, 0, "")
		})...)
	}
	_, err := w.Write(head)
	return pw, err
}

// AddInterface adds one more interface; its index is the next.
func (w *Writer) AddInterface(i Interface) error {
	w.taps++
	_, err := w.w.Write(w.description(i))
	return err
}

func (w *Writer) description(i Interface) []byte {
	return w.seal(blockInterface, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint16(b, i.LinkType)
		b = binary.LittleEndian.AppendUint16(b, 0)
		b = binary.LittleEndian.AppendUint32(b, 0) // no snap length
		if i.Name != "" {
			b = option(b, optionIfName, i.Name)
		}
		b = option(b, optionTsResol, "\x09")
		return option(b, optionEnd, "")
	})
}

// Write adds one packet. Packet.LinkType is that of its interface.
func (w *Writer) Write(p Packet) error {
	if p.Interface < 0 || p.Interface >= w.taps {
		return fmt.Errorf("packet of interface %d, but the section has %d", p.Interface, w.taps)
	}
	_, err := w.w.Write(w.seal(blockEnhanced, func(b []byte) []byte {
		t := uint64(0)
		if !p.Time.IsZero() {
			t = uint64(p.Time.UnixNano())
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(p.Interface))
		b = binary.LittleEndian.AppendUint32(b, uint32(t>>32))
		b = binary.LittleEndian.AppendUint32(b, uint32(t))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.Data)))
		b = binary.LittleEndian.AppendUint32(b, uint32(cmp.Or(p.OrigLen, len(p.Data))))
		b = pad(append(b, p.Data...))
		if p.Comment != "" {
			b = option(b, optionComment, p.Comment[:min(len(p.Comment), 1<<15)])
			b = option(b, optionEnd, "")
		}
		return b
	}))
	return err
}

// seal frames a block body with its type and both lengths.
func (w *Writer) seal(kind uint32, body func([]byte) []byte) []byte {
	b := binary.LittleEndian.AppendUint32(w.block[:0], kind)
	b = body(append(b, 0, 0, 0, 0))
	length := uint32(len(b) + 4)
	binary.LittleEndian.PutUint32(b[4:], length)
	w.block = binary.LittleEndian.AppendUint32(b, length)
	return w.block
}

func option(b []byte, code uint16, value string) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// pad fills up to the next 32 bits: blocks and options are multiples of four.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
