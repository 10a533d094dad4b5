package tcp

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"
)

// FuzzReader feeds bytes as a capture: never a panic, and the same verdicts
// when they come in pieces.
func FuzzReader(f *testing.F) {
	ps := build(staleScript())
	f.Add(pcapng(f, ps, nil))
	f.Add(pcapFile(ps, binary.LittleEndian, magicMicros, 1))
	f.Add(pcapFile(ps, binary.BigEndian, magicNanos, 276))
	f.Add(bigEndianNG(ps))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, pieces []Conversation
		o := Options{MaxFlows: 16}
		sum, err := Explain(bytes.NewReader(b), o, func(c Conversation) { whole = append(whole, c) })
		sum2, err2 := Explain(io.MultiReader(bytes.NewReader(b[:len(b)/3]), bytes.NewReader(b[len(b)/3:])), o, func(c Conversation) { pieces = append(pieces, c) })
		if (err == nil) != (err2 == nil) || sum.Frames != sum2.Frames || sum.Stopped != sum2.Stopped || !reflect.DeepEqual(whole, pieces) {
			t.Errorf("in pieces: %v %v, %+v %+v", err, err2, sum, sum2)
		}
	})
}

// FuzzDecoder feeds one packet of any link type.
func FuzzDecoder(f *testing.F) {
	for _, p := range build(staleScript()) {
		f.Add(uint16(1), p.Data)
		f.Add(uint16(linkSLL2), append(make([]byte, 20), p.Data[14:]...))
	}
	for _, p := range fragment4(build(staleScript())) {
		f.Add(uint16(1), p.Data)
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte) {
		var d decoder
		var s segment
		if d.decode(&s, &record{link: link, data: b, orig: len(b)}, 1) {
			if fr := s.frame(); fr.Len < 0 || len(fr.Payload) > fr.Len {
				t.Errorf("%+v", fr)
			}
		}
	})
}

// FuzzRedact feeds what one side sends, in two pieces: what is left of it has the
// same length, its line ends, the first line, what frames the message, hexadecimal
// digits where a chunk's size stands, and x.
func FuzzRedact(f *testing.F) {
	for _, text := range []string{get, ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\nHTTP/1.1 204\r\n\r\n", "\x16\x03\x01\x00\x02ab", preface + newH2().goAway(1, 0) + newH2().get(1, "/a")} {
		f.Add([]byte(text), uint16(9))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		m := masker{inside: map[[2]endpoint]*framing{}}
		cut := min(int(at), len(b))
		masked := bytes.Clone(b)
		for _, piece := range [][]byte{masked[:cut], masked[cut:]} {
			s := segment{seq: uint32(len(masked) - cap(piece)), length: int32(len(piece)), payload: piece}
			m.mask(&s, piece)
		}
		kind := sniff(b[cut:]) // a segment that begins as a message does is one
		body := bytes.HasPrefix(b, []byte("HTTP/1.1 200 OK\r\n\r\n")) && (cut < 19 || kind != looksRequest && kind != looksResponse && kind != looksTLS && kind != looksHTTP2)
		for i, c := range masked {
			if c != b[i] && c != 'x' || body && i > 18 && c != 'x' {
				t.Fatalf("%q becomes %q", b, masked)
			}
		}
	})
}

