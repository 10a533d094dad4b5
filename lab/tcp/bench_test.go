package tcp

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// generate writes a pcap of kept HTTP connections to a few servers: so many
// conversations of 40 packets on average, interleaved over some minutes, a few
// of each hundred with a stale ending. A million packets have 180 MB.
func generate(w io.Writer, conversations int) error {
	type event struct {
		at   int64
		flow int32
		n    int32
	}
	r := rand.New(rand.NewPCG(1, 1))
	var events []event
	exchanges := make([]int32, conversations)
	for i := range conversations {
		at := r.Int64N(int64(10 * time.Minute))
		exchanges[i] = int32(4 + r.IntN(9))
		for n := range 4*exchanges[i] + 8 {
			step := int64(100 * time.Microsecond)
			if n > 3 && n%4 == 3 {
				step = r.Int64N(int64(2 * time.Second))
			}
			if at += step; n == 4*exchanges[i]+3 {
				at += int64(5 * time.Second)
			}
			events = append(events, event{at, int32(i), n})
		}
	}
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.flow, b.flow), cmp.Compare(a.n, b.n))
	})
	request := "GET /api/v1/items/1234?expand=all HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: okhttp/3.13.1\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\n"
	response := "HTTP/1.1 200 OK\r\nServer: nginx/1.26.3\r\nDate: Mon, 02 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 150\r\nConnection: keep-alive\r\n\r\n" + strings.Repeat("x", 150)
	head := pcapFile(nil, binary.LittleEndian, magicNanos, linkEthernet)
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, e := range events {
		c := wire{ttl: 64, window: 502, stamp: uint32(e.at/1e6) + 1, ipID: uint16(e.n),
			src: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(e.flow >> 14), 7}), uint16(32768+e.flow%16384)),
			dst: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 9, byte(e.flow % 5)}), 80)}
		s := c
		s.src, s.dst = c.dst, c.src
		x, q, a := exchanges[e.flow], uint32(len(request)), uint32(len(response))
		var b []byte
		done := func(k int32) (uint32, uint32) { return 1 + uint32(k)*q, 1 + uint32(k)*a }
		k := (e.n - 3) / 4
		cs, ss := done(min(max(k, 0), x))
		stale := e.flow%50 == 0
		switch {
		case e.n == 0:
			b = packet(c, SYN, 0, 0, "")
		case e.n == 1:
			b = packet(s, SYN|ACK, 0, 1, "")
		case e.n == 2:
			b = packet(c, ACK, 1, 1, "")
		case e.n < 4*x+3:
			switch (e.n - 3) % 4 {
			case 0:
				b = packet(c, PSH|ACK, cs, ss, request)
			case 1:
				b = packet(s, ACK, ss, cs+q, "")
			case 2:
				b = packet(s, PSH|ACK, ss, cs+q, response)
			case 3:
				b = packet(c, ACK, cs+q, ss+a, "")
			}
		case e.n == 4*x+3:
			b = packet(s, FIN|ACK, ss, cs, "")
		case e.n == 4*x+4:
			b = packet(c, ACK, cs, ss+1, "")
		case e.n == 4*x+5 && stale:
			b = packet(c, PSH|ACK, cs, ss+1, request)
		case e.n == 4*x+6 && stale:
			s.ipID, s.stamp = 0, 0
			b = packet(s, RST, ss+1, 0, "")
		case e.n == 4*x+5:
			b = packet(c, FIN|ACK, cs, ss+1, "")
		case e.n == 4*x+6:
			b = packet(s, ACK, ss+1, cs+1, "")
		default:
			continue
		}
		t := epoch.UnixNano() + e.at
		var h [16]byte
		binary.LittleEndian.PutUint32(h[0:], uint32(t/1e9))
		binary.LittleEndian.PutUint32(h[4:], uint32(t%1e9))
		binary.LittleEndian.PutUint32(h[8:], uint32(len(b)))
		binary.LittleEndian.PutUint32(h[12:], uint32(len(b)))
		if _, err := w.Write(append(h[:], b...)); err != nil {
			return err
		}
	}
	return nil
}

