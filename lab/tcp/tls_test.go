package tcp

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestTLSEnds: TLS is not read, but its last record tells whether its sender had
// said all that it had to say.
func TestTLSEnds(t *testing.T) {
	hello, shaken, request, answer, alert := tlsRecord(recordHandshake, 200), tlsRecord(recordHandshake, 800), tlsRecord(recordData, 300), tlsRecord(recordData, 200)+tlsRecord(recordData, 900), tlsRecord(recordData, 19)
	talk := func(says ...any) (script []line) {
		seq := map[byte]uint32{'C': 1, 'S': 1}
		peer := map[byte]byte{'C': 'S', 'S': 'C'}
		at := 0.001
		for i := 0; i < len(says); i += 3 {
			from := says[i].(string)[0]
			flags, data := says[i+1].(string), ""
			switch v := says[i+2].(type) {
			case string:
				data = v
			case float64:
				at += v
			}
			at += 0.001
			l := line{at, from, flags, seq[from], seq[peer[from]], data, nil}
			if flags == "R." {
				script = append(script, l)
				continue
			}
			seq[from] += uint32(len(data))
			if strings.Contains(flags, "F") {
				seq[from]++
			}
			script = append(script, l)
		}
		return opened(script...)
	}
	shake := []any{"C", "P.", hello, "S", "P.", shaken, "C", "P.", request, "S", "P.", answer, "C", ".", ""}
	for name, tt := range map[string]struct {
		says []any
		want Cause
	}{
		"closed by the server with close_notify, thrown away":              {append(shake, "C", ".", 5.0, "S", "P.", alert, "S", "F.", "", "C", "R.", ""), CauseDiscarded},
		"closed by the server without, perhaps in mid-answer":              {append(shake, "C", ".", 5.0, "S", "F.", "", "C", "R.", ""), CauseUnexplained},
		"closed by the client with close_notify":                           {append(shake, "C", ".", 5.0, "C", "P.", alert, "C", "F.", "", "S", "F.", "", "C", ".", ""), CauseClosed},
		"closed by the client, over an answer that stalled":                {append(shake, "C", ".", 0.3, "C", "P.", alert, "C", "F.", "", "S", "F.", "", "C", ".", ""), CauseUnexplained},
		"closed by the server, over an answer that stalled":                {append(shake, "C", ".", 0.3, "S", "P.", alert, "S", "F.", "", "C", "F.", "", "S", ".", ""), CauseUnexplained},
		"closed by the client, that waited for an answer":                  {append(shake, "C", "P.", request, "C", "P.", 2.0, "C", "P.", alert, "C", "F.", "", "S", "F.", "", "C", ".", ""), CauseUnexplained},
		"closed by the client in the handshake":                            {[]any{"C", "P.", hello, "C", ".", 2.0, "C", "F.", "", "S", "F.", "", "C", ".", ""}, CauseUnexplained},
		"refused by the server in the handshake":                           {[]any{"C", "P.", hello, "S", "P.", "\x15\x03\x03\x00\x02\x02\x28", "S", "F.", "", "C", "F.", "", "S", ".", ""}, CauseClosed},
		"closed by the server in the handshake":                            {[]any{"C", "P.", hello, "C", ".", 2.0, "S", "F.", "", "C", "F.", "", "S", ".", ""}, CauseUnexplained},
		"closed by the client, that had only shaken hands":                 {[]any{"C", "P.", hello, "S", "P.", shaken, "C", "P.", tlsRecord(recordData, 53), "C", ".", 1.0, "C", "F.", "", "S", "F.", "", "C", ".", ""}, CauseUnexplained},
		"closed by the client with GOAWAY and close_notify":                {append(shake, "C", ".", 5.0, "C", "P.", tlsRecord(recordData, 34)+alert, "C", "F.", "", "S", "F.", "", "C", ".", ""), CauseClosed},
		"closed by the client, whose short second request met bookkeeping": {append(shake, "C", "P.", tlsRecord(recordData, 53), "S", "P.", tlsRecord(recordData, 26), "C", ".", 2.0, "C", "F.", "", "S", "F.", "", "C", ".", ""), CauseUnexplained},
		"closed by the server, that said nothing to the second request":    {append(shake, "C", "P.", tlsRecord(recordData, 40), "S", ".", 2.0, "S", "P.", alert, "S", "F.", "", "C", "F.", "", "S", ".", ""), CauseUnexplained},
	} {
		t.Run(name, func(t *testing.T) {
			if c := explain(t, talk(tt.says...))[0]; c.Cause != tt.want {
				t.Errorf("%s, want %s: %s", c.Cause, tt.want, c.Text)
			}
		})
	}
}

