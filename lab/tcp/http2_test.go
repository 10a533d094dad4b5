package tcp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// h2 is one end of a connection in HTTP/2: what it writes.
type h2 struct {
	block  bytes.Buffer
	fields *hpack.Encoder
}

func newH2() *h2 {
	e := &h2{}
	e.fields = hpack.NewEncoder(&e.block)
	return e
}

func (e *h2) frame(kind, flags byte, id uint32, content string) string {
	n := len(content)
	return string(binary.BigEndian.AppendUint32([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, id)) + content
}

// headers is a whole block of fields: names and values in turn.
func (e *h2) headers(flags byte, id uint32, fields ...string) string {
	return e.frame(frameHeaders, flags|flagEndHeaders, id, e.encode(fields...))
}

func (e *h2) encode(fields ...string) string {
	e.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = e.fields.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return e.block.String()
}

func (e *h2) get(id uint32, path string) string {
	return e.headers(flagEndStream, id, ":method", "GET", ":scheme", "http", ":authority", "x", ":path", path)
}

func (e *h2) post(id uint32, path string) string {
	return e.headers(0, id, ":method", "POST", ":scheme", "http", ":authority", "x", ":path", path)
}

func (e *h2) settings() string { return e.frame(frameSettings, 0, 0, "") }
func (e *h2) ack() string      { return e.frame(frameSettings, flagAck, 0, "") }
func (e *h2) data(flags byte, id uint32, n int) string {
	return e.frame(frameData, flags, id, strings.Repeat("\xff", n))
}
func (e *h2) goAway(last, code uint32) string {
	return e.frame(frameGoAway, 0, 0, string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code)))
}
func (e *h2) reset(id uint32) string { return e.frame(frameReset, 0, id, "\x00\x00\x00\x08") }
func (e *h2) ping() string           { return e.frame(framePing, 0, 0, "12345678") }

