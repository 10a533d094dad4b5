package tcp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClockGoesBack puts the clock of each script six seconds back, at every
// frame: no time in the words or the numbers is below zero.
func TestClockGoesBack(t *testing.T) {
	below := regexp.MustCompile(`-\d`)
	for _, tt := range scripts {
		whole := build(tt.script)
		for at := 1; at < len(whole); at++ {
			ps := slices.Clone(whole)
			for i := at; i < len(ps); i++ {
				ps[i].Time = ps[i].Time.Add(-6 * time.Second)
			}
			cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
			for _, c := range cs {
				if below.MatchString(c.Text) || c.Idle < 0 || c.Reuse < 0 || c.LongestRest < 0 || c.End.Before(c.Start) {
					t.Errorf("%s, back at frame %d: %+v", tt.name, at+1, c)
				}
			}
		}
	}
	if s := fmt.Sprint("a request ", span(-time.Second), " later"); strings.Contains(s, "-") {
		t.Error(s)
	}
}

// TestDecidedEarly: a verdict that did not wait says so, whatever it is.
func TestDecidedEarly(t *testing.T) {
	halfClosed := exchanged(line{3, 'S', "F.", sOK, cReq, "", nil}, line{3.01, 'C', ".", cReq, sOK + 1, "", nil})
	cs, _ := explainBytes(t, pcapng(t, build(append(halfClosed, line{4, 'c', "S", 0, 0, "", nil})), nil), Options{MaxFlows: 1})
	if len(cs) != 2 || !cs[0].DecidedEarly || cs[0].Cause != CauseHalfClosed || !strings.Contains(cs[0].Text, "It was decided early") {
		t.Errorf("%+v", cs)
	}
}

// TestAbortedText: who, when, what was open, and what that means.
func TestAbortedText(t *testing.T) {
	post := "POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n"
	early := "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n"
	for want, script := range map[string][]line{
		"the server reset the connection (RST, frame 5) 299 ms after the client's request GET /test (4), before a byte of the answer: it closed, or was killed, with the request unread, or it closed with SO_LINGER 0.": opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.3, 'S', "R.", 1, cReq, "", nil}),
		"the server reset the connection (RST, frame 7) 299 ms after the client's request GET /test (4), inside the answer that begins in frame 5, 90 bytes before the end that Content-Length announced; what of it is on its way may be lost, too.": opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.002, 'S', "P.", 1, cReq, longAns, nil},
			line{0.003, 'C', ".", cReq, 1 + uint32(len(longAns)), "", nil},
			line{0.3, 'S', "R.", 1 + uint32(len(longAns)), cReq, "", nil}),
		"the server reset the connection (RST, frame 6) 1.1 ms after the client's request POST / began (4), before all of it had come; its answer (status 413) may be lost with it.": opened(
			line{0.001, 'C', ".", 1, 1, post, nil},
			line{0.002, 'S', "P.", 1, 42, early, nil},
			line{0.0021, 'S', "R.", 1 + uint32(len(early)), 42, "", nil}),
		"the client reset the connection (RST, frame 8) 0.1 ms after the answer to the client's request GET /test was whole (6), without FIN: it had arrived, but perhaps was never read.": exchanged(
			line{0.0031, 'C', "R.", cReq, sOK, "", nil}),
		"the server reset the connection (RST, frame 6) 0.02 ms after the answer to the client's request GET /test was whole (5), without FIN: not all of it had arrived at the client.": opened(
			line{0.001, 'C', "P.", 1, 1, get, nil},
			line{0.002, 'S', "P.", 1, cReq, ok, nil},
			line{0.00202, 'S', "R.", sOK, cReq, "", nil}),
		"the server reset the idle connection (RST, frame 8) 55.0 s after the answer to the client's request GET /test was whole (6), without FIN: nothing was outstanding.": exchanged(
			line{55.003, 'S', "R.", sOK, cReq, "", nil}),
		"the server reset the idle connection (RST, frame 4) 5.0 s after the handshake, without FIN and before any data.": opened(
			line{5, 'S', "R.", 1, 1, "", nil}),
		"the server reset the connection (RST, frame 5) 5.0 s after the client's last data (4), without FIN; what was open then the capture does not show.": opened(
			line{1, 'C', "P.", 1, 1, "\x16\x03\x01 hello", nil},
			line{6, 'S', "R.", 1, 10, "", nil}),
	} {
		if c := explain(t, script)[0]; c.Cause != CauseAborted || c.Text != want {
			t.Errorf("%s: %s\nwant: %s", c.Cause, c.Text, want)
		}
	}
}

