package tcp

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// kept makes n connections to one server that closes them after the given idle
// time; each fifth is used again too late.
func keptConnections(n int, idle float64) []Packet {
	var ps []Packet
	for i := range n {
		jitter := float64(i%7-3) * 0.003
		script := exchanged(
			line{0.5 + float64(i%5)*0.1, 'C', "P.", cReq, sOK, get, nil},
			line{1, 'S', "P.", sOK, 2*cReq - 1, ok, nil},
			line{1 + idle + jitter, 'S', "F.", 2*sOK - 1, 2*cReq - 1, "", nil},
			line{1.04 + idle + jitter, 'C', ".", 2*cReq - 1, 2 * sOK, "", nil})
		if i%5 == 0 {
			script = append(script, line{2 + idle + float64(i), 'C', "P.", 2*cReq - 1, 2 * sOK, get, nil}, line{2.001 + idle + float64(i), 'S', "R", 2 * sOK, 0, "", nil})
		} else {
			script = append(script, line{2 + idle, 'C', "F.", 2*cReq - 1, 2 * sOK, "", nil}, line{2.001 + idle, 'S', ".", 2 * sOK, 2 * cReq, "", nil})
		}
		for j := range script {
			script[j].opt = func(w *wire) {
				a := netip.AddrPortFrom(clientAddr.Addr(), uint16(20000+i))
				if w.src == clientAddr {
					w.src, w.ttl = a, 64
				} else {
					w.dst, w.ttl = a, 60
				}
			}
		}
		for _, p := range build(script) {
			p.Time = p.Time.Add(time.Duration(i) * time.Minute)
			ps = append(ps, p)
		}
	}
	return ps
}

func TestGroupsAndTimeouts(t *testing.T) {
	cs, sum := explainBytes(t, pcapng(t, keptConnections(50, 60), map[netip.Addr]string{serverAddr.Addr(): "nginx"}), Options{})
	if !strings.HasPrefix(sum.SeenFrom, "the client's side (10.0.0.1)") {
		t.Errorf("seen from %q", sum.SeenFrom)
	}
	var g Groups
	var idle Timeouts
	for _, c := range cs {
		g.Add(c)
		idle.Add(c)
	}
	list := g.List()
	if len(list) != 2 || list[0].Cause != CauseStaleIdle || list[0].Count != 10 || list[1].Cause != CauseClosed || list[1].Count != 40 {
		t.Fatalf("%+v", list)
	}
	t.Log(list[0].Text)
	for _, want := range []string{"the server closed after 60.0 s idle (59.99 to 60.01, 10 samples); 10 requests came 1.0 to 46.0 s after that and were answered with RST. First: port 20000, frames "} {
		if !strings.Contains(list[0].Text, want) {
			t.Errorf("no %q in %q", want, list[0].Text)
		}
	}
	ts := idle.List()
	if len(ts) != 1 || !ts[0].Sharp || ts[0].By != Server || ts[0].Late != 10 || ts[0].Idle.N != 50 || ts[0].Seconds < 59.9 || ts[0].Seconds > 60.1 {
		t.Fatalf("%+v", ts)
	}
	if want := "nginx (10.0.0.2:80): idle connections are closed by it after 60.0 s (59.99 to 60.01 s, 50 samples); 10 requests came too late."; ts[0].Text != want {
		t.Errorf("%q, want %q", ts[0].Text, want)
	}
	idle = Timeouts{}
	idle.Add(cs[0])
	if ts := idle.List(); len(ts) != 1 || ts[0].Text != "" {
		t.Errorf("one sample: %+v", ts)
	}
	c := explain(t, staleScript())[0]
	if rst := c.Resets[len(c.Resets)-1]; c.End.Sub(c.Start) != 6006100*time.Microsecond {
		t.Errorf("ends %v after it began; the RST is frame %d", c.End.Sub(c.Start), rst.Frame)
	}
}