// TestIdleBehindGoodbye: what is said with the FIN, GOAWAY and close_notify, does not
// end the rest of a connection; an answer does.
func TestIdleBehindGoodbye(t *testing.T) {
	frame := func(kind byte, n int) string { return http2Frame(kind, 0, n) }
	tls := []string{tlsRecord(recordHandshake, 128), strings.Repeat(tlsRecord(recordHandshake, 128), 6),
		tlsRecord(recordData, 53), strings.Repeat(tlsRecord(recordData, 250), 2), tlsRecord(recordData, 120), strings.Repeat(tlsRecord(recordData, 250), 3)}
	h2 := []string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0) + frame(1, 9), frame(4, 0) + frame(1, 9) + frame(0, 9)}
	for name, tt := range map[string]struct {
		said  []string // in turn, the client first, a millisecond each
		last  byte     // who closes
		bye   []string // 5 s later
		apart float64  // the good-bye, the FIN and what is before each
		idle  float64
	}{
		"close_notify":                  {tls, 'S', []string{tlsRecord(recordData, 19)}, 0.001, 5},
		"close_notify of the client":    {tls, 'C', []string{tlsRecord(recordData, 19)}, 0.001, 5},
		"GOAWAY, close_notify":          {tls, 'S', []string{tlsRecord(recordData, 34), tlsRecord(recordData, 19)}, 0.001, 5},
		"GOAWAY and close_notify":       {tls, 'S', []string{tlsRecord(recordData, 34) + tlsRecord(recordData, 19)}, 0.001, 5},
		"GOAWAY, no close_notify":       {tls, 'S', []string{tlsRecord(recordData, 34)}, 0.001, 5},
		"GOAWAY behind bookkeeping":     {append(tls, tlsRecord(recordData, 22)), 'S', []string{tlsRecord(recordData, 34), tlsRecord(recordData, 19)}, 0.001, 5},
		"an answer of its size":         {append(tls, tlsRecord(recordData, 120)), 'S', []string{tlsRecord(recordData, 34)}, 0.001, 0.001},
		"an answer before it":           {append(tls, tlsRecord(recordData, 120)), 'S', []string{tlsRecord(recordData, 60), tlsRecord(recordData, 19)}, 0.001, 0.002},
		"close_notify long before":      {tls, 'S', []string{tlsRecord(recordData, 19)}, 2, 2},
		"nothing":                       {tls, 'S', nil, 0.001, 5},
		"GOAWAY in the clear":           {h2, 'S', []string{frame(7, 8)}, 0.001, 5},
		"GOAWAY that says why":          {append(h2, frame(4, 0)), 'S', []string{frame(7, 30)}, 0.001, 5.001},
		"SETTINGS and PING":             {h2, 'S', []string{frame(4, 0) + frame(6, 8)}, 0.001, 5},
		"HEADERS":                       {h2, 'S', []string{frame(1, 8)}, 0.001, 0.001},
		"GOAWAY behind DATA, in one go": {h2, 'S', []string{frame(0, 8) + frame(7, 8)}, 0.001, 0.001},
	} {
		t.Run(name, func(t *testing.T) {
			var script []line
			at, seq := 0.0, map[byte]uint32{'C': 1, 'S': 1}
			say := func(from byte, flags, data string) {
				peer := 'C' + 'S' - from
				script = append(script, line{at, from, flags, seq[from], seq[peer], data, nil})
				seq[from] += uint32(len(data))
			}
			for i, data := range tt.said {
				at += 0.001
				say("CS"[i%2], "P.", data)
			}
			at += 5
			for _, data := range tt.bye {
				say(tt.last, "P.", data)
				at += tt.apart
			}
			say(tt.last, "F.", "")
			seq[tt.last]++
			at += 0.001
			say('C'+'S'-tt.last, "F.", "")
			c := explain(t, opened(script...))[0]
			if math.Abs(c.Idle-tt.idle) > 0.0005+0.001*float64(len(tt.bye)) || c.ClosedBy != map[byte]Side{'C': Client, 'S': Server}[tt.last] {
				t.Errorf("%s closed after %v s, want %v: %s", c.ClosedBy, c.Idle, tt.idle, c.Text)
			}
			t.Log(c.Text)
		})
	}
}