// TestAnnounced: what a server had said of how long it keeps the connection stands
// beside what came of it.
func TestAnnounced(t *testing.T) {
	exchange := func(request, answer string, rest func(req, ans uint32) []line) []line {
		req, ans := 1+uint32(len(request)), 1+uint32(len(answer))
		return opened(append([]line{
			{0.001, 'C', "P.", 1, 1, request, nil},
			{0.002, 'S', "P.", 1, req, answer, nil},
			{0.003, 'C', ".", req, ans, "", nil}}, rest(req, ans)...)...)
	}
	stale := func(req, ans uint32) []line {
		return []line{{5, 'S', "F.", ans, req, "", nil}, {5.04, 'C', ".", req, ans + 1, "", nil}, {6, 'C', "P.", req, ans + 1, get, nil}, {6.001, 'S', "R", ans + 1, 0, "", nil}}
	}
	closed := func(req, ans uint32) []line {
		return []line{{0.004, 'S', "F.", ans, req, "", nil}, {0.005, 'C', "F.", req, ans + 1, "", nil}, {0.006, 'S', ".", ans + 1, req + 1, "", nil}}
	}
	answer := func(first, fields string) string {
		return first + " 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\nok"
	}
	for name, tt := range map[string]struct {
		script []line
		cause  Cause
		said   Side
		text   string
	}{
		"a hint":                            {exchange(get, answer("HTTP/1.1", "Keep-Alive: timeout=5\r\n"), stale), CauseStaleIdle, "", "Its answers had said Keep-Alive: timeout=5."},
		"a close that is not heeded":        {exchange(get, answer("HTTP/1.1", "Connection: close\r\n"), stale), CauseStaleIdle, Server, "(Connection: close, or HTTP/1.0): the client need not have tried."},
		"HTTP/1.0":                          {exchange(get, answer("HTTP/1.0", ""), closed), CauseClosed, Server, "(FIN, frame 7) as announced, the client"},
		"HTTP/1.0 that keeps it":            {exchange(get, answer("HTTP/1.0", "Connection: keep-alive\r\n"), stale), CauseStaleIdle, "", "answered with RST (10)."},
		"a close":                           {exchange(get, answer("HTTP/1.1", "Connection: close\r\n"), closed), CauseClosed, Server, "(FIN, frame 7) as announced, the client"},
		"a close that the client asked for": {exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", answer("HTTP/1.1", ""), closed), CauseClosed, Client, "(FIN, frame 7) as the client had asked, the client"},
		"nothing":                           {exchange(get, answer("HTTP/1.1", ""), closed), CauseClosed, "", "(FIN, frame 7), the client"},
	} {
		t.Run(name, func(t *testing.T) {
			if c := explain(t, tt.script)[0]; c.Cause != tt.cause || c.SaidClose != tt.said || !strings.Contains(c.Text, tt.text) {
				t.Errorf("%s, %q: %s", c.Cause, c.SaidClose, c.Text)
			}
		})
	}
	until := exchange(get, "HTTP/1.0 200 OK\r\n\r\nok", closed)
	if c := explain(t, until)[0]; c.Cause != CauseClosed || c.Answer != AnswerWhole {
		t.Errorf("%s, answer %s: %s", c.Cause, c.Answer, c.Text)
	}
}

// TestToldAsItIs: who speaks another protocol, and how many of pipelined requests
// were answered.
func TestToldAsItIs(t *testing.T) {
	hello := "\x16\x03\x01\x00\xc8" + strings.Repeat("x", 200)
	no := "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
	all := 1 + 3*(cReq-1)
	for text, script := range map[string][]line{
		"the client speaks TLS and the server answers in HTTP/1": opened(
			line{0.001, 'C', "P.", 1, 1, hello, nil},
			line{0.002, 'S', "P.", 1, 206, no, nil},
			line{0.003, 'S', "F.", 1 + uint32(len(no)), 206, "", nil},
			line{0.004, 'C', "R.", 206, 2 + uint32(len(no)), "", nil}),
		"took 3 of the client's requests (the last, GET /test, since frame 4), answered 1, and closed (FIN, 6)": opened(
			line{0.001, 'C', "P.", 1, 1, get + get + get, nil},
			line{0.002, 'S', "P.", 1, all, ok, nil},
			line{0.003, 'S', "F.", sOK, all, "", nil},
			line{0.004, 'C', "F.", all, sOK + 1, "", nil}),
	} {
		if c := explain(t, script)[0]; !strings.Contains(c.Text, text) {
			t.Errorf("%s: %s", c.Cause, c.Text)
		}
	}
}