// TestDoubts: what is not explained for the same reason is one group, and says which.
func TestDoubts(t *testing.T) {
	hello, flight := "\x16\x03\x01\x00\x80"+strings.Repeat("x", 128), "\x16\x03\x03\x00\x80"+strings.Repeat("x", 128)
	owed := func(rests float64) []line {
		return opened(
			line{0.001, 'C', "P.", 1, 1, hello, nil}, line{0.002, 'S', "P.", 1, 134, flight, nil},
			line{0.003, 'C', "P.", 134, 134, "\x17\x03\x03\x00\x78" + strings.Repeat("x", 120), nil},
			line{0.003 + rests, 'C', "F.", 259, 134, "", nil}, line{0.004 + rests, 'S', "F.", 134, 260, "", nil})
	}
	oneWay := []line{{0, 'C', "S", 0, 0, "", nil}, {0.1, 'C', ".", 1, 1, "", nil}, {0.2, 'C', "P.", 1, 1, get, nil}, {1, 'C', "F.", cReq, 1, "", nil}}
	var g Groups
	for _, script := range [][]line{owed(0.95), owed(1), owed(1.05), oneWay, oneWay} {
		g.Add(explain(t, script)[0])
	}
	var got []string
	for _, v := range g.List() {
		got = append(got, v.Text)
	}
	want := []string{
		"the client closed after 1.0 s without data (0.95 to 1.05, 3 samples), 3 times: whether an answer was owed is not to be seen: the protocol is not read. First: port 40000, frames 7, 8.",
		"the client closed after 800 ms without data (2 samples), 2 times: the capture holds one direction only. First: port 40000, frames 4.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for want, rest := range map[string]float64{
		"the client closed right after the last data, 3 times: whether an answer was owed is not to be seen": 0.03,
		"the client closed first, 3 times: whether an answer was owed is not to be seen":                     0.15,
	} {
		var g Groups
		g.Add(explain(t, owed(0.01))[0])
		g.Add(explain(t, owed(0.02))[0])
		g.Add(explain(t, owed(rest))[0])
		if text := g.List()[0].Text; !strings.HasPrefix(text, want) {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestSpread(t *testing.T) {
	for want, values := range map[string][]float64{
		"no samples":                            nil,
		"5.0 s":                                 {5.001},
		"0.2 ms":                                {0.0002},
		"5.0 s (3 samples)":                     {5, 5, 5},
		"60.0 s (59.98 to 60.02 s, 3 samples)":  {59.98, 60, 60.02},
		"12 ms (3.0 to 14.2 ms, 3 samples)":     {0.003, 0.012, 0.0142},
		"2.0 s (0.1 to 14.2 s, 3 samples)":      {0.1, 2, 14.2},
		"200 s (100 to 301 s, 3 samples)":       {100, 200, 301},
		"0.05 ms (0.04 to 0.06 ms, 3 samples)":  {0.00004, 0.00005, 0.00006},
		"1.0 s (0.99 to 1.01 s, 3 samples)":     {0.99, 1, 1.01},
		"59.96 s (59.95 to 59.97 s, 3 samples)": {59.953, 59.96, 59.97},
		"800 ms (700 to 900 ms, 3 samples)":     {0.7, 0.8, 0.9},
	} {
		var s Spread
		for _, v := range values {
			s.add(v)
		}
		if s.String() != want {
			t.Errorf("%q, want %q", s, want)
		}
	}
}

func TestAnnotate(t *testing.T) {
	in := pcapng(t, build(staleScript()), map[netip.Addr]string{serverAddr.Addr(): "nginx"})
	cs, _ := explainBytes(t, in, Options{})
	var out bytes.Buffer
	if _, err := Annotate(&out, bytes.NewReader(in), Comments(cs[0]), nil); err != nil {
		t.Fatal(err)
	}
	again, sum := explainBytes(t, out.Bytes(), Options{})
	if verdict(again[0]) != verdict(cs[0]) || sum.Names[serverAddr.Addr()] != "nginx" {
		t.Errorf("%+v", again)
	}
	comments := map[int]string{}
	n := 0
	ReadPackets(bytes.NewReader(out.Bytes()), func(p Packet) error {
		n++
		if p.Comment != "" {
			comments[n] = p.Comment
		}
		return nil
	})
	if len(comments) != 4 || !strings.HasPrefix(comments[8], "stale-idle (1 of 4): nginx closed") || !strings.HasPrefix(comments[11], "RST to-data-after-close, from server\nstale-idle (4 of 4)") {
		t.Errorf("%v", comments)
	}
}

// TestAnnotateAgain: an annotated capture that is annotated again has each comment
// once, and others' stay.
func TestAnnotateAgain(t *testing.T) {
	in := pcapng(t, build(staleScript()), nil)
	cs, _ := explainBytes(t, in, Options{})
	annotate := func(in []byte, comments map[int]string) []byte {
		var out bytes.Buffer
		if _, err := Annotate(&out, bytes.NewReader(in), comments, nil); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	const note = "look here\n(1 of 2): not the lab's\nRST storm, from 10:00 on"
	marked := annotate(in, map[int]string{1: note, 11: note})
	once := annotate(marked, Comments(cs[0]))
	if twice := annotate(once, Comments(cs[0])); !bytes.Equal(once, twice) {
		t.Error("the second time differs")
	}
	if bytes.Count(once, []byte(note)) != 2 || bytes.Count(once, []byte("stale-idle (4 of 4)")) != 1 {
		t.Errorf("%q", once)
	}
	if other := annotate(once, nil); !bytes.Equal(other, marked) {
		t.Error("without comments the lab's own are still there")
	}
}

// TestRedact: nothing secret is left, and the explanation stays or gets weaker.
func TestRedact(t *testing.T) {
	kept := 0
	for _, tt := range scripts {
		in := pcapng(t, build(tt.script), map[netip.Addr]string{serverAddr.Addr(): "secret-name"})
		var out bytes.Buffer
		if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"/test", "hello", "secret", "Host", string(serverAddr.Addr().AsSlice()) + string(clientAddr.Addr().AsSlice())} {
			if bytes.Contains(out.Bytes(), []byte(secret)) {
				t.Errorf("%s: %q is still there", tt.name, secret)
			}
		}
		cs, _ := explainBytes(t, out.Bytes(), Options{})
		if len(cs) != 1 || !cs[0].Cause.Weaker(tt.cause) {
			t.Errorf("%s: %+v", tt.name, cs)
		}
		if cs[0].Cause == tt.cause {
			kept++
		}
	}
	if kept < len(scripts)-2 {
		t.Errorf("%d of %d causes survive", kept, len(scripts))
	}
}

// TestRedactHTTP2: the same of talks in HTTP/2, of which only the names of requests are lost.
func TestRedactHTTP2(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 2))
	for range 500 {
		lines, _, end, cause := talkAtRandom(r, newTalkOverHTTP2())
		in := pcapng(t, build(lines), nil)
		var out bytes.Buffer
		if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(out.Bytes(), bytes.Repeat([]byte{0xff}, 10)) {
			t.Fatalf("%s: DATA is still there", end)
		}
		whole, _ := explainBytes(t, in, Options{})
		shared, _ := explainBytes(t, out.Bytes(), Options{})
		if len(shared) != 1 || shared[0].Cause != cause || shared[0].During != whole[0].During || shared[0].Answer != whole[0].Answer {
			t.Fatalf("%s: %s %s\n%s", end, shared[0].Cause, shared[0].Text, whole[0].Text)
		}
	}
}

// TestRedactHTTP2Kernel: the same of real connections. That an answer is whole by its
// Content-Length is not to be seen any more.
func TestRedactHTTP2Kernel(t *testing.T) {
	in := pcapng(t, readPackets(t, "testdata/http2.pcap.gz"), nil)
	var out bytes.Buffer
	if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	whole, _ := explainBytes(t, in, Options{})
	shared, _ := explainBytes(t, out.Bytes(), Options{})
	kept := 0
	for i, c := range shared {
		if want := whole[i]; c.Cause == want.Cause {
			kept++
		} else if c.Cause != CauseUnexplained || !strings.Contains(c.Text, "lacks the fields") || want.Cause != CauseClosed {
			t.Errorf("%s, but %s: %s\n%s", c.Cause, want.Cause, c.Text, want.Text)
		}
	}
	if len(shared) != len(whole) || kept < len(whole)-2 {
		t.Errorf("%d of %d causes survive", kept, len(whole))
	}
}

// TestRedactLinks: whatever a packet is wrapped in, what is shared of it is
// explained as it is itself.
func TestRedactLinks(t *testing.T) {
	v6 := func(l line) line {
		l.opt = func(w *wire) {
			w.src = netip.AddrPortFrom(netip.AddrFrom16(as6(w.src)), w.src.Port())
			w.dst = netip.AddrPortFrom(netip.AddrFrom16(as6(w.dst)), w.dst.Port())
		}
		return l
	}
	wrap := func(ps []Packet, head ...byte) []Packet {
		for i := range ps {
			ps[i].Data = append(slices.Clone(head), ps[i].Data[14:]...)
			ps[i].OrigLen += len(head) - 14
		}
		return ps
	}
	for _, tt := range scripts {
		if slices.ContainsFunc(tt.script, func(l line) bool { return l.opt != nil }) {
			continue
		}
		build6 := func() []Packet {
			script := slices.Clone(tt.script)
			for i := range script {
				script[i] = v6(script[i])
			}
			return build(script)
		}
		for name, in := range map[string][]byte{
			"VLAN":           pcapng(t, wrap(build(tt.script), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 5, 8, 0), nil),
			"cooked v2":      pcapFile(wrap(build(tt.script), append([]byte{8, 0, 0, 0, 0, 0, 0, 2}, make([]byte, 12)...)...), binary.LittleEndian, magicNanos, linkSLL2),
			"IPv6":           pcapng(t, build6(), nil),
			"IPv4 fragments": pcapng(t, fragment4(build(tt.script)), nil),
			"IPv6 fragments": pcapng(t, fragment6(build6()), nil),
		} {
			var out bytes.Buffer
			if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
				t.Fatal(err)
			}
			whole, _ := explainBytes(t, in, Options{})
			shared, _ := explainBytes(t, out.Bytes(), Options{})
			compareShared(t, tt.name+", "+name, whole, shared)
		}
	}
}