// TestAlert: the fatal alert that one end has sent in the open is told, and the
// connection is none that needs no attention.
func TestAlert(t *testing.T) {
	hello := tlsRecord(recordHandshake, 200)
	flight := tlsRecord(recordHandshake, 800)
	for said, tt := range map[string]struct {
		by     Side
		script []line
	}{
		"handshake failure": {Server, opened(
			line{0.001, 'C', "P.", 1, 1, hello, nil},
			line{0.002, 'S', "P.", 1, 206, "\x15\x03\x03\x00\x02\x02\x28", nil},
			line{0.003, 'S', "F.", 8, 206, "", nil},
			line{0.004, 'C', "F.", 206, 9, "", nil})},
		"unknown certificate authority": {Client, opened(
			line{0.001, 'C', "P.", 1, 1, hello, nil},
			line{0.002, 'S', "P.", 1, 206, flight, nil},
			line{0.003, 'C', "P.", 206, 806, "\x15\x03\x03\x00\x02\x02\x30", nil},
			line{0.004, 'C', "F.", 213, 806, "", nil},
			line{0.005, 'S', "F.", 806, 214, "", nil})},
		"": {"", opened( // close_notify
			line{0.001, 'C', "P.", 1, 1, hello, nil},
			line{0.002, 'S', "P.", 1, 206, flight, nil},
			line{0.003, 'C', "P.", 206, 806, "\x15\x03\x03\x00\x02\x01\x00", nil},
			line{0.004, 'C', "F.", 213, 806, "", nil},
			line{0.005, 'S', "F.", 806, 214, "", nil})},
	} {
		c := explain(t, tt.script)[0]
		if c.Cause != CauseClosed || c.Alert != said || c.AlertBy != tt.by || c.Healthy() != (said == "") || (c.Advice == AlertAdvice) != (said != "") || !strings.Contains(c.Text, said) {
			t.Errorf("%q: %s, %q by %q: %s", said, c.Cause, c.Alert, c.AlertBy, c.Text)
		}
		var g Groups
		g.Add(c)
		g.Add(c)
		if one := g.List()[0]; one.Healthy() != (said == "") || one.Unread != 2 || !strings.Contains(one.Text, said) {
			t.Errorf("%q: twice: %s", said, one.Text)
		}
	}
}