// TestHTTP2 plays the ends of connections in HTTP/2 in the clear.
func TestHTTP2(t *testing.T) {
	const grpc = "/helloworld.Greeter/SayHello"
	for name, tt := range map[string]struct {
		play        func(tk *talked, c, s *h2)
		cause       Cause
		during      During
		answer      Answer
		reqs, resps int
		says        []string
	}{
		"closed while idle": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", s.headers(0, 3, ":status", "404")+s.data(flagEndStream, 3, 5))
			tk.at += 5
			tk.server("P.", s.goAway(3, 0))
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseClosed, DuringIdle, AnswerWhole, 2, 2, []string{"closed the idle connection after 5.0 s"}},
		"a PING does not end a rest": {func(tk *talked, c, s *h2) {
			tk.at += 5
			tk.client("P.", c.ping())
			tk.server("P.", s.ping())
			tk.at += 1
			tk.server("P.", s.goAway(3, 0))
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseClosed, DuringIdle, AnswerWhole, 1, 1, []string{"closed the idle connection after 6.0 s"}},
		"a request that the server closes on": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, grpc))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, []string{"took the client's request GET " + grpc + " (frame 7) and closed after 2.0 s (FIN, 8) without a byte of an answer."}},
		"three of them": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b")+c.get(5, "/c"))
			tk.client("P.", c.get(7, "/d"))
			tk.at += 2
			tk.server("P.", s.goAway(1, 2))
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 4, 1, []string{"GET /b (frame 7)", "2 more streams were open.", "The GOAWAY of the server (9) says that it has not taken that request: it may be sent again.", "Before, the server had said GOAWAY INTERNAL_ERROR (frame 9)."}},
		"the first of two answers is cut off": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b")+c.get(5, "/c"))
			tk.server("P.", s.headers(0, 5, ":status", "200")+s.data(0, 5, 100))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseTruncated, DuringResponse, AnswerPartial, 3, 2, []string{"closed (FIN, frame 9) inside the response that begins in frame 8, before the stream had ended. One more stream was open."}},
		"whole by its Content-Length, the stream not ended": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", s.headers(0, 3, ":status", "200", "content-length", "20")+s.data(0, 3, 5)+s.data(0, 3, 15))
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseClosed, DuringIdle, AnswerWhole, 2, 2, nil},
		"not whole by its Content-Length": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", s.headers(0, 3, ":status", "200", "content-length", "20")+s.data(0, 3, 5)+s.data(0, 3, 14))
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseAbandoned, DuringResponse, AnswerPartial, 2, 2, nil},
		"inside a frame of DATA that would have been the last": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", (s.headers(0, 3, ":status", "200") + s.data(flagEndStream, 3, 100))[:80])
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseTruncated, DuringResponse, AnswerPartial, 2, 2, nil},
		"the client gives up": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, grpc))
			tk.server(".", "")
			tk.at += 1
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseAbandoned, DuringAwaiting, AnswerNone, 2, 1, []string{"left (FIN, frame 9) 1.0 s after its request (7): the answer to its request GET " + grpc + " had not begun."}},
		"the client leaves behind a GOAWAY that has refused its stream": {func(tk *talked, c, s *h2) {
			tk.at += 2
			tk.server("P.", s.goAway(1, 0))
			tk.client("P.", c.get(3, "/b"))
			tk.at += 1
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseClosed, DuringIdle, AnswerNone, 2, 1, nil},
		"one of two is refused": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b")+c.get(5, "/c"))
			tk.server("P.", s.goAway(3, 0))
			tk.at += 1
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseAbandoned, DuringAwaiting, AnswerNone, 3, 1, []string{"the answer to its request GET /b had not begun."}},
		"the client resets its stream and leaves": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, grpc))
			tk.server(".", "")
			tk.at += 1
			tk.client("P.", c.reset(3)+c.goAway(0, 0))
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseAbandoned, DuringAwaiting, AnswerNone, 2, 1, nil},
		"the client resets its stream, and closes long after": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, grpc))
			tk.server(".", "")
			tk.at += 1
			tk.client("P.", c.reset(3))
			tk.server(".", "")
			tk.at += 5
			tk.client("F.", "")
			tk.server("F.", "")
			tk.client(".", "")
		}, CauseClosed, DuringIdle, AnswerNone, 2, 1, nil},
		"a stream of both is left open": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.post(3, grpc)+c.data(0, 3, 20))
			tk.server("P.", s.headers(0, 3, ":status", "200")+s.data(0, 3, 20))
			tk.at += 60
			tk.server("R.", "")
		}, CauseAborted, DuringResponse, AnswerPartial, 2, 2, []string{"after the client's request POST " + grpc + " (7), inside the answer that begins in frame 8"}},
		"an idle connection is reset": {func(tk *talked, c, s *h2) {
			tk.at += 60
			tk.server("R.", "")
		}, CauseAborted, DuringIdle, AnswerWhole, 1, 1, []string{"the answer to the client's request GET /a was whole (5), without FIN: nothing was outstanding"}},
		"an idle connection is reset whose last stream was": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, grpc))
			tk.client("P.", c.reset(3))
			tk.at += 60
			tk.server("R.", "")
		}, CauseAborted, DuringIdle, AnswerNone, 2, 1, []string{"60.0 s after the client's last data (8), without FIN: no stream was open."}},
		"stale": {func(tk *talked, c, s *h2) {
			tk.at += 5
			tk.server("P.", s.goAway(1, 0))
			tk.server("F.", "")
			tk.client(".", "")
			tk.at += 1
			tk.client("P.", c.get(3, "/b"))
			tk.server("R", "")
		}, CauseStaleIdle, DuringIdle, AnswerNone, 2, 1, []string{"sent a request (GET /b)", "Its GOAWAY (7) had said that it takes no more."}},
		"stale behind a PING": {func(tk *talked, c, s *h2) {
			tk.at += 5
			tk.server("F.", "")
			tk.client(".", "")
			tk.at += 1
			tk.client("P.", c.ping())
			tk.client("P.", c.get(3, "/b"))
			tk.server("R", "")
			tk.server("R", "")
		}, CauseStaleIdle, DuringIdle, AnswerNone, 2, 1, nil},
		"only a PING": {func(tk *talked, c, s *h2) {
			tk.at += 5
			tk.server("F.", "")
			tk.client(".", "")
			tk.at += 1
			tk.client("P.", c.ping())
			tk.server("R", "")
		}, CauseClosed, DuringIdle, AnswerWhole, 1, 1, []string{"the client with HTTP/2's own bookkeeping (9)"}},
		"crossing": {func(tk *talked, c, s *h2) {
			tk.at += 5
			tk.lines = append(tk.lines, line{tk.at, 'S', "F.", tk.s, tk.c, "", nil})
			tk.at += 0.00001
			tk.client("P.", c.get(3, "/b"))
			tk.server("R", "")
		}, CauseStaleCrossing, DuringIdle, AnswerNone, 2, 1, []string{"sent a request (GET /b)"}},
		"crossing, captured before the FIN": {func(tk *talked, c, s *h2) {
			tk.at += 5
			before := tk.c
			tk.client("P.", c.get(3, "/b"))
			tk.lines = append(tk.lines, line{tk.at, 'S', "F.", tk.s, before, "", nil})
			tk.at += 0.00001
			tk.server("R", "")
		}, CauseStaleCrossing, DuringIdle, AnswerNone, 2, 1, nil},
		"an upload that is cut off": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.post(3, "/up")+c.data(0, 3, 500))
			tk.server(".", "")
			tk.at += 1
			tk.server("F.", "")
			tk.client("P.", c.data(0, 3, 500))
			tk.server("R", "")
		}, CauseEarlyClose, DuringRequest, AnswerNone, 2, 1, nil},
		"an answer behind an interim one": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", s.headers(0, 3, ":status", "103", "link", "</x>"))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, nil},
		"trailers end it": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.post(3, grpc)+c.data(flagEndStream, 3, 5))
			tk.server("P.", s.headers(0, 3, ":status", "200")+s.data(0, 3, 5)+s.headers(flagEndStream, 3, "grpc-status", "0"))
			tk.at += 5
			tk.client("F.", "")
			tk.server("F.", "")
		}, CauseClosed, DuringIdle, AnswerWhole, 2, 2, nil},
		"fields in several frames, padded and with a priority": {func(tk *talked, c, s *h2) {
			block := c.encode(":method", "GET", ":path", "/long", "cookie", strings.Repeat("x", 300))
			tk.client("P.", c.frame(frameHeaders, flagEndStream|flagPadded|flagPriority, 3, "\x03\x00\x00\x00\x00\x10"+block[:50]+"\x00\x00\x00"))
			tk.client("P.", (c.frame(frameContinuation, 0, 3, block[50:100]) + c.frame(frameContinuation, flagEndHeaders, 3, block[100:]))[:70])
			rest := c.frame(frameContinuation, flagEndHeaders, 3, block[100:])
			tk.client("P.", rest[70-59:])
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, []string{"GET /long"}},
		"the head of a frame in two segments": {func(tk *talked, c, s *h2) {
			get := c.get(3, "/b")
			tk.client("P.", get[:4])
			tk.client("P.", get[4:])
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, []string{"GET /b"}},
		"fields that cannot be decoded": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.frame(frameHeaders, flagEndStream|flagEndHeaders, 3, "\xff\xff\xff\xff\xff\xff"))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, []string{"took the client's request (frame 7)"}},
		"a pushed stream is no answer": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.get(3, "/b"))
			tk.server("P.", s.frame(framePush, flagEndHeaders, 3, "\x00\x00\x00\x02"+s.encode(":method", "GET", ":path", "/pushed"))+s.headers(0, 2, ":status", "200"))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, []string{"GET /b"}},
		"a frame that lies about its padding": {func(tk *talked, c, s *h2) {
			tk.client("P.", c.frame(frameHeaders, flagEndStream|flagEndHeaders|flagPadded, 3, "\xff\x82"))
			tk.at += 2
			tk.server("F.", "")
			tk.client("F.", "")
		}, CauseNoResponse, DuringAwaiting, AnswerNone, 2, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tk, c, s := newTalk(), newH2(), newH2()
			tk.client("P.", preface+c.settings()+c.get(1, "/a"))
			tk.server("P.", s.settings()+s.ack()+s.headers(0, 1, ":status", "200")+s.data(flagEndStream, 1, 5))
			tk.client("P.", c.ack())
			tk.lines = slices.Delete(tk.lines, 3, 3)
			tt.play(tk, c, s)
			v := explain(t, tk.lines)[0]
			t.Log(v.Text)
			if v.Cause != tt.cause || v.During != tt.during || v.Answer != tt.answer || v.Requests != tt.reqs || v.Responses != tt.resps || v.Protocol != "http/2" {
				t.Errorf("%s during %s, answer %s, %d requests, %d responses in %s; want %s during %s, %s, %d, %d", v.Cause, v.During, v.Answer, v.Requests, v.Responses, v.Protocol, tt.cause, tt.during, tt.answer, tt.reqs, tt.resps)
			}
			for _, text := range tt.says {
				if !strings.Contains(v.Text, text) {
					t.Errorf("%q is not in: %s", text, v.Text)
				}
			}
		})
	}
}

