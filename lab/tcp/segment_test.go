package tcp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func one(t *testing.T, ps []Packet) Conversation {
	t.Helper()
	cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
	if len(cs) != 1 {
		t.Fatalf("%d conversations: %+v", len(cs), cs)
	}
	return cs[0]
}

// verdict is what a degraded capture must not change.
func verdict(c Conversation) string {
	var kinds []ResetKind
	for _, r := range c.Resets {
		kinds = append(kinds, r.Kind)
	}
	return fmt.Sprintln(c.Client, c.Server, c.Cause, c.ClosedBy, c.ResetBy, c.During, c.Answer, c.Requests, c.Responses, c.Basis, kinds, c.LateReset)
}

// TestOtherDevice: from some frame on, the host's other device carries the
// connection, in one capture of all devices (Linux cooked v2).
func TestOtherDevice(t *testing.T) {
	for _, tt := range scripts {
		if slices.ContainsFunc(tt.script, func(l line) bool { return l.opt != nil }) {
			continue
		}
		ps := build(tt.script)
		want := one(t, ps).Cause
		for at := range ps {
			var moved []Packet
			for i, p := range ps {
				head := make([]byte, 20)
				head[0], head[1] = 0x08, 0x00
				head[7] = 2
				if i >= at {
					head[7] = 3
				}
				p.LinkType = linkSLL2
				p.OrigLen += 6
				p.Data = append(head, p.Data[14:]...)
				moved = append(moved, p)
			}
			cs, _ := explainBytes(t, pcapFile(moved, binary.LittleEndian, magicNanos, linkSLL2), Options{})
			if len(cs) != 1 {
				t.Fatalf("%s: %+v", tt.name, cs)
			}
			got := cs[0]
			if weak := slices.Contains([]Cause{CauseUnexplained, CauseHalfClosed, CauseOpen}, got.Cause); got.Cause != want && !weak {
				t.Errorf("%s, from frame %d on: %s: %s", tt.name, at+1, got.Cause, got.Text)
			}
		}
	}
}

// TestCopies shows every frame again: by the same tap within a microsecond (a
// mirror port), by another a little later (both ends of a path, or "any"), and
// by another with the segments joined otherwise (offload).
func TestCopies(t *testing.T) {
	for _, tt := range scripts {
		ps := build(tt.script)
		want := verdict(one(t, ps))
		var same, other, late, slow []Packet
		for _, p := range ps {
			if p.Data[14+20+13]&byte(RST) != 0 && p.Data[14+4] == 0 && p.Data[14+5] == 0 && len(same) == 0 {
				continue
			}
			q := p
			q.Time = q.Time.Add(time.Microsecond)
			same = append(same, p, q)
			r := p
			r.Time = r.Time.Add(50 * time.Microsecond) // less than any two segments of a script are apart
			slow = append(slow, p, r)
			q.Interface = 1
			q.Data = bytes.Clone(q.Data)
			q.Data[14+8]-- // one hop on
			other = append(other, p, q)
			q.Time = q.Time.Add(30 * time.Microsecond)
			late = append(late, p, q)
		}
		slices.SortStableFunc(late, func(a, b Packet) int { return a.Time.Compare(b.Time) })
		for name, ps := range map[string][]Packet{"one tap": same, "one tap, slow": slow, "two taps": other, "two taps, in flight": late} {
			if got := verdict(one(t, ps)); got != want {
				t.Errorf("%s, %s:\n%s%s", tt.name, name, got, want)
			}
		}
	}
}