// TestAsked: what is known of an answer that was owed in TLS.
func TestAsked(t *testing.T) {
	hello := func(old bool) *talked {
		tk, ccs := newTalk(), tlsRecord(recordCCS, 1)
		tk.client("P.", tlsRecord(recordHandshake, 512))
		if old {
			tk.server("P.", tlsRecord(recordHandshake, 90)+tlsRecord(recordHandshake, 3000))
			tk.client("P.", tlsRecord(recordHandshake, 37)+ccs+tlsRecord(recordHandshake, 40))
			tk.server("P.", ccs+tlsRecord(recordHandshake, 40))
		} else {
			tk.server("P.", tlsRecord(recordHandshake, 122)+ccs+tlsRecord(recordData, 3000)+tlsRecord(recordData, 53))
			tk.client("P.", ccs+tlsRecord(recordData, 53))
			tk.server("P.", tlsRecord(recordData, 250)+tlsRecord(recordData, 250))
		}
		return tk
	}
	request, answer, bye := tlsRecord(recordData, 120), tlsRecord(recordData, 300), ""
	gone := func(tk *talked, after float64, late string) { // the client, and the server did not know
		tk.at += after
		tk.client("F.", bye)
		tk.server("P.", late)
		tk.client("R", "")
	}
	crossing := func(tk *talked, rest float64) {
		tk.at += rest
		before := tk.c
		tk.client("P.", request)
		tk.lines = append(tk.lines, line{tk.at, 'S', "F.", tk.s, before, "", nil}, line{tk.at + 0.00001, 'S', "R", tk.s, 0, "", nil})
	}
	for name, tt := range map[string]struct {
		old  bool
		play func(tk *talked)
		want Cause
	}{
		"the answer comes to who has left":                {false, func(tk *talked) { tk.client("P.", request); gone(tk, 1, answer) }, CauseAbandoned},
		"in TLS 1.2":                                      {true, func(tk *talked) { tk.client("P.", request); gone(tk, 1, answer) }, CauseAbandoned},
		"no more than a good-bye comes":                   {false, func(tk *talked) { tk.client("P.", request); gone(tk, 1, bye) }, CauseUnexplained},
		"what the client said is too small for a request": {false, func(tk *talked) { tk.client("P.", tlsRecord(recordData, 40)); gone(tk, 1, answer) }, CauseUnexplained},
		"the client leaves at once":                       {false, func(tk *talked) { tk.client("P.", request); gone(tk, 0.01, answer) }, CauseUnexplained},
		"what a WebSocket says needs no answer": {false, func(tk *talked) {
			tk.client("P.", request)
			tk.server("P.", answer)
			tk.at++
			tk.client("P.", request)
			gone(tk, 1, answer)
		}, CauseUnexplained},
		"nothing was asked":  {false, func(tk *talked) { gone(tk, 1, answer) }, CauseClosed},
		"nothing in TLS 1.2": {true, func(tk *talked) { gone(tk, 1, answer) }, CauseClosed},
		"a word":             {false, func(tk *talked) { tk.client("P.", tlsRecord(recordData, 30)); gone(tk, 1, answer) }, CauseUnexplained},
		"a request crosses the FIN, at the client's tap": {false, func(tk *talked) {
			tk.client("P.", request)
			tk.server("P.", answer)
			crossing(tk, 5)
		}, CauseStaleCrossing},
		"or goes on with one that was answered early": {false, func(tk *talked) {
			tk.client("P.", request)
			tk.server("P.", answer)
			crossing(tk, 0.2)
		}, CauseUnexplained},
		"what was before it was not answered": {false, func(tk *talked) { crossing(tk, 5) }, CauseUnexplained},
	} {
		tk := hello(tt.old)
		if bye = tlsRecord(recordData, alertLengths[0]); tt.old {
			bye = tlsRecord(recordAlert, 26)
		}
		tt.play(tk)
		if c := explain(t, tk.lines)[0]; c.Cause != tt.want {
			t.Errorf("%s: %s, want %s: %s", name, c.Cause, tt.want, c.Text)
		}
	}
}

