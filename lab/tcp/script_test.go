package tcp

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A line is one segment of a hand-made capture. Sequence numbers count from
// the sender's SYN, as tcpdump shows them.
type line struct {
	at       float64 // seconds
	from     byte    // 'C' or 'S'; lower case: another connection's port
	flags    string
	seq, ack uint32
	data     string
	opt      func(*wire)
}

// wire is what can be bent in a line's packet.
type wire struct {
	src, dst   netip.AddrPort
	ttl        byte
	ipID       uint16
	window     uint16
	tap        int
	stamp      uint32
	extraLen   int // bytes of payload that were sent but not captured
	icmp       *ICMP
	tcpOptions []byte
	clientISN  uint32
}

var (
	clientAddr = netip.MustParseAddrPort("10.0.0.1:40000")
	serverAddr = netip.MustParseAddrPort("10.0.0.2:80")
	epoch      = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
)

const (
	clientISN = 0xfffffff0 // wraps within the first request
	serverISN = 5000
)

func flagsOf(s string) Flags {
	var f Flags
	for _, c := range s {
		f |= 1 << strings.IndexRune("FSRP.UEW", c)
	}
	return f
}

// build makes the packets of a script.
func build(script []line) []Packet {
	var ps []Packet
	id := map[byte]uint16{}
	for _, l := range script {
		who := l.from &^ 0x20
		id[l.from]++
		w := wire{src: clientAddr, dst: serverAddr, ttl: 64, ipID: id[l.from], window: 502, clientISN: clientISN}
		cp := clientAddr
		if l.from&0x20 != 0 {
			cp = netip.AddrPortFrom(clientAddr.Addr(), clientAddr.Port()+1)
		}
		w.src, w.dst = cp, serverAddr
		if who == 'S' {
			w.src, w.dst = serverAddr, cp
		}
		flags := flagsOf(l.flags)
		if flags&RST != 0 && flags&ACK == 0 {
			w.ipID = 0
		}
		if l.opt != nil {
			l.opt(&w)
		}
		seq, ack := l.seq+w.clientISN, l.ack+serverISN
		if who == 'S' {
			seq, ack = l.seq+serverISN, l.ack+w.clientISN
		}
		if flags&ACK == 0 {
			ack = 0
		}
		if flags&(RST|ACK) == RST|ACK && l.seq == toSYN {
			seq = 0 // answers a SYN
		}
		t := epoch.Add(time.Duration(math.Round(l.at * 1e9)))
		data := packet(w, flags, seq, ack, l.data)
		ps = append(ps, Packet{Time: t, Interface: w.tap, LinkType: linkEthernet, Data: data, OrigLen: len(data) + w.extraLen})
	}
	return ps
}

func packet(w wire, flags Flags, seq, ack uint32, data string) []byte {
	opts := w.tcpOptions
	if w.stamp != 0 {
		opts = binary.BigEndian.AppendUint32([]byte{1, 1, 8, 10}, w.stamp)
		opts = append(opts, 0, 0, 0, 0)
	}
	tcp := make([]byte, 20, 20+len(opts)+len(data))
	binary.BigEndian.PutUint16(tcp, w.src.Port())
	binary.BigEndian.PutUint16(tcp[2:], w.dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], seq)
	binary.BigEndian.PutUint32(tcp[8:], ack)
	tcp[12] = byte(5+len(opts)/4) << 4
	tcp[13] = byte(flags)
	binary.BigEndian.PutUint16(tcp[14:], w.window)
	tcp = append(append(tcp, opts...), data...)
	b := ipPacket(w, 6, tcp, w.extraLen)
	if w.icmp != nil {
		e := []byte{w.icmp.Type, w.icmp.Code, 0, 0, 0, 0, 0, 0}
		proto := byte(1)
		if w.icmp.V6 {
			proto = 58
		}
		quoted := b
		w.dst = w.src
		w.src = netip.AddrPortFrom(w.icmp.From, 0)
		b = ipPacket(w, proto, append(e, quoted...), 0)
	}
	ether := uint16(0x0800)
	if w.src.Addr().Is6() {
		ether = 0x86dd
	}
	return append(binary.BigEndian.AppendUint16(make([]byte, 12), ether), b...)
}