func TestSegments(t *testing.T) {
	options := func(o ...byte) func(*wire) { return func(w *wire) { w.tcpOptions = o } }
	half := len(ok) / 2
	tests := []struct {
		name   string
		script []line
		cause  Cause
		counts [2]int
	}{
		{"retransmitted request", append(exchanged()[:4:4],
			append([]line{{0.21, 'C', "P.", 1, 1, get, nil}}, append(exchanged()[4:],
				line{3, 'C', "F.", cReq, sOK, "", nil}, line{3.1, 'S', "F.", sOK, cReq + 1, "", nil}, line{3.2, 'C', ".", cReq + 1, sOK + 1, "", nil})...)...),
			CauseClosed, [2]int{1, 1}},
		{"reordered response", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.003, 'S', "P.", 1 + uint32(half), cReq, ok[half:], nil},
			line{0.0031, 'S', ".", 1, cReq, ok[:half], nil},
			line{0.0032, 'C', ".", cReq, sOK, "", nil},
			line{3, 'C', "F.", cReq, sOK, "", nil}, line{3.1, 'S', "F.", sOK, cReq + 1, "", nil}, line{3.2, 'C', ".", cReq + 1, sOK + 1, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"FIN before the data it follows", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.0030, 'S', "F.", sOK, cReq, "", nil},
			line{0.0031, 'S', "P.", 1, cReq, ok, nil},
			line{0.0032, 'C', "F.", cReq, sOK + 1, "", nil},
			line{0.0033, 'S', ".", sOK + 1, cReq + 1, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"one byte at a time", func() []line {
			s := opened()
			for i := range len(get) {
				s = append(s, line{0.001 + float64(i)/1e5, 'C', "P.", 1 + uint32(i), 1, get[i : i+1], nil})
			}
			for i := range len(ok) {
				s = append(s, line{0.003 + float64(i)/1e5, 'S', "P.", 1 + uint32(i), cReq, ok[i : i+1], nil})
			}
			return append(s, line{3, 'S', "F.", sOK, cReq, "", nil}, line{3.1, 'C', ".", cReq, sOK + 1, "", nil},
				line{4, 'C', "P.", cReq, sOK + 1, get, nil}, line{4.1, 'S', "R", sOK + 1, 0, "", nil})
		}(), CauseStaleIdle, [2]int{2, 1}},
		{"pipelined", opened(
			line{0.001, 'C', "P.", 1, 1, get + get + get, nil},
			line{0.003, 'S', "P.", 1, 3*cReq - 2, ok + ok, nil},
			line{0.004, 'S', "FP.", 2*sOK - 1, 3*cReq - 2, longAns, nil},
			line{0.005, 'C', "F.", 3*cReq - 2, 2*sOK + uint32(len(longAns)), "", nil}),
			CauseTruncated, [2]int{3, 3}},
		{"HEAD has no body", opened(
			line{0.001, 'C', "P.", 1, 1, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", nil},
			line{0.003, 'S', "P.", 1, 29, longAns[:len(longAns)-10], nil},
			line{1, 'S', "F.", 1 + uint32(len(longAns)) - 10, 29, "", nil},
			line{1.1, 'C', "F.", 29, 2 + uint32(len(longAns)) - 10, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"chunked", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.003, 'S', "P.", 1, cReq, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", nil},
			line{0.004, 'S', "P.", 53, cReq, "llo\r\n0\r\n", nil},
			line{0.005, 'S', "P.", 61, cReq, "\r\n", nil},
			line{1, 'S', "F.", 63, cReq, "", nil},
			line{1.1, 'C', "F.", cReq, 64, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"no last chunk", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.003, 'S', "P.", 1, cReq, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", nil},
			line{1, 'S', "F.", 58, cReq, "", nil},
			line{1.1, 'C', "F.", cReq, 59, "", nil}),
			CauseTruncated, [2]int{1, 1}},
		{"until close", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.003, 'S', "P.", 1, cReq, "HTTP/1.0 200 OK\r\n\r\nhello", nil},
			line{1, 'S', "F.", 25, cReq, "", nil},
			line{1.1, 'C', "F.", cReq, 26, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"100 Continue", opened(
			line{0.001, 'C', "P.", 1, 1, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", nil},
			line{0.002, 'S', "P.", 1, 61, "HTTP/1.1 100 Continue\r\n\r\n", nil},
			line{0.003, 'C', "P.", 61, 26, "abc", nil},
			line{0.004, 'S', "P.", 26, 64, ok, nil},
			line{1, 'C', "F.", 64, 25 + sOK, "", nil},
			line{1.1, 'S', "F.", 25 + sOK, 65, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"upgraded", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.002, 'S', "P.", 1, cReq, "HTTP/1.1 101 Switching Protocols\r\n\r\n", nil},
			line{0.003, 'C', "P.", cReq, 37, "GET is no request here", nil},
			line{0.004, 'S', "P.", 37, cReq + 22, "nor is this an answer", nil},
			line{1, 'C', "F.", cReq + 22, 58, "", nil},
			line{1.1, 'S', "F.", 58, cReq + 23, "", nil}),
			CauseClosed, [2]int{1, 1}},
		{"zero window and its probes", opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.003, 'S', "P.", 1, cReq, longAns, nil},
			line{0.004, 'C', ".", cReq, 1 + uint32(len(longAns)), "", func(w *wire) { w.window = 0 }},
			line{0.2, 'S', ".", uint32(len(longAns)), cReq, "", nil},
			line{0.6, 'S', ".", uint32(len(longAns)), cReq, "", nil},
			line{0.601, 'C', ".", cReq, 1 + uint32(len(longAns)), "", func(w *wire) { w.window = 0 }},
			line{1.4, 'S', ".", uint32(len(longAns)), cReq, "", nil},
			line{1.5, 'S', "R.", 1 + uint32(len(longAns)), cReq, "", nil}),
			CauseAborted, [2]int{1, 1}},
		{"SACK, ECN, timestamps", []line{
			{0, 'C', "SEW", 0, 0, "", options(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0)},
			{0.0001, 'S', "S.E", 0, 1, "", options(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9)},
			{0.0002, 'C', ".", 1, 1, "", nil},
			{0.001, 'C', "P.", 1, 1, get, nil},
			{0.003, 'S', "P.", 1 + uint32(half), cReq, ok[half:], nil},
			{0.0031, 'C', ".", cReq, 1, "", options(1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2)},
			{0.2031, 'S', "P.", 1, cReq, ok[:half], nil},
			{0.2032, 'C', ".", cReq, sOK, "", nil},
			{3, 'S', "F.", sOK, cReq, "", nil}, {3.01, 'C', ".", cReq, sOK + 1, "", nil},
			{4, 'C', "P.W", cReq, sOK + 1, get, nil}, {4.1, 'S', "R", sOK + 1, 0, "", nil},
		}, CauseStaleIdle, [2]int{2, 1}},
		{"TFO: data in the SYN", []line{
			{0, 'C', "S", 0, 0, get, nil},
			{0.0001, 'S', "S.", 0, cReq, "", nil},
			{0.0002, 'C', ".", cReq, 1, "", nil},
			{0.003, 'S', "P.", 1, cReq, ok, nil},
			{1, 'C', "F.", cReq, sOK, "", nil}, {1.1, 'S', "F.", sOK, cReq + 1, "", nil},
		}, CauseClosed, [2]int{1, 1}},
		{"TFO refused", []line{
			{0, 'C', "S", 0, 0, get, nil},
			{0.0001, 'S', "R.", toSYN, cReq, "", nil},
		}, CauseRefused, [2]int{1, 0}},
		{"challenge ACK to the SYN of a reused port", []line{
			{0, 'C', "S", 0, 0, "", nil},
			{0.0001, 'S', ".", 9000, 12345, "", nil},
			{0.0002, 'C', "R", 12345, 0, "", nil},
			{1, 'C', "S", 0, 0, "", nil},
			{1.0001, 'S', "S.", 0, 1, "", nil},
			{1.0002, 'C', ".", 1, 1, "", nil},
		}, CauseOpen, [2]int{0, 0}},
		{"simultaneous open", []line{
			{0, 'C', "S", 0, 0, "", nil},
			{0.00001, 'S', "S", 0, 0, "", nil},
			{0.0001, 'C', "S.", 0, 1, "", nil},
			{0.0001, 'S', "S.", 0, 1, "", nil},
			{0.001, 'C', "P.", 1, 1, get, nil},
			{0.003, 'S', "P.", 1, cReq, ok, nil},
			{1, 'C', "F.", cReq, sOK, "", nil}, {1.1, 'S', "F.", sOK, cReq + 1, "", nil},
		}, CauseClosed, [2]int{1, 1}},
		{"begins in mid-connection", append(exchanged()[3:],
			line{3, 'S', "F.", sOK, cReq, "", nil}, line{3.01, 'C', ".", cReq, sOK + 1, "", nil},
			line{4, 'C', "P.", cReq, sOK + 1, get, nil}, line{4.1, 'S', "R", sOK + 1, 0, "", nil}),
			CauseStaleIdle, [2]int{2, 1}},
		{"begins after the FIN", []line{
			{4, 'C', "P.", cReq, sOK + 1, get, nil}, {4.1, 'S', "R", sOK + 1, 0, "", nil},
		}, CauseUnexplained, [2]int{1, 0}},
		{"one direction", func() []line {
			var s []line
			for _, l := range exchanged(line{3, 'S', "F.", sOK, cReq, "", nil}, line{4.1, 'S', "R", sOK + 1, 0, "", nil}) {
				if l.from == 'S' {
					s = append(s, l)
				}
			}
			return s
		}(), CauseUnexplained, [2]int{0, 1}},
		{"TLS, closed with close_notify and a late RST", opened(
			line{0.001, 'C', "P.", 1, 1, "\x16\x03\x01\x00\x05hello", nil},
			line{0.002, 'S', "P.", 1, 11, "\x16\x03\x03\x00\x05hello", nil},
			line{0.003, 'C', "P.", 11, 11, "\x17\x03\x03\x00\x64" + string(make([]byte, 100)), nil},
			line{0.004, 'S', "P.", 11, 116, "\x17\x03\x03\x00\x64" + string(make([]byte, 100)) + "\x17\x03\x03\x02\x53" + string(make([]byte, 595)), nil},
			line{5, 'S', "FP.", 716, 116, "\x17\x03\x03\x00\x13" + string(make([]byte, 19)), nil},
			line{5.01, 'C', ".", 116, 741, "", nil},
			line{6, 'C', "P.", 116, 741, "\x17\x03\x03\x00\x13" + string(make([]byte, 19)), nil},
			line{6.01, 'S', "R", 741, 0, "", nil}),
			CauseClosed, [2]int{0, 0}},
		{"TLS, stale-idle", opened(
			line{0.001, 'C', "P.", 1, 1, "\x16\x03\x01\x00\x05hello", nil},
			line{0.002, 'S', "P.", 1, 11, "\x16\x03\x03\x00\x05hello", nil},
			line{0.003, 'C', "P.", 11, 11, "\x17\x03\x03\x00\x64" + string(make([]byte, 100)), nil},
			line{0.004, 'S', "P.", 11, 116, "\x17\x03\x03\x00\x64" + string(make([]byte, 100)) + "\x17\x03\x03\x00\x78" + string(make([]byte, 120)), nil},
			line{5, 'S', "F.", 241, 116, "", nil},
			line{5.01, 'C', ".", 116, 242, "", nil},
			line{6, 'C', "P.", 116, 242, "\x17\x03\x03\x00\x64" + string(make([]byte, 100)), nil},
			line{6.001, 'S', "R", 242, 0, "", nil}),
			CauseStaleIdle, [2]int{0, 0}},
		{"a client closes TLS, the server says goodbye to nobody", opened(
			line{0.001, 'C', "P.", 1, 1, "\x16\x03\x01\x00\x05hello", nil},
			line{0.002, 'S', "P.", 1, 11, "\x16\x03\x03\x00\x64" + strings.Repeat("x", 100), nil},
			line{5, 'C', "F.", 11, 106, "", nil},
			line{5.01, 'S', "P.", 106, 12, "\x15\x03\x03\x00\x02\x01\x00", nil},
			line{5.02, 'C', "R", 11, 0, "", nil},
			line{5.021, 'S', "F.", 113, 12, "", nil},
			line{5.022, 'C', "R", 11, 0, "", nil}),
			CauseClosed, [2]int{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := one(t, build(tt.script))
			t.Log(c.Text)
			if c.Cause != tt.cause || c.Requests != tt.counts[0] || c.Responses != tt.counts[1] {
				t.Errorf("%s, %d requests, %d responses; want %s, %v", c.Cause, c.Requests, c.Responses, tt.cause, tt.counts)
			}
			if c.Client != clientAddr && tt.name != "begins after the FIN" {
				t.Errorf("client %v", c.Client)
			}
		})
	}
}

// TestNoCopy: what comes again after a time-out was sent again, though nothing in
// it is new: neither IP ID nor time stamp.
func TestNoCopy(t *testing.T) {
	same := func(w *wire) { w.ipID = 0 }
	c := one(t, build([]line{{0, 'C', "S", 0, 0, "", same}, {1, 'C', "S", 0, 0, "", same}, {3, 'C', "S", 0, 0, "", same}}))
	if c.Cause != CauseUnanswered {
		t.Error(c.Text)
	}
}

// TestPortReuse tells two connections on the same ports apart.
func TestPortReuse(t *testing.T) {
	first := exchanged(line{1, 'C', "F.", cReq, sOK, "", nil}, line{1.1, 'S', "F.", sOK, cReq + 1, "", nil}, line{1.2, 'C', ".", cReq + 1, sOK + 1, "", nil})
	for _, l := range exchanged(line{1, 'S', "R.", sOK, cReq, "", nil}) {
		l.at += 2
		l.opt = func(w *wire) { w.clientISN = 77777 }
		first = append(first, l)
	}
	cs := explain(t, first)
	if len(cs) != 2 || cs[0].Cause != CauseClosed || cs[1].Cause != CauseAborted || cs[1].Requests != 1 {
		t.Errorf("%+v", cs)
	}
}

// TestStragglers: what comes long after the end is no conversation of its own.
func TestStragglers(t *testing.T) {
	s := slices.Clone(staleScript())
	for _, at := range []float64{12, 30, 100} {
		s = append(s, line{at, 'S', "F.", sOK, cReq, "", nil}, line{at + 0.001, 'C', "R", cReq, 0, "", nil})
	}
	if cs := explain(t, s); len(cs) != 1 || cs[0].Cause != CauseStaleIdle {
		t.Errorf("%+v", cs)
	}
}

// TestManyFlows decides the flows idle for longest early, and says so.
// TestPast: connections whose hashes meet are all known, but for the oldest of too many.
func TestPast(t *testing.T) {
	var p past
	for i := range int64(5) {
		f := &flow{start: i + 1}
		p.remember(uint64(i)*pastSlots+7, f)
	}
	for i := range int64(5) {
		if known := p.straggler(uint64(i)*pastSlots+7, &segment{flags: ACK, time: 10}); known != (i > 0) {
			t.Errorf("%d: %v", i, known)
		}
	}
}

func TestManyFlows(t *testing.T) {
	var ps []Packet
	for i := range 300 {
		for _, l := range opened() {
			l.at += float64(i)
			l.opt = func(w *wire) {
				a := netip.AddrPortFrom(clientAddr.Addr(), uint16(10000+i))
				if w.src == clientAddr {
					w.src = a
				} else {
					w.dst = a
				}
			}
			ps = append(ps, build([]line{l})...)
		}
	}
	cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{MaxFlows: 100})
	early := 0
	for i, c := range cs {
		if c.DecidedEarly {
			early++
			if c.Cause != CauseOpen || c.CaptureEnded {
				t.Errorf("%d: %+v", i, c)
			}
		}
	}
	if len(cs) != 300 || early != 200 {
		t.Errorf("%d conversations, %d early", len(cs), early)
	}
}

// dribble hands out a stream in pieces of random size.
type dribble struct {
	r *rand.Rand
	b []byte
}

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.b[:min(len(d.b), 1+d.r.IntN(300))])
	d.b = d.b[n:]
	return n, nil
}