// TestAnswered: what a server sends in TLS is an answer where session tickets cannot be
// all of it; else the connection is not said to be closed with nothing owed.
func TestAnswered(t *testing.T) {
	const server, client = 'S', 'C'
	type said struct {
		by   byte
		data string
	}
	ccs := tlsRecord(recordCCS, 1)
	hello, flight := said{client, tlsRecord(recordHandshake, 512)}, said{server, tlsRecord(recordHandshake, 122) + ccs + tlsRecord(recordData, 839) + tlsRecord(recordData, 281)}
	finished, request := said{client, ccs + tlsRecord(recordData, 53)}, said{client, tlsRecord(recordData, 120)}
	both := said{client, finished.data + request.data}
	ticket, answer, small := said{server, tlsRecord(recordData, 250)}, said{server, tlsRecord(recordData, 189)}, said{server, tlsRecord(recordData, 57)}
	old := []said{hello, {server, tlsRecord(recordHandshake, 93) + tlsRecord(recordHandshake, 819)},
		{client, tlsRecord(recordHandshake, 37) + ccs + tlsRecord(recordHandshake, 40)}, {server, tlsRecord(recordHandshake, 202) + ccs + tlsRecord(recordHandshake, 40)}}
	for name, tt := range map[string]struct {
		says []said
		want Cause
	}{
		"two tickets":                             {[]said{hello, flight, both, ticket, ticket}, CauseUnexplained},
		"two tickets and an answer":               {[]said{hello, flight, both, ticket, ticket, answer}, CauseClosed},
		"a ticket, or an answer":                  {[]said{hello, flight, both, answer}, CauseUnexplained},
		"tickets around the request":              {[]said{hello, flight, finished, ticket, request, ticket}, CauseUnexplained},
		"tickets around the request, answered":    {[]said{hello, flight, finished, ticket, request, ticket, answer}, CauseClosed},
		"the request behind the tickets":          {[]said{hello, flight, finished, ticket, ticket, request, answer}, CauseClosed},
		"behind the tickets, but only SETTINGS":   {[]said{hello, flight, finished, ticket, ticket, request, small}, CauseUnexplained},
		"a second request without its answer":     {[]said{hello, flight, both, ticket, ticket, answer, request}, CauseUnexplained},
		"a second flight behind HelloRetry":       {[]said{hello, {server, tlsRecord(recordHandshake, 88) + ccs}, hello, flight, both, ticket, ticket}, CauseUnexplained},
		"an upload, and WINDOW_UPDATEs in one":    {[]said{hello, flight, both, ticket, ticket, answer, {client, strings.Repeat(tlsRecord(recordData, 16000), 2)}, answer}, CauseUnexplained},
		"a request behind an upload":              {[]said{hello, flight, both, ticket, ticket, answer, {client, strings.Repeat(tlsRecord(recordData, 16000), 2)}, small, request, answer}, CauseClosed},
		"an answer that the request crosses":      {[]said{hello, flight, both, ticket, ticket, answer, request, small, small}, CauseUnexplained},
		"a ClientHello, and nothing":              {[]said{hello}, CauseUnexplained},
		"TLS 1.2":                                 {append(slices.Clone(old), request, answer), CauseClosed},
		"TLS 1.2, no answer":                      {append(slices.Clone(old), request), CauseUnexplained},
		"TLS 1.2, only SETTINGS":                  {append(slices.Clone(old), request, small), CauseUnexplained},
		"TLS 1.2, with a ticket for an answer":    {append(slices.Clone(old), request, ticket), CauseClosed},
		"TLS 1.2, a second request, not answered": {append(slices.Clone(old), request, answer, request), CauseUnexplained},
	} {
		t.Run(name, func(t *testing.T) {
			tk := newTalk()
			for _, s := range tt.says {
				if s.by == client {
					tk.client("P.", s.data)
				} else {
					tk.server("P.", s.data)
				}
			}
			tk.at += 2
			tk.client("F.", "")
			tk.server("F.", "")
			if c := explain(t, tk.lines)[0]; c.Cause != tt.want || c.Doubt == "" || !strings.Contains(c.Text, "is not to be seen") {
				t.Errorf("%s, want %s: %s", c.Cause, tt.want, c.Text)
			}
		})
	}
}