// TestRedactKernel: the same of what real kernels sent, with all their options.
func TestRedactKernel(t *testing.T) {
	for _, name := range []string{"kernel", "far-client", "far-server"} {
		in, err := os.ReadFile("testdata/" + name + ".pcap.gz")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		whole, _ := explainBytes(t, in, Options{})
		shared, _ := explainBytes(t, out.Bytes(), Options{})
		compareShared(t, name, whole, shared)
	}
}

// compareShared compares the stories of a capture with those of what is shared of it.
func compareShared(t *testing.T, name string, whole, shared []Conversation) {
	t.Helper()
	if len(whole) != len(shared) {
		t.Errorf("%s: %d conversations of %d", name, len(shared), len(whole))
		return
	}
	for i, c := range whole {
		r := shared[i]
		r.Client, r.Server = c.Client, c.Server
		if verdict(r) != verdict(c) || !slices.Equal(r.Frames, c.Frames) || r.Idle != c.Idle || r.Reuse != c.Reuse || r.Tap != c.Tap {
			t.Errorf("%s:\n%s%v %s\n%s%v %s", name, verdict(c), c.Frames, c.Text, verdict(r), r.Frames, r.Text)
		}
	}
}

// TestRedactChunked: what frames a chunked body stays, wherever its segments are
// cut, and nothing else of it does; so the explanation stays.
func TestRedactChunked(t *testing.T) {
	answer := "HTTP/1.1 200 OK\r\nX-Secret: secret\r\nTransfer-Encoding: chunked\r\n\r\n6;ext=secret\r\nsecret\r\n1A\r\nsecretsecretsecretsecret!!\r\n0\r\nTrailer: secret\r\n\r\n"
	for _, end := range []struct {
		name  string
		cut   int // bytes of the answer that are not sent
		cause Cause
	}{{"whole", 0, CauseClosed}, {"truncated", 9, CauseTruncated}} {
		text := answer[:len(answer)-end.cut]
		for at := range len(text) {
			pieces := []line{{0.001, 'C', "P.", 1, 1, get, nil}}
			for i, piece := range []string{text[:at], text[at:]} {
				if piece != "" {
					pieces = append(pieces, line{0.002 + 0.001*float64(i), 'S', "P.", 1 + uint32(i*at), cReq, piece, nil})
				}
			}
			size := uint32(len(text))
			pieces = append(pieces,
				line{0.005, 'C', ".", cReq, 1 + size, "", nil},
				line{1, 'S', "F.", 1 + size, cReq, "", nil},
				line{1.001, 'C', "F.", cReq, 2 + size, "", nil},
				line{1.002, 'S', ".", 2 + size, cReq + 1, "", nil})
			in := pcapng(t, build(opened(pieces...)), nil)
			var out bytes.Buffer
			if _, err := Redact(&out, bytes.NewReader(in)); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(out.Bytes(), []byte("secret")) || bytes.Contains(out.Bytes(), []byte("ecre")) {
				t.Errorf("%s, cut at %d: the secret is still there", end.name, at)
			}
			cs, _ := explainBytes(t, out.Bytes(), Options{})
			header := strings.Index(text, "\r\n\r\n")
			split := at > 0 && at < header // the field that frames the body may be cut, too
			if len(cs) != 1 || cs[0].Cause != end.cause && !(split && cs[0].Cause.Weaker(end.cause)) {
				t.Errorf("%s, cut at %d: %+v", end.name, at, cs)
			}
		}
	}
}