// http2Ends has what happened to each connection of testdata/http2.pcap.gz, by its
// client's port: real ones in HTTP/2 in the clear, of curl, Node.js, Go and gRPC with
// servers in Go, Node.js and a script of both ends, captured at the client.
var http2Ends = map[Cause][]uint16{
	CauseAbandoned:     {35660, 37212, 42636, 55310, 56274, 60038},
	CauseAborted:       {38422, 57842, 60300},
	CauseClosed:        {34876, 36444, 42886, 44622, 45606, 47750, 47914, 59910},
	CauseNoResponse:    {35726, 39864, 40428, 41542, 52380},
	CauseOpen:          {34536, 37406},
	CauseStaleCrossing: {41066, 47642, 49838, 57044},
	CauseStaleIdle:     {48664, 57664, 60222, 60510},
	CauseTruncated:     {34044, 38594},
	CauseVanished:      {46182},
}

func TestHTTP2Kernel(t *testing.T) {
	ends := map[uint16]Cause{}
	for cause, ports := range http2Ends {
		for _, port := range ports {
			ends[port] = cause
		}
	}
	ps := readPackets(t, "testdata/http2.pcap.gz")
	cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
	if len(cs) != len(ends) {
		t.Errorf("%d connections, want %d", len(cs), len(ends))
	}
	for _, c := range cs {
		if want := ends[c.Client.Port()]; c.Cause != want || c.Protocol != "http/2" || c.Request == "" && c.Requests > 0 {
			t.Errorf("%v: %s, want %s: %s", c.Client, c.Cause, want, c.Text)
		}
	}
	r := rand.New(rand.NewPCG(8, 2))
	kept, all := 0, 0
	for range 100 {
		one := []int{20, 5, 2}[r.IntN(3)]
		rest := slices.DeleteFunc(slices.Clone(ps), func(Packet) bool { return r.IntN(one) == 0 })
		begins := r.IntN(len(rest)) / 2 * r.IntN(2)
		cs, _ := explainBytes(t, pcapng(t, rest[begins:], nil), Options{})
		for _, c := range cs {
			port := c.Client.Port()
			if ends[port] == "" {
				port = c.Server.Port() // turned round by a guess
			}
			if all++; c.Cause == ends[port] {
				kept++
			} else if !outOfSight(c.Cause, ends[port]) {
				t.Errorf("one in %d lost, from %d on: %v: %s, but %s: %s", one, begins, c.Client, c.Cause, ends[port], c.Text)
			}
		}
	}
	t.Logf("%.0f %% of %d keep their cause with frames missing", 100*float64(kept)/float64(all), all)
}