func ipPacket(w wire, proto byte, payload []byte, extra int) []byte {
	if w.src.Addr().Is6() {
		h := make([]byte, 40)
		h[0] = 0x60
		binary.BigEndian.PutUint16(h[4:], uint16(len(payload)+extra))
		h[6], h[7] = proto, w.ttl
		copy(h[8:], w.src.Addr().AsSlice())
		copy(h[24:], w.dst.Addr().AsSlice())
		return append(h, payload...)
	}
	h := make([]byte, 20)
	h[0] = 0x45
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)+extra))
	binary.BigEndian.PutUint16(h[4:], w.ipID)
	h[8], h[9] = w.ttl, proto
	copy(h[12:], w.src.Addr().AsSlice())
	copy(h[16:], w.dst.Addr().AsSlice())
	return append(h, payload...)
}

// pcapng writes packets to a file in memory.
func pcapng(t testing.TB, ps []Packet, names map[netip.Addr]string) []byte {
	t.Helper()
	var b bytes.Buffer
	taps := 1
	for _, p := range ps {
		taps = max(taps, p.Interface+1)
	}
	var is []Interface
	for range taps {
		is = append(is, Interface{LinkType: linkEthernet})
	}
	w, err := NewWriter(&b, is, names)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func explainBytes(t testing.TB, b []byte, o Options) ([]Conversation, Summary) {
	t.Helper()
	var cs []Conversation
	sum, err := Explain(bytes.NewReader(b), o, func(c Conversation) { cs = append(cs, c) })
	if err != nil {
		t.Fatal(err)
	}
	return cs, sum
}

func explain(t testing.TB, script []line) []Conversation {
	t.Helper()
	cs, _ := explainBytes(t, pcapng(t, build(script), nil), Options{})
	return cs
}

const (
	get     = "GET /test HTTP/1.1\r\nHost: x\r\n\r\n"                                       // 31 bytes
	ok      = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello" // 67 bytes
	bigAns  = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n0123456789"
	longAns = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"
)

const (
	cReq = 1 + uint32(len(get))
	sOK  = 1 + uint32(len(ok))
)

// handshake and first exchange, ended at 0.004 s.
func exchanged(rest ...line) []line {
	return append([]line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "S.", 0, 1, "", nil},
		{0.0002, 'C', ".", 1, 1, "", nil},
		{0.001, 'C', "P.", 1, 1, get, nil},
		{0.0011, 'S', ".", 1, cReq, "", nil},
		{0.003, 'S', "P.", 1, cReq, ok, nil},
		{0.0031, 'C', ".", cReq, sOK, "", nil},
	}, rest...)
}

func opened(rest ...line) []line {
	return append([]line{
		{0, 'C', "S", 0, 0, "", nil},
		{0.0001, 'S', "S.", 0, 1, "", nil},
		{0.0002, 'C', ".", 1, 1, "", nil},
	}, rest...)
}

// tlsRecord is a record of TLS: its type, and n bytes.
func tlsRecord(kind byte, n int) string {
	return string([]byte{kind, 3, 3, byte(n >> 8), byte(n)}) + strings.Repeat("x", n)
}

// http2Frame is a frame of HTTP/2 on stream 1: its type, its flags, and n bytes that are
// the head of no other.
func http2Frame(kind, flags byte, n int) string {
	return string([]byte{0, byte(n >> 8), byte(n), kind, flags, 0, 0, 0, 1}) + strings.Repeat("\xff", n)
}

// cutTo is what a capture holds that was made with a snap length.
func cutTo(snap int, ps []Packet) []Packet {
	cut := slices.Clone(ps)
	for i := range cut {
		cut[i].Data = cut[i].Data[:min(len(cut[i].Data), snap)]
	}
	return cut
}