// TestSame: the verdicts do not depend on how the stream comes in pieces, nor
// on other flows between.
func TestSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := readPackets(t, kernel)
	for _, tt := range scripts {
		ps := build(tt.script)
		want := one(t, ps)
		for range 3 {
			var got []Conversation
			if _, err := Explain(&dribble{r, pcapng(t, ps, nil)}, Options{}, func(c Conversation) { got = append(got, c) }); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
				t.Fatalf("%s, in pieces:\n%+v\n%+v", tt.name, got, want)
			}
			split := r.IntN(len(ps) + 1)
			joined := append(pcapng(t, ps[:split], nil), pcapng(t, ps[split:], nil)...)
			got, _ = explainBytes(t, joined, Options{})
			if len(got) != 1 || verdict(got[0]) != verdict(want) {
				t.Fatalf("%s, split after %d:\n%+v\n%+v", tt.name, split, got, want)
			}
		}
		var mixed []Packet
		i := 0
		for _, n := range noise {
			for i < len(ps) && r.IntN(20) == 0 {
				mixed = append(mixed, ps[i])
				i++
			}
			n.Time = epoch
			if i > 0 {
				n.Time = ps[i-1].Time
			}
			mixed = append(mixed, n)
		}
		mixed = append(mixed, ps[i:]...)
		cs, _ := explainBytes(t, pcapng(t, mixed, nil), Options{})
		found := false
		for _, c := range cs {
			if c.Client == want.Client && c.Server == want.Server {
				found = true
				if verdict(c) != verdict(want) {
					t.Errorf("%s, among others:\n%s%s", tt.name, verdict(c), verdict(want))
				}
			}
		}
		if !found && len(ps) > 0 {
			t.Errorf("%s, among others: not found", tt.name)
		}
	}
}