// generated is the benchmark's file, made once, in the checkout's out/.
func generated(b *testing.B) string {
	b.Helper()
	root, err := os.Getwd()
	if err != nil {
		b.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			b.Fatal("no go.mod above")
		}
		root = filepath.Dir(root)
	}
	out := filepath.Join(root, "out")
	name := filepath.Join(out, "bench-1.pcap")
	if _, err := os.Stat(name); err == nil {
		return name
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		b.Fatal(err)
	}
	f, err := os.CreateTemp(out, "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriterSize(f, 1<<20)
	err = cmp.Or(generate(w, 25000), w.Flush(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		b.Fatal(err)
	}
	return name
}

// BenchmarkCapture compares the whole explanation of one file with a bare pass
// of gopacket that only finds each packet's flow, and with the tools that
// people use: all in turn, round by round, so that what else the machine does
// meets them alike. It reports the median of the rounds: how many times as long as
// the explanation each takes, and the same for the time on all cores together
// (-cpu), which counts where there is one core, or the others are busy.
func BenchmarkCapture(b *testing.B) {
	name := generated(b)
	open := func() *os.File {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
	type pass struct {
		name      string
		warm      bool // it runs in this process, whose caches what ran before it has filled
		run       func()
		wall, cpu []float64 // seconds of each round
	}
	passes := []*pass{{name: "explain", warm: true, run: func() {
		f := open()
		defer f.Close()
		n := map[Cause]int{}
		sum, err := Explain(f, Options{}, func(c Conversation) { n[c.Cause]++ })
		if err != nil || n[CauseStaleIdle] != 500 || n[CauseClosed] != 24500 {
			b.Fatal(sum, err, n)
		}
	}}, {name: "gopacket", warm: true, run: func() {
		f := open()
		defer f.Close()
		r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 1<<18))
		if err != nil {
			b.Fatal(err)
		}
		var eth layers.Ethernet
		var ip layers.IPv4
		var tcp layers.TCP
		var payload gopacket.Payload
		p := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &ip, &tcp, &payload)
		p.IgnoreUnsupported = true
		type key struct{ net, transport gopacket.Flow }
		flows := map[key]int{}
		var decoded []gopacket.LayerType
		for {
			data, _, err := r.ZeroCopyReadPacketData()
			if err == io.EOF {
				break
			}
			if err := p.DecodeLayers(data, &decoded); err != nil {
				b.Fatal(err)
			}
			flows[key{ip.NetworkFlow(), tcp.TransportFlow()}]++
		}
		if len(flows) != 50000 {
			b.Fatal(len(flows))
		}
	}}}
	for _, tool := range [][]string{{"tcptrace", name}, {"tshark", "-r", name, "-q", "-z", "conv,tcp"}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			b.Logf("%v: left out; Debian has it as a package", err)
			continue
		}
		passes = append(passes, &pass{name: tool[0], run: func() {
			if err := exec.Command(tool[0], tool[1:]...).Run(); err != nil {
				b.Fatal(err)
			}
		}})
	}
	for b.Loop() {
		for _, p := range passes {
			if p.warm { // as after the first of many files: a tool of its own is a process anew each time
				p.run()
			}
			runtime.GC() // each pays for its own
			cpu, began := cpuTime(), time.Now()
			p.run()
			p.wall = append(p.wall, time.Since(began).Seconds())
			p.cpu = append(p.cpu, (cpuTime() - cpu).Seconds())
		}
	}
	median := func(of func(round int) float64) float64 {
		var all []float64
		for i := range passes[0].wall {
			all = append(all, of(i))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	explain := passes[0]
	b.ReportMetric(median(func(i int) float64 { return explain.wall[i] * 1e3 }), "explain-ms")
	b.ReportMetric(median(func(i int) float64 { return explain.cpu[i] * 1e3 }), "explain-cpu-ms")
	for _, p := range passes[1:] {
		b.ReportMetric(median(func(i int) float64 { return p.wall[i] / explain.wall[i] }), p.name+"/explain")
		b.ReportMetric(median(func(i int) float64 { return p.cpu[i] / explain.cpu[i] }), p.name+"/explain-cpu")
	}
}

// cpuTime is what this process and those it waited for have used on all cores.
func cpuTime() time.Duration {
	sum := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// BenchmarkFlows holds many connections open at once.
func BenchmarkFlows(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(perFlow(1_000_000), "B/flow")
	}
}

// perFlow is the memory that each of n open flows takes.
func perFlow(n int) float64 {
	var sum Summary
	x := newExplainer(Options{MaxFlows: n}, &sum, func(Conversation) {})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	request := []byte(get)
	for i := range n {
		s := segment{number: 4*i + 1, time: int64(i), flags: SYN, ttl: 64, src: endpoint{lo: uint64(i), port: 40000}, dst: endpoint{lo: 1 << 40, port: 80}}
		s.prepare(x.seed)
		x.take(&s)
		s.src, s.dst = s.dst, s.src
		s.number, s.flags, s.ack = 4*i+2, SYN|ACK, 1
		s.prepare(x.seed)
		x.take(&s)
		s.src, s.dst = s.dst, s.src
		s.number, s.flags, s.seq, s.ack = 4*i+3, PSH|ACK, 1, 1
		s.payload, s.length = request, int32(len(request))
		s.prepare(x.seed)
		x.take(&s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(x)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

func TestFlowSize(t *testing.T) {
	if size := unsafe.Sizeof(flow{}); size > 390 {
		t.Errorf("a flow takes %d bytes", size)
	}
	if per := perFlow(200_000); per > 400 {
		t.Errorf("%.0f bytes a flow", per)
	}
}