// overHTTP2 is what a talk's messages of HTTP/1 are in HTTP/2.
type overHTTP2 struct {
	ends    map[byte]*h2
	id      uint32
	waiting []uint32        // streams without a whole answer
	left    map[byte]int    // bytes of the body in progress
	chunked map[byte]bool   // instead
	head    map[uint32]bool // streams whose answer has no body
}

func newTalkOverHTTP2() *talked {
	o := &overHTTP2{ends: map[byte]*h2{'C': newH2(), 'S': newH2()}, left: map[byte]int{}, chunked: map[byte]bool{}, head: map[uint32]bool{}}
	t := newTalk()
	t.wrap = func(from byte, _, data string) string {
		if data == "" {
			return ""
		}
		return o.opening(from) + o.wrap(from, data)
	}
	return t
}

// opening is what a side says before anything else.
func (o *overHTTP2) opening(from byte) string {
	if _, begun := o.left[from]; begun {
		return ""
	}
	o.left[from] = 0
	return map[byte]string{'C': preface}[from] + o.ends[from].settings()
}

func (o *overHTTP2) wrap(from byte, data string) string {
	e := o.ends[from]
	head, body, ok := strings.Cut(data, "\r\n\r\n")
	if o.left[from] > 0 || o.chunked[from] {
		return o.body(from, data)
	}
	if !ok && strings.HasPrefix(data, "HTTP/") || strings.HasSuffix(data, "hello") && !ok {
		panic("a head in two: " + data)
	}
	words := strings.Fields(head)
	fields, status := []string{":method", words[0], ":path", words[1]}, 0
	if from == 'S' {
		status, _ = strconv.Atoi(words[1])
		fields = []string{":status", words[1]}
	} else {
		o.id += 2
		o.waiting = append(o.waiting, o.id-1)
		o.head[o.id-1] = words[0] == "HEAD"
	}
	o.chunked[from] = strings.Contains(head, "chunked")
	if _, length, ok := strings.Cut(head, "Content-Length: "); ok && !(from == 'S' && o.head[o.waiting[0]]) {
		o.left[from], _ = strconv.Atoi(strings.Fields(length)[0])
	}
	flags := byte(0)
	if !o.chunked[from] && o.left[from] == 0 && status != 100 {
		flags = flagEndStream
	}
	said := e.headers(flags, o.stream(from, flags), fields...)
	if body != "" {
		said += o.body(from, body)
	}
	return said
}

