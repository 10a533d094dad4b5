package tcp

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// pcapFile writes a classic pcap by hand, in any of its variants.
func pcapFile(ps []Packet, order binary.AppendByteOrder, magic uint32, link uint32) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint32(b, 262144)
	b = order.AppendUint32(b, link)
	for _, p := range ps {
		frac := uint32(p.Time.Nanosecond())
		if magic != magicNanos {
			frac /= 1000
		}
		b = order.AppendUint32(b, uint32(p.Time.Unix()))
		b = order.AppendUint32(b, frac)
		b = order.AppendUint32(b, uint32(len(p.Data)))
		b = order.AppendUint32(b, uint32(p.OrigLen))
		if magic == magicModified {
			b = append(b, make([]byte, 8)...)
		}
		b = append(b, p.Data...)
	}
	return b
}

func staleScript() []line {
	for _, s := range scripts {
		if s.name == "stale-idle" {
			return slices.Clone(s.script)
		}
	}
	panic("no stale-idle")
}

// TestFormats reads one connection out of every container.
func TestFormats(t *testing.T) {
	ps := build(staleScript())
	gz := func(b []byte) []byte {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(b)
		w.Close()
		return z.Bytes()
	}
	var ng bytes.Buffer
	w, err := pcapgo.NewNgWriter(&ng, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		w.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(p.Data), Length: p.OrigLen}, p.Data,
			pcapgo.NgPacketOptions{Comments: []string{"hello"}})
	}
	w.Flush()
	le, be := binary.LittleEndian, binary.BigEndian
	for name, b := range map[string][]byte{
		"pcap":               pcapFile(ps, le, magicMicros, 1),
		"pcap, big-endian":   pcapFile(ps, be, magicMicros, 1),
		"pcap, ns":           pcapFile(ps, le, magicNanos, 1),
		"pcap, ns, big":      pcapFile(ps, be, magicNanos, 1),
		"pcap, modified":     pcapFile(ps, le, magicModified, 1),
		"pcap, with FCS":     pcapFile(ps, le, magicMicros, 0x10000001),
		"pcap.gz":            gz(pcapFile(ps, le, magicMicros, 1)),
		"pcapng":             pcapng(t, ps, nil),
		"pcapng.gz":          gz(pcapng(t, ps, nil)),
		"pcapng of pcapgo":   ng.Bytes(),
		"pcapng, big":        bigEndianNG(ps),
		"two sections":       append(pcapng(t, ps[:5], nil), pcapng(t, ps[5:], nil)...),
		"sections of orders": append(pcapng(t, ps[:5], nil), bigEndianNG(ps[5:])...),
	} {
		cs, sum := explainBytes(t, b, Options{})
		if len(cs) != 1 || cs[0].Cause != CauseStaleIdle || sum.Frames != len(ps) || sum.Stopped != "" {
			t.Errorf("%s: %+v %+v", name, cs, sum)
		}
		if !strings.Contains(name, "modified") && (!sum.First.Equal(ps[0].Time) || sum.Last.Sub(ps[len(ps)-1].Time).Abs() > time.Microsecond) {
			t.Errorf("%s: from %v to %v", name, sum.First, sum.Last)
		}
	}
}

// bigEndianNG is a pcapng with microseconds, an option and a statistics block.
func bigEndianNG(ps []Packet) []byte {
	be := binary.BigEndian
	var out []byte
	block := func(kind uint32, body []byte) {
		body = pad(body)
		out = be.AppendUint32(out, kind)
		out = be.AppendUint32(out, uint32(len(body)+12))
		out = append(out, body...)
		out = be.AppendUint32(out, uint32(len(body)+12))
	}
	b := be.AppendUint32(nil, byteOrderMagic)
	b = be.AppendUint16(b, 1)
	b = be.AppendUint16(b, 0)
	block(blockSection, be.AppendUint64(b, ^uint64(0)))
	b = be.AppendUint16(nil, 1)
	b = be.AppendUint16(b, 0)
	block(blockInterface, be.AppendUint32(b, 0))
	for _, p := range ps {
		us := uint64(p.Time.UnixMicro())
		b = be.AppendUint32(nil, 0)
		b = be.AppendUint32(b, uint32(us>>32))
		b = be.AppendUint32(b, uint32(us))
		b = be.AppendUint32(b, uint32(len(p.Data)))
		b = be.AppendUint32(b, uint32(p.OrigLen))
		block(blockEnhanced, append(b, p.Data...))
	}
	block(5, make([]byte, 12))
	block(0xbad, []byte("unknown block"))
	return out
}