// TestFarewell: what comes behind a FIN in a protocol that is not read may be a
// request or a good-bye. Which, is not told by its size.
func TestFarewell(t *testing.T) {
	word := func(said string) []line {
		end := 7 + uint32(len(said))
		return opened(
			line{0.001, 'C', "P.", 1, 1, "PING\r\n", nil},
			line{0.002, 'S', "P.", 1, 7, "+PONG\r\n", nil},
			line{5, 'S', "F.", 8, 7, "", nil},
			line{6, 'C', "P.", 7, 9, said, nil},
			line{6.0001, 'C', "F.", end, 9, "", nil},
			line{6.001, 'S', "R", 9, 0, "", nil})
	}
	for said, want := range map[string]Cause{
		"PING\r\n":               CauseUnexplained,
		strings.Repeat("x", 200): CauseStaleIdle,
	} {
		if c := explain(t, word(said))[0]; c.Cause != want || want == CauseUnexplained && !strings.Contains(c.Text, "the server closed the connection 5.0 s after the last data (FIN, frame 6), the client sent data 1.0 s later (7), which was answered with RST (9)") {
			t.Errorf("%q: %s, want %s: %s", said, c.Cause, want, c.Text)
		}
	}
	for said, want := range map[string]bool{
		tlsRecord(recordData, 19):                              true, // close_notify, TLS 1.3
		tlsRecord(recordAlert, 26):                             true, // TLS 1.2
		tlsRecord(recordAlert, 80):                             true, // with AES-CBC and SHA-384
		tlsRecord(recordAlert, 80) + tlsRecord(recordData, 90): false,
		tlsRecord(recordData, 34) + tlsRecord(recordData, 19):  true,  // GOAWAY, close_notify
		tlsRecord(recordData, 34):                              false, // GOAWAY, or HEADERS
		tlsRecord(recordData, 90) + tlsRecord(recordData, 19):  false,
	} {
		if got := closeNotify([]byte(said)); got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}

// TestWithoutCloseNotify: that a server closed TLS without its farewell is said where
// the capture holds what it said last.
func TestWithoutCloseNotify(t *testing.T) {
	answer := tlsRecord(recordData, 200) + tlsRecord(recordData, 595)
	ps := build(opened(
		line{0.001, 'C', "P.", 1, 1, tlsRecord(recordHandshake, 200), nil},
		line{0.002, 'S', "P.", 1, 206, tlsRecord(recordHandshake, 800), nil},
		line{0.003, 'C', "P.", 206, 806, tlsRecord(recordData, 200), nil},
		line{0.004, 'S', "P.", 806, 411, answer, nil},
		line{0.005, 'C', ".", 411, 1611, "", nil},
		line{5, 'S', "F.", 1611, 411, "", nil},
		line{5.001, 'C', "F.", 411, 1612, "", nil}))
	const says = "without close_notify"
	if c := one(t, ps); c.Cause != CauseUnexplained || !strings.Contains(c.Text, says) {
		t.Errorf("%s: %s", c.Cause, c.Text)
	}
	if c := one(t, ps[:len(ps)-2]); c.Cause != CauseOpen {
		t.Errorf("before the FINs: %s: %s", c.Cause, c.Text)
	}
	lacking := append(slices.Clone(ps[:len(ps)-2]), build([]line{{5.002, 'C', ".", 412, 1612, "", nil}, {5.003, 'S', ".", 1612, 412, "", nil}})...)
	if c := one(t, lacking); c.Cause != CauseUnexplained {
		t.Errorf("without both FINs: %s: %s", c.Cause, c.Text)
	}
	if c := one(t, cutTo(60, ps)); strings.Contains(c.Text, says) {
		t.Errorf("cut to 60 bytes: %s", c.Text)
	}
}
