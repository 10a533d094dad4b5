package tcp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// tapAt is where on the path a test's capture is taken.
type tapAt int

const (
	atClient tapAt = iota
	between
	atServer
)

// seenAt gives the script as a tap on a path with the given delay each way sees
// it: the script has the times at which segments are sent. Routers lower the
// TTL where it is to tell.
func seenAt(script []line, at tapAt, delay time.Duration, ttl bool) []Packet {
	script = slices.Clone(script)
	for i := range script {
		l := &script[i]
		part := int(at) // halves of the path that the segment has behind it
		if l.from == 'S' {
			part = 2 - int(at)
		}
		l.at += delay.Seconds() * float64(part) / 2
		old := l.opt
		l.opt = func(w *wire) {
			if old != nil {
				old(w)
			}
			if ttl {
				w.ttl -= byte(2 * part)
			}
		}
	}
	ps := build(script)
	slices.SortStableFunc(ps, func(a, b Packet) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
	return ps
}

// far is a connection over a path whose delay each way is d seconds: the times
// are those of sending. The rest counts from the end of its exchange, when
// everything sent has arrived.
func far(d float64, rest ...line) []line {
	const kernel = 0.00002
	s := []line{
		{0, 'C', "S", 0, 0, "", nil},
		{d + kernel, 'S', "S.", 0, 1, "", nil},
		{2*d + 2*kernel, 'C', ".", 1, 1, "", nil},
		{2*d + 3*kernel, 'C', "P.", 1, 1, get, nil},
		{3*d + 4*kernel, 'S', ".", 1, cReq, "", nil},
		{3*d + 0.003, 'S', "P.", 1, cReq, ok, nil},
		{4*d + 0.003 + kernel, 'C', ".", cReq, sOK, "", nil},
	}
	for _, l := range rest {
		l.at += 5*d + 0.004
		s = append(s, l)
	}
	return s
}

// TestSeenFrom captures one connection at both ends of a path and on it.
func TestSeenFrom(t *testing.T) {
	for _, delay := range []time.Duration{300 * time.Microsecond, 10 * time.Millisecond, 150 * time.Millisecond} {
		d := delay.Seconds()
		// The server closes after 5 s, the client sends 1 s later.
		stale := far(d,
			line{5, 'S', "F.", sOK, cReq, "", nil},
			line{5 + d + 0.04, 'C', ".", cReq, sOK + 1, "", nil},
			line{6 + d, 'C', "P.", cReq, sOK + 1, get, nil},
			line{6 + 2*d + 0.0001, 'S', "R", sOK + 1, 0, "", nil})
		// The client sends just before the FIN arrives.
		crossing := far(d,
			line{5, 'S', "F.", sOK, cReq, "", nil},
			line{5 + d/2, 'C', "P.", cReq, sOK, get, nil},
			line{5 + 1.5*d + 0.00002, 'S', "R", sOK, 0, "", nil},
			line{5 + d + 0.00002, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
			line{5 + 2*d + 0.00004, 'S', "R", sOK + 1, 0, "", nil})
		for _, ttl := range []bool{false, true} {
			for at, want := range map[tapAt]Side{atClient: Client, atServer: Server, between: ""} {
				name := fmt.Sprintf("%v, TTL %v, at %d", delay, ttl, at)
				cs, sum := explainBytes(t, pcapng(t, seenAt(stale, at, delay, ttl), nil), Options{})
				if len(cs) != 1 || cs[0].Cause != CauseStaleIdle || cs[0].Tap != want {
					t.Errorf("%s: %d, %s, tap %q", name, len(cs), cs[0].Cause, cs[0].Tap)
				}
				says := map[tapAt]string{atClient: "the client's side (10.0.0.1): ", atServer: "the server's side (10.0.0.2): ", between: "a point between: "}[at]
				if !strings.HasPrefix(sum.SeenFrom, says) {
					t.Errorf("%s: seen from %q", name, sum.SeenFrom)
				}
				if tellsTTL := strings.Contains(sum.SeenFrom, "no router"); at != between && tellsTTL != ttl {
					t.Errorf("%s: seen from %q", name, sum.SeenFrom)
				}
				t.Log(sum.SeenFrom)
				cs, _ = explainBytes(t, pcapng(t, seenAt(crossing, at, delay, ttl), nil), Options{})
				if len(cs) != 1 || cs[0].Cause != CauseStaleCrossing {
					t.Errorf("%s: crossing is %s: %s", name, cs[0].Cause, cs[0].Text)
				}
			}
		}
	}
}

// TestBeside: what the place of the tap adds to a verdict, and takes from it.
func TestBeside(t *testing.T) {
	const d = 0.02
	delay := 20 * time.Millisecond
	tests := []struct {
		name   string
		script []line
		at     tapAt
		cause  Cause
		says   string // in the text
		silent string // not in the text
	}{
		{"a FIN that is not acknowledged, at its sender", far(d, line{5, 'S', "F.", sOK, cReq, "", nil}),
			atServer, CauseHalfClosed, "does not show whether it arrived", ""},
		{"the same at its receiver", far(d, line{5, 'S', "F.", sOK, cReq, "", nil}),
			atClient, CauseHalfClosed, "FIN_WAIT1", "whether it arrived"},
		{"FINs that come as far as the client's tap", far(d,
			line{5, 'S', "F.", sOK, cReq, "", nil}, line{5.2, 'S', "F.", sOK, cReq, "", nil}, line{5.6, 'S', "F.", sOK, cReq, "", nil},
			line{6, 'C', "P.", cReq, sOK, get, nil}, line{6.0201, 'S', "R", sOK, 0, "", nil}),
			atClient, CauseStaleFinLost, "as far as the tap", ""},
		{"the same at the server", far(d,
			line{5, 'S', "F.", sOK, cReq, "", nil}, line{5.2, 'S', "F.", sOK, cReq, "", nil}, line{5.6, 'S', "F.", sOK, cReq, "", nil},
			line{6, 'C', "P.", cReq, sOK, get, nil}, line{6.0201, 'S', "R", sOK, 0, "", nil}),
			atServer, CauseStaleFinLost, "none reached the client, which", "tap"},
		{"a FIN that the client's tap saw long before the request is no crossing", far(d,
			line{5, 'S', "F.", sOK, cReq, "", nil}, line{5.17, 'C', "P.", cReq, sOK, get, nil}, line{5.1901, 'S', "R", sOK, 0, "", nil}),
			atClient, CauseUnexplained, "", ""},
		{"forgotten there", far(d, line{60, 'C', "P.", cReq, sOK, get, nil}, line{60.0201, 'S', "R", sOK, 0, "", nil}),
			atServer, CauseFlowForgotten, "there, on whose side the tap was", "box between"},
		{"forgotten there or between", far(d, line{60, 'C', "P.", cReq, sOK, get, nil}, line{60.0201, 'S', "R", sOK, 0, "", nil}),
			atClient, CauseFlowForgotten, "or at a box between", ""},
	}
	for _, tt := range tests {
		for _, ttl := range []bool{false, true} {
			c := one(t, seenAt(tt.script, tt.at, delay, ttl))
			if c.Cause != tt.cause || !strings.Contains(c.Text, tt.says) || tt.silent != "" && strings.Contains(c.Text, tt.silent) {
				t.Errorf("%s: %s: %s", tt.name, c.Cause, c.Text)
			}
		}
	}
}

// TestSeenFromMore: without handshakes, and by the size of segments.
func TestSeenFromMore(t *testing.T) {
	port := func(n int, server netip.Addr) func(*wire) {
		return func(w *wire) {
			cp, sp := netip.AddrPortFrom(clientAddr.Addr(), uint16(20000+n)), netip.AddrPortFrom(server, 80)
			if w.src == clientAddr {
				w.src, w.dst = cp, sp
			} else {
				w.src, w.dst = sp, cp
			}
		}
	}
	other := netip.MustParseAddr("10.0.0.9")
	var middle, big []Packet
	for i := range 5 {
		script := far(0.02)
		for j := range script {
			script[j].opt = port(i, serverAddr.Addr())
		}
		middle = append(middle, seenAt(script[3:], atServer, 20*time.Millisecond, false)...)
		server := serverAddr.Addr()
		if i%2 == 1 {
			server = other
		}
		mss := func(w *wire) {
			port(i, server)(w)
			w.tcpOptions = []byte{2, 4, 5, 0xb4}
		}
		script = opened(line{0.001, 'C', "P.", 1, 1, get + strings.Repeat("x", 5000), port(i, server)})
		script[0].opt, script[1].opt, script[2].opt = mss, mss, port(i, server)
		big = append(big, build(script)...)
	}
	for name, tt := range map[string]struct {
		ps   []Packet
		want string
	}{
		"middle":  {middle, "the side of 10.0.0.2: it acknowledges data after 0.02 ms, everybody else not before 40 ms"},
		"offload": {big, "the host 10.0.0.1: all segments larger than the MSS"},
	} {
		if _, sum := explainBytes(t, pcapng(t, tt.ps, nil), Options{}); !strings.HasPrefix(sum.SeenFrom, tt.want) {
			t.Errorf("%s: %q", name, sum.SeenFrom)
		}
	}
}

// TestSameAtBothEnds captures connections at both ends of a path and on it: what
// is on its way there comes in another order, and must not become another cause.
func TestSameAtBothEnds(t *testing.T) {
	const d, k = 0.02, 0.00002 // each way; what a kernel needs
	delay := 20 * time.Millisecond
	body := uint32(len(longAns))
	half := uint32(len(ok)) - 5
	post := "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n"
	early := "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n"
	for name, tt := range map[string]struct {
		cause  Cause
		script []line
	}{
		"closed by the client": {CauseClosed, []line{
			{3, 'C', "F.", cReq, sOK, "", nil},
			{3 + d + k, 'S', "F.", sOK, cReq + 1, "", nil},
			{3 + 2*d + 2*k, 'C', ".", cReq + 1, sOK + 1, "", nil}}},
		"closed by the server": {CauseClosed, []line{
			{3, 'S', "F.", sOK, cReq, "", nil},
			{3 + d + k, 'C', "F.", cReq, sOK + 1, "", nil},
			{3 + 2*d + 2*k, 'S', ".", sOK + 1, cReq + 1, "", nil}}},
		"closed by both": {CauseClosed, []line{
			{3, 'S', "F.", sOK, cReq, "", nil},
			{3 + d/2, 'C', "F.", cReq, sOK, "", nil},
			{3 + d + k, 'C', ".", cReq + 1, sOK + 1, "", nil},
			{3 + 1.5*d + k, 'S', ".", sOK + 1, cReq + 1, "", nil}}},
		"discarded": {CauseDiscarded, []line{
			{3, 'S', "F.", sOK, cReq, "", nil},
			{3 + d + 0.04, 'C', ".", cReq, sOK + 1, "", nil},
			{4, 'C', "R.", cReq, sOK + 1, "", nil}}},
		"abandoned before the answer": {CauseAbandoned, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', ".", sOK, 2*cReq - 1, "", nil},
			{1.5, 'C', "F.", 2*cReq - 1, sOK, "", nil},
			{1.5 + d + 0.04, 'S', ".", sOK, 2 * cReq, "", nil},
			{2, 'S', "P.", sOK, 2 * cReq, ok, nil},
			{2 + d + k, 'C', "R", 2*cReq - 1, 0, "", nil}}},
		"abandoned while the answer is on its way": {CauseAbandoned, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', ".", sOK, 2*cReq - 1, "", nil},
			{1.5, 'S', "P.", sOK, 2*cReq - 1, ok, nil},
			{1.5 + d/2, 'C', "F.", 2*cReq - 1, sOK, "", nil},
			{1.5 + d + k, 'C', "R", 2*cReq - 1, 0, "", nil},
			{1.5 + 1.5*d + k, 'S', "F.", 2*sOK - 1, 2 * cReq, "", nil},
			{1.5 + 2.5*d + 2*k, 'C', "R", 2 * cReq, 0, "", nil}}},
		"abandoned inside the answer": {CauseAbandoned, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', "P.", sOK, 2*cReq - 1, ok[:half], nil},
			{1 + d + 0.01, 'S', "P.", sOK + half, 2*cReq - 1, ok[half:], nil},
			{1 + 2*d + 2*k, 'C', ".", 2*cReq - 1, sOK + half, "", nil},
			{1 + 2*d + 3*k, 'C', "F.", 2*cReq - 1, sOK + half, "", nil},
			{1 + 2*d + 0.0101, 'C', "R", 2*cReq - 1, 0, "", nil},
			{1 + 3*d + 4*k, 'S', "F.", 2*sOK - 1, 2 * cReq, "", nil},
			{1 + 4*d + 5*k, 'C', "R", 2 * cReq, 0, "", nil}}},
		"abandoned by RST inside the answer": {CauseAbandoned, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', "P.", sOK, 2*cReq - 1, ok[:half], nil},
			{1 + d + 0.01, 'S', "P.", sOK + half, 2*cReq - 1, ok[half:], nil},
			{1 + 2*d + 2*k, 'C', ".", 2*cReq - 1, sOK + half, "", nil},
			{1 + 2*d + 3*k, 'C', "R.", 2*cReq - 1, sOK + half, "", nil},
			{1 + 2*d + 0.0101, 'C', "R", 2*cReq - 1, 0, "", nil}}},
		"abandoned by RST while the answer is on its way": {CauseAbandoned, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', ".", sOK, 2*cReq - 1, "", nil},
			{1.5, 'S', "P.", sOK, 2*cReq - 1, ok, nil},
			{1.5 + d/2, 'C', "R.", 2*cReq - 1, sOK, "", nil},
			{1.5 + d + k, 'C', "R", 2*cReq - 1, 0, "", nil}}},
		"aborted before the answer": {CauseAborted, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', ".", sOK, 2*cReq - 1, "", nil},
			{1.5, 'S', "R.", sOK, 2*cReq - 1, "", nil}}},
		"aborted inside the answer": {CauseAborted, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', "P.", sOK, 2*cReq - 1, longAns, nil},
			{1 + d + 0.001, 'S', "R.", sOK + body, 2*cReq - 1, "", nil},
			{1 + 2*d + 2*k, 'C', ".", 2*cReq - 1, sOK + body, "", nil},
			{1 + 3*d + 3*k, 'S', "R", sOK + body, 0, "", nil}}},
		"aborted while a request is on its way": {CauseAborted, []line{
			{3, 'S', "R.", sOK, cReq, "", nil},
			{3 + d/2, 'C', "P.", cReq, sOK, get, nil},
			{3 + 1.5*d + k, 'S', "R", sOK, 0, "", nil}}},
		"aborted by the client after the answer": {CauseAborted, []line{
			{1, 'C', "R.", cReq, sOK, "", nil}}},
		"truncated": {CauseTruncated, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', "P.", sOK, 2*cReq - 1, longAns, nil},
			{1 + d + 0.001, 'S', "F.", sOK + body, 2*cReq - 1, "", nil},
			{1 + 2*d + 2*k, 'C', ".", 2*cReq - 1, sOK + body, "", nil},
			{1 + 2*d + 0.001 + k, 'C', "F.", 2*cReq - 1, sOK + body + 1, "", nil},
			{1 + 3*d + 0.001 + 2*k, 'S', ".", sOK + body + 1, 2 * cReq, "", nil}}},
		"no response": {CauseNoResponse, []line{
			{1, 'C', "P.", cReq, sOK, get, nil},
			{1 + d + k, 'S', ".", sOK, 2*cReq - 1, "", nil},
			{1.5, 'S', "F.", sOK, 2*cReq - 1, "", nil},
			{1.5 + d + k, 'C', "F.", 2*cReq - 1, sOK + 1, "", nil},
			{1.5 + 2*d + 2*k, 'S', ".", sOK + 1, 2 * cReq, "", nil}}},
		"early close": {CauseEarlyClose, []line{
			{1, 'C', ".", cReq, sOK, post, nil},
			{1 + k, 'C', ".", cReq + 41, sOK, strings.Repeat("x", 1000), nil},
			{1 + d/2, 'C', ".", cReq + 1041, sOK, strings.Repeat("x", 1000), nil},
			{1 + d + 2*k, 'S', "P.", sOK, cReq + 1041, early, nil},
			{1 + d + 3*k, 'S', "F.", sOK + 37, cReq + 1041, "", nil},
			{1 + 1.5*d + k, 'S', "R", sOK + 38, 0, "", nil}}},
	} {
		for at, where := range []string{"client", "between", "server"} {
			for _, ttl := range []bool{false, true} {
				c := one(t, seenAt(far(d, tt.script...), tapAt(at), delay, ttl))
				if c.Cause != tt.cause && c.Cause != CauseUnexplained {
					t.Errorf("%s, at the %s: %s: %s", name, where, c.Cause, c.Text)
				}
				if c.Cause == CauseUnexplained {
					t.Logf("%s, at the %s: %s", name, where, c.Text)
				}
			}
		}
	}
}