// TestLinkTypes reads one connection out of every framing.
func TestLinkTypes(t *testing.T) {
	ps := build(staleScript())
	ip := func(p Packet) []byte { return p.Data[14:] }
	v6 := staleScript()
	for i := range v6 {
		v6[i].opt = func(w *wire) {
			w.src = netip.AddrPortFrom(netip.AddrFrom16(as6(w.src)), w.src.Port())
			w.dst = netip.AddrPortFrom(netip.AddrFrom16(as6(w.dst)), w.dst.Port())
		}
	}
	ps6 := build(v6)
	frame := func(ps []Packet, f func(Packet) []byte) []Packet {
		var out []Packet
		for _, p := range ps {
			p.Data = f(p)
			p.OrigLen = len(p.Data)
			out = append(out, p)
		}
		return out
	}
	head := func(h []byte) func(Packet) []byte {
		return func(p Packet) []byte { return append(bytes.Clone(h), ip(p)...) }
	}
	ether := make([]byte, 12)
	sll := append(make([]byte, 14), 8, 0)
	sll2 := append([]byte{8, 0}, make([]byte, 18)...)
	ext := func(next byte) func(Packet) []byte {
		return func(p Packet) []byte {
			b := bytes.Clone(ip(p))
			b[6] = next
			binary.BigEndian.PutUint16(b[4:], binary.BigEndian.Uint16(b[4:])+8)
			h := []byte{6, 0, 1, 4, 0, 0, 0, 0} // next header TCP, PadN
			return append(append(append(append(bytes.Clone(ether), 0x86, 0xdd), b[:40]...), h...), b[40:]...)
		}
	}
	vxlan := func(p Packet) []byte {
		inner := p.Data
		udp := []byte{0x30, 0, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0}
		binary.BigEndian.PutUint16(udp[4:], uint16(16+len(inner)))
		outer := ipPacket(wire{src: netip.MustParseAddrPort("172.16.0.1:1"), dst: netip.MustParseAddrPort("172.16.0.2:1"), ttl: 64}, 17, append(udp, inner...), 0)
		return append(append(bytes.Clone(ether), 8, 0), outer...)
	}
	gre := func(p Packet) []byte {
		outer := ipPacket(wire{src: netip.MustParseAddrPort("172.16.0.1:1"), dst: netip.MustParseAddrPort("172.16.0.2:1"), ttl: 64}, 47, append([]byte{0, 0, 8, 0}, ip(p)...), 0)
		return append(append(bytes.Clone(ether), 8, 0), outer...)
	}
	tests := map[string]struct {
		link uint32
		ps   []Packet
	}{
		"Ethernet":                       {linkEthernet, ps},
		"Ethernet, padded":               {linkEthernet, frame(ps, func(p Packet) []byte { return append(bytes.Clone(p.Data), make([]byte, 6)...) })},
		"VLAN":                           {linkEthernet, frame(ps, head(append(bytes.Clone(ether), 0x81, 0, 0, 5, 8, 0)))},
		"QinQ":                           {linkEthernet, frame(ps, head(append(bytes.Clone(ether), 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0)))},
		"cooked":                         {linkSLL, frame(ps, head(sll))},
		"cooked v2":                      {linkSLL2, frame(ps, head(sll2))},
		"raw":                            {linkRaw, frame(ps, ip)},
		"raw, BSD":                       {linkRawBSD, frame(ps, ip)},
		"IPv4":                           {linkIPv4, frame(ps, ip)},
		"loopback":                       {linkNull, frame(ps, head([]byte{2, 0, 0, 0}))},
		"loopback, OpenBSD":              {linkLoop, frame(ps, head([]byte{0, 0, 0, 2}))},
		"IPv6":                           {linkEthernet, ps6},
		"IPv6, raw":                      {linkIPv6, frame(ps6, ip)},
		"IPv6, hop-by-hop":               {linkEthernet, frame(ps6, ext(0))},
		"IPv6, destination":              {linkEthernet, frame(ps6, ext(60))},
		"VXLAN":                          {linkEthernet, frame(ps, vxlan)},
		"GRE":                            {linkEthernet, frame(ps, gre)},
		"PPP":                            {9, frame(ps, head([]byte{0xff, 0x03, 0, 0x21}))},
		"IPv4 fragments":                 {linkEthernet, fragment4(ps)},
		"IPv6 fragments":                 {linkEthernet, fragment6(ps6)},
		"unfinished handshake of others": {linkEthernet, append([]Packet{{Time: epoch, Data: []byte{1}, OrigLen: 1}}, ps...)},
	}
	for name, tt := range tests {
		cs, _ := explainBytes(t, pcapFile(tt.ps, binary.LittleEndian, magicNanos, tt.link), Options{})
		if len(cs) != 1 || cs[0].Cause != CauseStaleIdle || cs[0].Requests != 2 {
			t.Errorf("%s: %+v", name, cs)
		}
	}
}