// TestResetFor: the RST is its peer's, and of the sequence number that is expected.
func TestResetFor(t *testing.T) {
	f := Frame{Number: 4, Src: clientAddr, Dst: serverAddr, Flags: ACK | PSH, Seq: 100, Ack: 7, Len: 11}
	packet, err := ResetFor(f)
	if err != nil {
		t.Fatal(err)
	}
	var d decoder
	var s segment
	if !d.decode(&s, &record{link: linkRaw, data: packet, orig: len(packet)}, 1) {
		t.Fatal("no segment")
	}
	if r := s.frame(); r.Src != serverAddr || r.Dst != clientAddr || r.Flags != RST|ACK || r.Seq != 7 || r.Ack != 111 {
		t.Errorf("%+v", r)
	}
	f.Flags = RST
	if _, err := ResetFor(f); err == nil {
		t.Error("a segment without ACK says nothing of what is expected")
	}
}

// TestJSON holds the names that scripts read.
func TestJSON(t *testing.T) {
	c := explain(t, staleScript())[0]
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	json.Unmarshal(b, &m)
	for key, want := range map[string]string{"client": "10.0.0.1:40000", "server": "10.0.0.2:80", "cause": "stale-idle", "closed_by": "server", "reset_by": "server",
		"during": "idle", "answer": "none", "requests": "2", "responses": "1", "frames": "[8 9 10 11]", "basis": "wire", "protocol": "http/1"} {
		if got := fmt.Sprint(m[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	var back Conversation
	if err := json.Unmarshal(b, &back); err != nil || back.During != DuringIdle || back.Client != c.Client {
		t.Errorf("%v %+v", err, back)
	}
}