// FuzzHTTP2 feeds what both sides say behind the preface: the same messages however
// segments cut it, and nothing is kept of a connection that is over.
func FuzzHTTP2(f *testing.F) {
	c, s := newH2(), newH2()
	f.Add([]byte(c.settings()+c.get(1, "/a")+c.post(3, "/b")+c.data(flagEndStream, 3, 9)),
		[]byte(s.settings()+s.ack()+s.headers(0, 1, ":status", "200")+s.data(flagEndStream, 1, 5)+s.reset(3)+s.goAway(3, 1)), uint8(7))
	f.Add([]byte(c.frame(frameHeaders, flagPadded|flagPriority, 1, "\x01\x00\x00\x00\x00\x10\x82\x84\x00")+c.frame(frameContinuation, flagEndHeaders, 1, "\x86")),
		[]byte(s.frame(framePush, flagEndHeaders, 1, "\x00\x00\x00\x02\x82")+s.frame(frameSettings, 0, 0, "\x00\x01\x00\x00\x10\x00")+s.headers(flagEndStream, 1, ":status", "103")), uint8(1))
	f.Fuzz(func(t *testing.T, client, server []byte, size uint8) {
		client = append([]byte(preface), client...)
		play := func(size int) (all []Conversation) {
			var sum Summary
			x := newExplainer(Options{}, &sum, func(c Conversation) { all = append(all, c) })
			ends := [2]endpoint{{lo: 1, port: 40000}, {lo: 2, port: 80}}
			number, nxt := 0, [2]uint32{}
			take := func(from int, flags Flags, payload []byte) {
				number++
				s := segment{number: number, time: epoch.UnixNano() + int64(number), src: ends[from], dst: ends[1-from], flags: flags, seq: nxt[from], ack: nxt[1-from], ttl: 64, window: 100, payload: payload, length: int32(len(payload))}
				if nxt[from] += uint32(len(payload)); flags&SYN != 0 {
					nxt[from]++
				}
				s.prepare(x.seed)
				x.take(&s)
			}
			take(0, SYN, nil)
			take(1, SYN|ACK, nil)
			take(0, ACK, nil)
			for from, said := range [][]byte{client, server} {
				for len(said) > 0 {
					n := min(size, len(said))
					take(from, ACK|PSH, said[:n:n])
					said = said[n:]
				}
			}
			x.finish()
			if x.held != 0 || x.streams != 0 || x.decoders != 0 {
				t.Errorf("kept: %d bytes, %d streams, %d decoders", x.held, x.streams, x.decoders)
			}
			return all
		}
		const whole = 16 << 10
		if len(client) > whole || len(server) > whole {
			return
		}
		a, b := play(whole)[0], play(int(size) + 1)[0]
		if a.Requests != b.Requests || a.Responses != b.Responses || a.Request != b.Request || a.Status != b.Status || a.During != b.During || a.Answer != b.Answer || a.Protocol != b.Protocol {
			t.Errorf("whole: %+v\nin pieces: %+v", a, b)
		}
	})
}

// FuzzSegments feeds any sequence of segments of one connection: always one
// verdict or more, of the closed set, the same twice, and the same among others.
func FuzzSegments(f *testing.F) {
	var seed []byte
	for _, s := range scripts {
		seed = seed[:0]
		for _, l := range s.script {
			from := byte(0)
			if l.from == 'S' {
				from = 1
			}
			seed = append(seed, from, byte(flagsOf(l.flags)), byte(l.seq), byte(l.ack), byte(len(l.data)), byte(l.at*10))
		}
		f.Add(bytes.Clone(seed))
	}
	payload := get + ok + longAns
	known := map[Cause]bool{}
	for _, c := range Causes {
		known[c.Cause] = true
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ours := endpoint{lo: 1, port: 40000}
		run := func(others int) []Conversation {
			var cs []Conversation
			var sum Summary
			x := newExplainer(Options{}, &sum, func(c Conversation) {
				if ours := ours.addrPort(); c.Client == ours || c.Server == ours {
					cs = append(cs, c)
				}
			})
			number := 0
			take := func(s segment) {
				number++
				s.number = number
				s.prepare(x.seed)
				x.take(&s)
			}
			now := epoch.UnixNano()
			for n := 1; len(b) >= 6*n && n < 1000; n++ {
				v := b[6*n-6 : 6*n]
				s := segment{tap: int32(v[0] >> 1 & 1), flags: Flags(v[1]), seq: uint32(v[2]), ack: uint32(v[3]), ttl: 64, window: 100, ipID: uint16(v[0] >> 2)}
				s.src, s.dst = ours, endpoint{lo: 2, port: 80}
				if v[0]&1 != 0 {
					s.src, s.dst = s.dst, s.src
				}
				s.length = int32(v[4])
				s.payload = []byte(payload[:min(int(v[4]), len(payload))])
				now += int64(v[5]) * int64(time.Second) / 10
				s.time = now
				for i := range others { // what was just said, of other connections, by other hosts
					other := s
					other.src.lo, other.dst.lo, other.flags = other.src.lo+uint64(10+i), other.dst.lo+uint64(10+i), other.flags^Flags(n%3)
					take(other)
				}
				take(s)
			}
			x.finish()
			if x.held != 0 {
				t.Errorf("%d bytes still held", x.held)
			}
			return cs
		}
		cs := run(0)
		if !reflect.DeepEqual(cs, run(0)) {
			t.Error("not the same twice")
		}
		if among := run(3); !slices.EqualFunc(cs, among, func(a, b Conversation) bool { return verdict(a) == verdict(b) }) {
			t.Errorf("among others: %+v, alone: %+v", among, cs)
		}
		for _, c := range cs {
			if !known[c.Cause] || c.Text == "" || c.ClosedBy == "" || c.ResetBy == "" {
				t.Errorf("%+v", c)
			}
		}
		if len(b) >= 6 && len(cs) == 0 && b[1]&byte(SYN|RST) == byte(SYN) {
			t.Error("no verdict")
		}
	})
}