func as6(a netip.AddrPort) [16]byte {
	b := netip.MustParseAddr("2001:db8::").As16()
	v4 := a.Addr().As4()
	copy(b[12:], v4[:])
	return b
}

// fragment4 cuts every packet with payload after the first 24 bytes of TCP.
func fragment4(ps []Packet) []Packet {
	var out []Packet
	for _, p := range ps {
		if len(p.Data) < 14+20+40 {
			out = append(out, p)
			continue
		}
		a, b := bytes.Clone(p.Data[:14+20+24]), append(bytes.Clone(p.Data[:14+20]), p.Data[14+20+24:]...)
		for _, f := range [][]byte{a, b} {
			binary.BigEndian.PutUint16(f[16:], uint16(len(f)-14))
		}
		a[20] |= 0x20
		b[21] = 3
		for _, f := range [][]byte{b, a} { // out of order
			out = append(out, Packet{Time: p.Time, Data: f, OrigLen: len(f)})
		}
	}
	return out
}

func fragment6(ps []Packet) []Packet {
	var out []Packet
	for i, p := range ps {
		if len(p.Data) < 14+40+40 {
			out = append(out, p)
			continue
		}
		ext := []byte{6, 0, 0, 1, 0, 0, 0, byte(i)}
		a := append(append(bytes.Clone(p.Data[:54]), ext...), p.Data[54:54+24]...)
		ext[3] = 24
		b := append(append(bytes.Clone(p.Data[:54]), ext...), p.Data[54+24:]...)
		for _, f := range [][]byte{a, b} {
			f[20] = 44
			binary.BigEndian.PutUint16(f[18:], uint16(len(f)-54))
			out = append(out, Packet{Time: p.Time, Data: f, OrigLen: len(f)})
		}
	}
	return out
}