// TestLoneSYN: silence alone does not say what became of an attempt.
func TestLoneSYN(t *testing.T) {
	cs := explain(t, []line{{0, 'C', "S", 0, 0, "", nil}, {60, 'c', "S", 0, 0, "", nil}})
	if len(cs) != 2 || cs[0].Cause != CauseUnexplained || cs[1].Cause != CauseUnexplained || cs[0].Text == cs[1].Text {
		t.Errorf("%+v", cs)
	}
	t.Log(cs[0].Text)
}

// TestHushed: what is neither acknowledged nor sent again, though the capture goes
// on, was answered by what it lacks.
func TestHushed(t *testing.T) {
	later := func(at float64) line { return line{at, 'c', "S", 0, 0, "", nil} }
	for _, tt := range []struct {
		name   string
		script []line
		want   Cause
	}{
		{"data, and the capture ends", exchanged(line{1, 'C', "P.", cReq, sOK, get, nil}, later(2)), CauseOpen},
		{"data", exchanged(line{1, 'C', "P.", cReq, sOK, get, nil}, later(9)), CauseUnexplained},
		{"FIN, and the capture ends", exchanged(line{1, 'S', "F.", sOK, cReq, "", nil}, later(2)), CauseHalfClosed},
		{"FIN", exchanged(line{1, 'S', "F.", sOK, cReq, "", nil}, later(9)), CauseUnexplained},
		{"FIN that is acknowledged", exchanged(line{1, 'S', "F.", sOK, cReq, "", nil}, line{1.04, 'C', ".", cReq, sOK + 1, "", nil}, later(9)), CauseHalfClosed},
		{"probe, and the capture ends", exchanged(line{10, 'C', ".", cReq - 1, sOK, "", nil}, later(11)), CauseOpen},
		{"probe", exchanged(line{10, 'C', ".", cReq - 1, sOK, "", nil}, later(19)), CauseUnexplained},
		{"probe that is answered", exchanged(line{10, 'C', ".", cReq - 1, sOK, "", nil}, line{10.1, 'S', ".", sOK, cReq, "", nil}, later(19)), CauseOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cs := explain(t, tt.script)
			if cs[0].Cause != tt.want {
				t.Errorf("%s, want %s: %s", cs[0].Cause, tt.want, cs[0].Text)
			}
		})
	}
}

// TestGroupClients: one story of many clients is one paragraph.
func TestGroupClients(t *testing.T) {
	var g Groups
	for i := range 3000 {
		c := one(t, build(staleScript()))
		c.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 40000)
		if i > 2 {
			c.Segments = nil
		}
		g.Add(c)
		if i == 1 && g.List()[0].Clients != 2 {
			t.Error(g.List()[0].Clients)
		}
	}
	list := g.List()
	if len(list) != 1 || list[0].Count != 3000 || list[0].Clients != MaxClients || list[0].Client.IsValid() || !strings.Contains(list[0].Text, "First: 10.1.0.0:40000") {
		t.Errorf("%+v", list)
	}
}
