package tcp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// talked builds a script as a kernel would send it.
type talked struct {
	lines []line
	at    float64
	c, s  uint32 // next sequence numbers

	wrap func(from byte, flags, data string) string // what is sent instead
}

func newTalk() *talked {
	return &talked{lines: opened(), at: 0.001, c: 1, s: 1, wrap: func(_ byte, _, data string) string { return data }}
}

func (t *talked) client(flags, data string) { t.say('C', flags, data, &t.c, t.s) }
func (t *talked) server(flags, data string) { t.say('S', flags, data, &t.s, t.c) }

func (t *talked) say(from byte, flags, data string, seq *uint32, ack uint32) {
	data = t.wrap(from, flags, data)
	t.lines = append(t.lines, line{t.at, from, flags, *seq, ack, data, nil})
	*seq += uint32(len(data))
	if flagsOf(flags)&FIN != 0 {
		*seq++
	}
	t.at += 0.0005
}

// unanswered is a request that the server closes on, after some seconds.
func (t *talked) unanswered(after float64) {
	t.client("P.", get)
	t.server(".", "")
	t.at += after
	t.server("F.", "")
}

// tooLarge is an upload that is answered, and ended by that, while it comes.
func (t *talked) tooLarge(end string) {
	t.client(".", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n0123456789")
	t.server("P.", "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	t.server(end, "")
	t.client(".", "0123456789")
	t.client(".", "0123456789")
	t.server("R", "")
	t.server("R", "")
}

func (t *talked) exchange(kind string) {
	const body = "0123456789012345678901234567890123456789"
	switch kind {
	case "get":
		t.client("P.", get)
		t.server(".", "")
		t.server("P.", ok)
		t.client(".", "")
	case "two":
		t.client("P.", get)
		t.server(".", "HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n"+body)
		t.server("P.", body)
		t.client(".", "")
	case "chunked":
		t.client("P.", get)
		t.server("P.", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n"+body+"\r\n")
		t.client(".", "")
		t.server("P.", "0\r\n\r\n")
		t.client(".", "")
	case "head":
		t.client("P.", "HEAD /test HTTP/1.1\r\nHost: x\r\n\r\n")
		t.server(".", "")
		t.server("P.", "HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n")
		t.client(".", "")
	case "continue":
		t.client("P.", "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n")
		t.server("P.", "HTTP/1.1 100 Continue\r\n\r\n")
		t.client("P.", body)
		t.server("P.", ok)
		t.client(".", "")
	case "204":
		t.client("P.", "DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n")
		t.server("P.", "HTTP/1.1 204 No Content\r\n\r\n")
		t.client(".", "")
	case "pipe":
		t.client("P.", get)
		t.client("P.", get)
		t.server("P.", ok)
		t.server("P.", ok)
		t.client(".", "")
	case "upload":
		t.client("P.", "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n"+body+"\r\n")
		t.client("P.", "28\r\n"+body+"\r\n")
		t.server(".", "")
		t.client("P.", "0\r\n\r\n")
		t.server("P.", ok)
	case "post":
		t.client(".", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 80\r\n\r\n")
		t.client(".", body)
		t.server(".", "")
		t.client("P.", body)
		t.server("P.", ok)
		t.client(".", "")
	}
}

var mixedEnds = []struct {
	name  string
	cause Cause
	do    func(t *talked)
}{
	{"client closes", CauseClosed, func(t *talked) { t.client("F.", ""); t.server("F.", ""); t.client(".", "") }},
	{"client closes late", CauseClosed, func(t *talked) { t.at += 5; t.client("F.", ""); t.server("F.", ""); t.client(".", "") }},
	{"server closes", CauseClosed, func(t *talked) {
		t.at += 5
		t.server("F.", "")
		t.client(".", "")
		t.at += 1
		t.client("F.", "")
		t.server(".", "")
	}},
	{"stale", CauseStaleIdle, func(t *talked) {
		t.at += 5
		t.server("F.", "")
		t.client(".", "")
		t.at += 1
		t.client("P.", get)
		t.server("R", "")
	}},
	{"discarded", CauseDiscarded, func(t *talked) {
		t.at += 5
		t.server("F.", "")
		t.client(".", "")
		t.at += 1
		t.client("R.", "")
	}},
	{"aborted", CauseAborted, func(t *talked) { t.at += 5; t.server("R.", "") }},
	{"aborted awaiting", CauseAborted, func(t *talked) { t.client("P.", get); t.server(".", ""); t.at += 0.3; t.server("R.", "") }},
	{"truncated", CauseTruncated, func(t *talked) {
		t.client("P.", get)
		t.server("P.", longAns)
		t.client(".", "")
		t.at += 0.3
		t.server("F.", "")
		t.client("F.", "")
		t.server(".", "")
	}},
	{"no-response", CauseNoResponse, func(t *talked) {
		t.unanswered(0.3)
		t.client("F.", "")
		t.server(".", "")
	}},
	{"no-response, thrown away", CauseNoResponse, func(t *talked) {
		t.unanswered(2)
		t.client("R.", "")
	}},
	{"abandoned", CauseAbandoned, func(t *talked) {
		t.client("P.", get)
		t.server(".", "")
		t.at += 1
		t.client("F.", "")
		t.server("F.", "")
		t.client(".", "")
	}},
	{"abandoned in it", CauseAbandoned, func(t *talked) {
		t.client("P.", get)
		t.server("P.", longAns)
		t.client(".", "")
		t.at += 1
		t.client("F.", "")
		t.server("P.", "0123456789")
		t.client("R", "")
	}},
	{"early-close", CauseEarlyClose, func(t *talked) {
		t.client(".", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n0123456789")
		t.server(".", "")
		t.at += 1
		t.server("F.", "")
		t.client(".", "01234567890123456789")
		t.server("R", "")
	}},
	{"413 and RST", CauseAborted, func(t *talked) { t.tooLarge("R.") }},
	{"413 and FIN", CauseEarlyClose, func(t *talked) { t.tooLarge("F.") }},
	{"the client aborts in it", CauseAbandoned, func(t *talked) {
		t.client("P.", get)
		t.server("P.", longAns)
		t.client(".", "")
		t.at += 1
		t.client("R.", "")
	}},
	{"crossing", CauseStaleCrossing, func(t *talked) {
		t.at += 5
		t.lines = append(t.lines, line{t.at, 'S', "F.", t.s, t.c, "", nil})
		t.at += 0.00001
		t.client("P.", get)
		t.server("R", "")
	}},
	{"open", CauseOpen, func(t *talked) {}},
}

// talkAtRandom plays up to three exchanges and an end.
func talkAtRandom(r *rand.Rand, tk *talked) (lines []line, exchanges []string, end string, cause Cause) {
	kinds := []string{"get", "two", "chunked", "head", "post", "continue", "204", "pipe", "upload"}
	for range r.IntN(4) {
		k := kinds[r.IntN(len(kinds))]
		exchanges = append(exchanges, k)
		tk.exchange(k)
		tk.at += []float64{0.001, 0.3, 3}[r.IntN(3)]
	}
	e := mixedEnds[r.IntN(len(mixedEnds))]
	e.do(tk)
	return tk.lines, exchanges, e.name, e.cause
}

// lossy drops up to four packets at random.
func lossy(r *rand.Rand, ps []Packet) (rest []Packet, without []int) {
	for range r.IntN(5) {
		without = append(without, r.IntN(len(ps)))
	}
	for i, p := range ps {
		if !slices.Contains(without, i) {
			rest = append(rest, p)
		}
	}
	return rest, without
}

// opaque is data in a protocol that is not read.
func opaque(data string) string {
	b := []byte(data)
	for i := range b {
		b[i] ^= 0x80
	}
	return string(b)
}

// newTLS is a talk in TLS, with session tickets or without, and with a good-bye, of
// HTTP/2 even, or none.
func newTLS(r *rand.Rand) *talked {
	t := newTalk()
	t.client("P.", tlsRecord(recordHandshake, 512))
	if ccs := tlsRecord(recordCCS, 1); r.IntN(2) == 0 { // TLS 1.2
		t.server("P.", tlsRecord(recordHandshake, 90)+tlsRecord(recordHandshake, 3000))
		t.client("P.", tlsRecord(recordHandshake, 37)+ccs+tlsRecord(recordHandshake, 40))
		t.server("P.", tlsRecord(recordHandshake, 202)+ccs+tlsRecord(recordHandshake, 40))
	} else {
		t.server("P.", tlsRecord(recordHandshake, 122)+ccs+tlsRecord(recordData, 3000)+tlsRecord(recordData, 281))
		t.client("P.", ccs+tlsRecord(recordData, 53))
		for range r.IntN(3) {
			t.server("P.", tlsRecord(recordData, 250))
		}
	}
	t.at += []float64{0.001, 0.3}[r.IntN(2)]
	more := []int{17, 30, 70, 300}[r.IntN(4)]
	bye := []string{"", tlsRecord(recordData, 19), tlsRecord(recordData, 34) + tlsRecord(recordData, 19)}[r.IntN(3)]
	t.wrap = func(_ byte, flags, data string) string {
		switch {
		case strings.Contains(flags, "F"):
			return bye
		case data != "":
			return tlsRecord(recordData, len(data)+more)
		}
		return ""
	}
	return t
}

// outOfSight says whether a verdict over messages that are not read, or not from their
// beginning, goes with what was declared: whether a client that reset was still
// waiting is not to be seen then.
func outOfSight(got, declared Cause) bool {
	return got.Weaker(declared) || declared == CauseAbandoned && got == CauseAborted
}

// TestUnread says the same in TLS, and in a protocol that is not read: the verdict is
// the same or weaker. Where an answer is cut off nobody can tell, so TCP's order is all.
func TestUnread(t *testing.T) {
	right := func(got, read Cause) bool {
		return outOfSight(got, read) || read == CauseTruncated && got == CauseClosed
	}
	for _, tt := range scripts {
		if tt.cause == CauseUnexplained || tt.name == "a request behind the FIN that is acknowledged and never answered" {
			continue // for what HTTP/1 says: without it, one side has ended and the other goes on
		}
		script := slices.Clone(tt.script)
		for i := range script {
			script[i].data = opaque(script[i].data)
		}
		if c := explain(t, script)[0]; !right(c.Cause, tt.cause) {
			t.Errorf("%s for %s (%s): %s", c.Cause, tt.cause, tt.name, c.Text)
		}
	}
	for name, begin := range map[string]func(*rand.Rand) *talked{
		"not read": func(*rand.Rand) *talked {
			t := newTalk()
			t.wrap = func(_ byte, _, data string) string { return opaque(data) }
			return t
		},
		"TLS": newTLS,
	} {
		r := rand.New(rand.NewPCG(8, 2))
		seen := map[string]int{}
		for range 4000 {
			lines, exchanges, end, cause := talkAtRandom(r, begin(r))
			rest, without := lossy(r, build(lines))
			if len(rest) > 0 && r.IntN(3) == 0 { // it begins in mid-connection
				begins := r.IntN(len(rest))
				rest, without = rest[begins:], append(without, -begins)
			}
			cs, _ := explainBytes(t, pcapng(t, rest, nil), Options{})
			for _, c := range cs {
				if !right(c.Cause, cause) {
					if seen[end]++; seen[end] <= 3 {
						t.Errorf("%s: %s for %s (%s) %v without %d: %s", name, c.Cause, cause, end, exchanges, without, c.Text)
					}
				}
			}
		}
	}
}

// TestMixed plays talks of many exchanges, drops up to four frames of each, cuts the
// frames of some short, and exchanges two neighbours in the file of some that lack none
// or one: the verdict is the declared one or weaker, and tells no time that has not passed.
func TestMixed(t *testing.T) {
	t.Run("HTTP/1", func(t *testing.T) { mixed(t, newTalk, Cause.Weaker) })
	t.Run("HTTP/2", func(t *testing.T) { mixed(t, newTalkOverHTTP2, outOfSight) })
}

func mixed(t *testing.T, begin func() *talked, right func(got, declared Cause) bool) {
	r := rand.New(rand.NewPCG(8, 2))
	seen := map[string]int{}
	talks := 20_000
	if slow || testing.Short() {
		talks /= 10
	}
	for range talks {
		lines, ks, end, cause := talkAtRandom(r, begin())
		rest, without := lossy(r, build(lines))
		if len(without) < 2 {
			if i := r.IntN(len(rest)-1) + 1; r.IntN(2) == 0 {
				rest[i-1], rest[i] = rest[i], rest[i-1]
				without = append(without, -i) // exchanged with the one before
			}
		}
		snap := []int{1514, 1514, 1514, 60, 66, 80, 96, 120, 150}[r.IntN(9)]
		cs, _ := explainBytes(t, pcapng(t, cutTo(snap, rest), nil), Options{})
		for _, c := range cs {
			if !right(c.Cause, cause) || len(without) == 0 && snap == 1514 && c.Cause != cause || strings.Contains(c.Text, "the clock went back") {
				key := fmt.Sprintf("%s for %s (%s)", c.Cause, cause, end)
				if seen[key]++; seen[key] <= 3 {
					slices.Sort(without)
					t.Errorf("%s %v without %d, cut to %d: %s", key, ks, without, snap, c.Text)
				}
			}
		}
	}
}