// TestDecoderAgainstGopacket compares the header reader with gopacket's layers
// on packets bent at random.
func TestDecoderAgainstGopacket(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	base := append(readPackets(t, kernel), build(staleScript())...)
	var d decoder
	agreed := 0
	for range 20000 {
		p := base[r.IntN(len(base))]
		p.Data = bytes.Clone(p.Data)
		for range r.IntN(3) {
			p.Data[14+r.IntN(min(len(p.Data)-14, 60))] ^= 1 << r.IntN(8)
		}
		if r.IntN(4) == 0 {
			p.Data = p.Data[:14+r.IntN(len(p.Data)-14)]
		}
		var s segment
		got := d.decode(&s, &record{link: linkEthernet, data: p.Data, orig: len(p.Data)}, 1)
		pk := gopacket.NewPacket(p.Data, layers.LinkTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
		ip, _ := pk.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		tc, _ := pk.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if tc == nil || ip == nil || !got || s.icmp != nil || ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0 {
			continue
		}
		agreed++
		f := s.frame()
		if f.Src.Port() != uint16(tc.SrcPort) || f.Dst.Port() != uint16(tc.DstPort) || f.Seq != tc.Seq || f.Ack != tc.Ack || f.Window != tc.Window ||
			f.Has(SYN) != tc.SYN || f.Has(FIN) != tc.FIN || f.Has(RST) != tc.RST || f.Has(ACK) != tc.ACK || f.TTL != ip.TTL ||
			!bytes.Equal(f.Payload, tc.Payload) || f.Src.Addr().String() != ip.SrcIP.String() {
			t.Fatalf("%x:\n%+v\n%+v", p.Data, f, tc)
		}
	}
	if agreed < 10000 {
		t.Errorf("only %d packets compared", agreed)
	}
}

// TestWriter reads back what it wrote: names, interfaces, times, comments.
func TestWriter(t *testing.T) {
	ps := build(staleScript())
	ps[3].Comment = "FIN, to be sent again"
	ps[4].Interface = 1
	ps[5].OrigLen += 100
	names := map[netip.Addr]string{clientAddr.Addr(): "client", serverAddr.Addr(): "nginx", netip.MustParseAddr("2001:db8::1"): "six"}
	b := pcapng(t, ps, names)
	i := 0
	sum, err := ReadPackets(bytes.NewReader(b), func(p Packet) error {
		if !p.Time.Equal(ps[i].Time) || p.Comment != ps[i].Comment || p.Interface != ps[i].Interface || p.OrigLen != ps[i].OrigLen || !bytes.Equal(p.Data, ps[i].Data) {
			t.Errorf("packet %d: %+v, want %+v", i, p, ps[i])
		}
		i++
		return nil
	})
	if err != nil || i != len(ps) || fmt.Sprint(sum.Names) != fmt.Sprint(names) || len(sum.Interfaces) != 2 {
		t.Errorf("%d packets, %v, %+v", i, err, sum)
	}
	// gopacket reads it too.
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ps {
		data, ci, opts, err := r.ReadPacketDataWithOptions()
		if err != nil || !bytes.Equal(data, ps[i].Data) || !ci.Timestamp.Equal(ps[i].Time) {
			t.Fatalf("gopacket, packet %d: %v %v", i, ci, err)
		}
		if ps[i].Comment != "" && (len(opts.Comments) != 1 || opts.Comments[0] != ps[i].Comment) {
			t.Errorf("gopacket, comment %q", opts.Comments)
		}
	}
	if r.NNames() != 3 {
		t.Errorf("gopacket reads %d names", r.NNames())
	}
	cs, _ := explainBytes(t, b, Options{Names: map[netip.Addr]string{clientAddr.Addr(): "okhttp\x1b[31m"}})
	if cs[0].ClientName != "okhttp·[31m" || cs[0].ServerName != "nginx" || !strings.HasPrefix(cs[0].Text, "nginx closed the idle connection after 5.0 s (FIN, frame 8); okhttp·[31m acknowledged it (9)") {
		t.Errorf("%q %q %q", cs[0].ClientName, cs[0].ServerName, cs[0].Text)
	}
}

// TestLive follows a pipe: a frame is there as soon as its bytes are.
func TestLive(t *testing.T) {
	ps := build(staleScript())
	b := pcapFile(ps, binary.LittleEndian, magicMicros, 1)
	r, w := io.Pipe()
	frames := make(chan Frame)
	go Read(r, func(f Frame) error {
		f.Payload = nil
		frames <- f
		return nil
	})
	w.Write(b[:24])
	b = b[24:]
	for i := range ps {
		n := 16 + len(ps[i].Data)
		w.Write(b[:n])
		b = b[n:]
		select {
		case f := <-frames:
			if f.Number != i+1 {
				t.Fatalf("frame %d, want %d", f.Number, i+1)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("frame %d did not come", i+1)
		}
	}
	w.Close()
}

// TestLiveQuiet: the last connection of a live capture is told when its time has
// passed with no packet more, unless the writer holds the beginning of one back.
// Of a file it is told at its end.
func TestLiveQuiet(t *testing.T) {
	b := pcapFile(build(staleScript()), binary.LittleEndian, magicMicros, 1)
	other := pcapFile(build([]line{{60, 'c', "S", 0, 0, "", nil}}), binary.LittleEndian, magicMicros, 1)[24:]
	for _, tt := range []struct {
		live  bool
		more  []byte
		after time.Duration
	}{
		{true, nil, 5 * time.Second},
		{true, other[:20], time.Hour},
		{false, nil, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, w := io.Pipe()
			go func() {
				w.Write(slices.Concat(b, tt.more))
				time.Sleep(time.Hour)
				w.Close()
			}()
			began, told := time.Now(), 0
			if _, err := Explain(r, Options{Live: tt.live}, func(c Conversation) {
				if told++; c.Cause != CauseStaleIdle || time.Since(began) != tt.after {
					t.Errorf("after %v: %+v", time.Since(began), c)
				}
			}); err != nil || told != 1 {
				t.Error(err, told)
			}
		})
	}
}

// TestBadInput says where and why reading stopped, after explaining what it could.
func TestBadInput(t *testing.T) {
	ps := build(staleScript())
	whole := pcapFile(ps, binary.LittleEndian, magicMicros, 1)
	ng := pcapng(t, ps, nil)
	for name, tt := range map[string]struct {
		in      []byte
		frames  int
		stopped string
		err     string
	}{
		"empty":             {nil, 0, "", "empty input"},
		"one byte":          {[]byte{1}, 0, "", "shorter than the magic"},
		"text":              {[]byte("hello, world, this is no capture"), 0, "", "neither pcap nor pcapng"},
		"header only":       {whole[:24], 0, "", ""},
		"cut header":        {whole[:20], 0, "", "cut in the middle"},
		"cut record":        {whole[:len(whole)-3], len(ps) - 1, "cut in the middle of a record", ""},
		"cut record header": {whole[:24+16+54+5], 1, "at byte 94: the capture is cut", ""},
		"cut block":         {ng[:len(ng)-3], len(ps) - 1, "cut in the middle", ""},
		"4 GB record":       {append(bytes.Clone(whole), 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), len(ps), "4294967295 captured bytes", ""},
		"4 GB block":        {append(bytes.Clone(ng), 6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff), len(ps), "4294967292 bytes", ""},
		"zero-length block": {append(bytes.Clone(ng), 6, 0, 0, 0, 0, 0, 0, 0), len(ps), "length of 0", ""},
		"lying trailer":     {append(bytes.Clone(ng), 9, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0), len(ps), "ends with length 16", ""},
		"unknown interface": {append(bytes.Clone(ng), 6, 0, 0, 0, 32, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0), len(ps), "names interface 7", ""},
		"lying caplen":      {append(bytes.Clone(ng), 6, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 99, 0, 0, 0, 32, 0, 0, 0), len(ps), "claims 99 captured bytes", ""},
		"broken gzip":       {[]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, 0, "", "unexpected EOF"},
	} {
		n := 0
		sum, err := Explain(bytes.NewReader(tt.in), Options{}, func(Conversation) { n++ })
		if sum.Frames != tt.frames || !strings.Contains(sum.Stopped, tt.stopped) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %d frames, stopped %q, error %v", name, sum.Frames, sum.Stopped, err)
		}
		if tt.frames > 0 && n == 0 {
			t.Errorf("%s: nothing explained", name)
		}
	}
}