// stream is the one that a side speaks on.
func (o *overHTTP2) stream(from byte, flags byte) uint32 {
	if from == 'C' {
		return o.id - 1
	}
	id := o.waiting[0]
	if flags&flagEndStream != 0 {
		o.waiting = o.waiting[1:]
	}
	return id
}

func (o *overHTTP2) body(from byte, data string) string {
	flags := byte(0)
	if o.chunked[from] {
		if strings.HasSuffix(data, "0\r\n\r\n") {
			flags, o.chunked[from] = flagEndStream, false
		}
	} else if o.left[from] -= len(data); o.left[from] == 0 {
		flags = flagEndStream
	}
	return o.ends[from].data(flags, o.stream(from, flags), len(data))
}

func TestFramed(t *testing.T) {
	e := newH2()
	for want, said := range map[string]string{
		"HEADERS 1, PRI, SETTINGS":   preface + e.settings() + e.get(1, "/a"),
		"HEADERS 3, DATA 3, GOAWAY":  e.headers(0, 3, ":status", "200") + e.data(0, 3, 9) + e.data(flagEndStream, 3, 9) + e.goAway(3, 0),
		"DATA 5":                     e.data(0, 5, 9000)[:1448],
		"TLS handshake":              tlsRecord(recordHandshake, 40) + tlsRecord(recordHandshake, 40),
		"TLS ChangeCipherSpec, data": tlsRecord(recordCCS, 1) + tlsRecord(recordData, 40),
		"TLS data":                   tlsRecord(recordData, 4000)[:1448],
		"":                           "\x00\x00\x05\x06\x00\x00\x00\x00\x01hello", // a PING has no stream
	} {
		if got := Framed([]byte(said)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, other := range []string{"", "hello", get, ok, "\x81\x85abcdefghijkl", strings.Repeat("\xff", 40)} {
		if got := Framed([]byte(other)); got != "" {
			t.Errorf("%q is %q", other, got)
		}
	}
}

// TestUpgrade: what was asked in HTTP/1 is answered in HTTP/2, whoever speaks first.
func TestUpgrade(t *testing.T) {
	for name, tt := range map[string]struct {
		play        func(tk *talked, c, s *h2)
		cause       Cause
		reqs, resps int
		proto       string
		says        string
	}{
		"answered": {func(tk *talked, c, s *h2) {
			tk.server("P.", s.settings()+s.headers(0, 1, ":status", "200")+s.data(flagEndStream, 1, 5))
			tk.client("P.", preface+c.settings()+c.get(3, "/b"))
			tk.server("P.", s.headers(flagEndStream, 3, ":status", "204"))
		}, CauseClosed, 2, 2, "http/2", "the idle connection after 5.0 s"},
		"not answered": {func(tk *talked, c, s *h2) {
			tk.client("P.", preface+c.settings())
			tk.server("P.", s.settings())
		}, CauseNoResponse, 1, 0, "http/2", "request GET /test (frame 4)"},
		"another protocol": {func(tk *talked, c, s *h2) {
			tk.client("P.", "\x81\x85abcdefghi")
			tk.server("P.", "\x81\x05hello")
		}, CauseClosed, 1, 1, "tunnel", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tk := newTalk()
			tk.client("P.", "GET /test HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n")
			tk.server("P.", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
			tt.play(tk, newH2(), newH2())
			tk.client(".", "")
			tk.at += 5
			tk.server("F.", "")
			tk.client("F.", "")
			if c := explain(t, tk.lines)[0]; c.Cause != tt.cause || c.Requests != tt.reqs || c.Responses != tt.resps || c.Protocol != tt.proto || !strings.Contains(c.Text, tt.says) {
				t.Errorf("%s, %d requests, %d responses in %s: %s", c.Cause, c.Requests, c.Responses, c.Protocol, c.Text)
			}
		})
	}
}

// TestGoAwayWithReason: who was sent away for a reason is not healthy, though all closed in order.
func TestGoAwayWithReason(t *testing.T) {
	for code, want := range map[uint32]string{0: "", 11: "GOAWAY ENHANCE_YOUR_CALM", 99: "GOAWAY error 99"} {
		tk, c, s := newTalk(), newH2(), newH2()
		tk.client("P.", preface+c.settings()+c.ping()+c.ping())
		tk.server("P.", s.settings()+s.goAway(0, code))
		tk.server("F.", "")
		tk.client("F.", "")
		tk.server(".", "")
		v := explain(t, tk.lines)[0]
		if v.Cause != CauseClosed || v.Alert != want || v.Healthy() != (want == "") || !strings.Contains(v.Text, want) {
			t.Errorf("%s, alert %q: %s", v.Cause, v.Alert, v.Text)
		}
		var g Groups
		g.Add(v)
		g.Add(v)
		if text := g.List()[0].Text; want != "" && !strings.Contains(text, "The server had said "+want+".") {
			t.Error(text)
		}
	}
}

// TestAskedToGo: who closes because its peer said GOAWAY does so for that.
func TestAskedToGo(t *testing.T) {
	tk := newTalk()
	c, s := newH2(), newH2()
	tk.client("P.", preface+c.settings()+c.get(1, "/a"))
	tk.server("P.", s.settings()+s.headers(flagEndStream, 1, ":status", "204"))
	tk.at += 1
	tk.server("P.", s.goAway(1, 0))
	tk.client("F.", "")
	tk.server("F.", "")
	if c := explain(t, tk.lines)[0]; c.Cause != CauseClosed || !strings.Contains(c.Text, "the client closed the idle connection after 1.0 s (FIN, frame 7) on the server's good-bye (6), ") {
		t.Errorf("%s: %s", c.Cause, c.Text)
	}
	tk.lines[5].data = s.ping()
	if c := explain(t, tk.lines)[0]; c.Cause != CauseClosed || strings.Contains(c.Text, "good-bye") {
		t.Errorf("a PING is no good-bye: %s: %s", c.Cause, c.Text)
	}
}
