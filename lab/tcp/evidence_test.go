package tcp

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const trace = `# tracer: nop
java-20177   [001] .Ns1.  5258.157533: tcp_send_reset: skbaddr=000000001f36af01 skaddr=0000000092d2f3de src=10.0.0.2:80 dest=10.0.0.1:40000 state=TCP_TIME_WAIT reason=TCP_TIMEWAIT_SOCKET
 <idle>-0    [001] ..s1.  5260.1: tcp_send_reset: skbaddr=1 skaddr=2 src=[::ffff:10.0.0.9]:80 dest=[::ffff:10.0.0.1]:40000 state=TCP_CLOSE reason=TCP_ABORT_ON_CLOSE
 nginx-1     [000] .....  5261.0: tcp_receive_reset: family=AF_INET sport=80
`

func script(t *testing.T, name string) []Conversation {
	t.Helper()
	for _, s := range scripts {
		if s.name == name {
			return explain(t, s.script)
		}
	}
	t.Fatalf("no script %q", name)
	return nil
}

func TestKernelEvidence(t *testing.T) {
	events, err := ReadKernel(strings.NewReader(trace))
	if err != nil || len(events) != 2 || events[1].From.String() != "10.0.0.9:80" || events[1].Reason != "TCP_ABORT_ON_CLOSE" {
		t.Fatalf("%v %+v", err, events)
	}
	e := Evidence{Kernel: events, KernelWhole: true}
	cs := script(t, "stale-idle")
	e.Refine(cs)
	if cs[0].Basis != Kernel || cs[0].Cause != CauseStaleIdle || !strings.HasSuffix(cs[0].Text, "The kernel's reason: TCP_TIMEWAIT_SOCKET, data came for a connection in FIN_WAIT2 or TIME_WAIT, which no process owns.") {
		t.Errorf("%+v", cs[0])
	}
	cs = script(t, "aborted by the server with the request unread")
	e.Refine(cs)
	if cs[0].Cause != CauseAborted || !strings.Contains(cs[0].Contradiction, "TCP_TIMEWAIT_SOCKET") {
		t.Errorf("%+v", cs[0])
	}
}

// TestKernelWhole: what the silence of a whole trace proves, and what not.
func TestKernelWhole(t *testing.T) {
	const (
		none      = ""
		noSocket  = "tcp_send_reset: src=10.0.0.2:80 dest=10.0.0.1:40000 state=UNKNOWN reason=NO_SOCKET"
		unread    = "tcp_send_reset: src=10.0.0.2:80 dest=10.0.0.1:40000 state=TCP_CLOSE reason=TCP_ABORT_ON_CLOSE"
		listener  = "tcp_send_reset: src=0.0.0.0:80 dest=0.0.0.0:0 state=TCP_LISTEN reason=TCP_FLAGS"
		bound     = "tcp_send_reset: src=10.0.0.2:80 dest=0.0.0.0:0 state=TCP_LISTEN reason=TCP_FLAGS"
		overflow  = "tcp_send_reset: src=[::]:80 dest=[::]:0 state=TCP_LISTEN reason=TCP_OVERFLOW"
		otherPort = "tcp_send_reset: src=0.0.0.0:8080 dest=0.0.0.0:0 state=TCP_LISTEN reason=TCP_FLAGS"
		aborted   = "aborted by the server with the request unread"
		answered  = "abandoned by FIN, answered later"
		full      = "accept-overflow with tcp_abort_on_overflow"
	)
	for _, tt := range []struct {
		script, trace string
		whole         bool
		cause         Cause
		basis         Basis
		contradiction string
	}{
		// Nothing but a kernel without a listener answers a SYN with RST.
		{"refused", none, false, CauseRefused, Wire, ""},
		{"refused", none, true, CauseRejected, Kernel, ""},
		{"refused", noSocket, true, CauseRefused, Kernel, ""},
		{"refused", listener, true, CauseRejected, Kernel, ""},
		{"refused", listener, false, CauseRefused, Wire, ""},
		// Nor does a listener act of its own accord.
		{aborted, none, false, CauseAborted, Wire, ""},
		{aborted, none, true, CauseRejected, Kernel, ""},
		{aborted, listener, true, CauseRejected, Kernel, ""},
		{aborted, unread, true, CauseAborted, Kernel, ""},
		{"keepalive-timeout", none, true, CauseKeepaliveTimeout, Wire, "no kernel"},
		{"keepalive-timeout", listener, true, CauseKeepaliveTimeout, Wire, "no kernel"},
		// But what comes for no connection it answers, and does not say to whom.
		{"flow-forgotten", none, true, CauseFlowForgotten, Wire, ""},
		{"flow-forgotten", listener, true, CauseFlowForgotten, Kernel, ""},
		{"flow-forgotten", bound, false, CauseFlowForgotten, Kernel, ""},
		{"flow-forgotten", otherPort, true, CauseFlowForgotten, Wire, ""},
		{"flow-forgotten", overflow, true, CauseFlowForgotten, Wire, ""}, // another's
		{"flow-forgotten", unread, true, CauseFlowForgotten, Wire, "TCP_ABORT_ON_CLOSE"},
		{"stale-idle", none, true, CauseStaleIdle, Wire, ""},
		{"stale-idle", listener, true, CauseStaleIdle, Kernel, ""},
		{full, none, true, CauseAcceptOverflow, Inferred, ""},
		{full, overflow, true, CauseAcceptOverflow, Kernel, ""},
		{"unknown past", none, true, CauseUnexplained, Wire, ""},
		// Nothing listens on a client's port.
		{answered, none, false, CauseAbandoned, Wire, ""},
		{answered, none, true, CauseAbandoned, Wire, "no kernel"},
	} {
		events, err := ReadKernel(strings.NewReader(tt.trace))
		if err != nil {
			t.Fatal(err)
		}
		cs := script(t, tt.script)
		Evidence{Kernel: events, KernelWhole: tt.whole}.Refine(cs)
		c := cs[0]
		if c.Cause != tt.cause || c.Basis != tt.basis || (c.Contradiction == "") != (tt.contradiction == "") || !strings.Contains(c.Contradiction, tt.contradiction) {
			t.Errorf("%s, whole %v, %q: %s, %s, %q", tt.script, tt.whole, tt.trace, c.Cause, c.Basis, c.Contradiction)
		}
		if c.Cause == CauseRejected && (c.ResetBy != ThirdParty || c.Resets[0].Kind != Forged || c.Advice != CauseRejected.Info().Advice) {
			t.Errorf("%s: %+v", tt.script, c)
		}
	}
}

func TestCounters(t *testing.T) {
	for in, want := range map[string]string{
		`{"10.0.0.2":[{"name":"Tcp:OutRsts","before":3,"after":4},{"name":"TcpExt:TCPAbortOnClose","before":0,"after":1}]}`:         "unread data (TCPAbortOnClose +1)",
		`{"10.0.0.2":[{"name":"Tcp:OutRsts","before":3,"after":4},{"name":"TcpExt:TCPAbortOnData","before":0,"after":1}]}`:          "SO_LINGER 0, or had closed it when more data came (TCPAbortOnData +1)",
		`{"10.0.0.2":[{"name":"Tcp:OutRsts","before":3,"after":4}]}`:                                                                "closed its listener",
		"#kernel\nTcpOutRsts                      1                  0.0\nTcpExtTCPAbortOnClose           1                  0.0\n": "unread data (TCPAbortOnClose +1)", // nstat's
		`{"10.0.0.2":[{"name":"Tcp:OutRsts","before":3,"after":3}]}`:                                                                "",
	} {
		counters, err := ReadCounters(strings.NewReader(in), "10.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		cs := script(t, "aborted by the server with the request unread")
		Evidence{Counters: counters}.Refine(cs)
		if want == "" && cs[0].Contradiction == "" || want != "" && (!strings.Contains(cs[0].Text, want) || cs[0].Basis != Kernel) {
			t.Errorf("%s: %+v", in, cs[0])
		}
	}
}

// TestNstatOfNobody: what nstat prints names no host.
func TestNstatOfNobody(t *testing.T) {
	if _, err := ReadCounters(strings.NewReader("#kernel\nTcpOutRsts 1 0.0\n"), ""); err == nil || !strings.Contains(err.Error(), "HOST=FILE") {
		t.Error(err)
	}
}

// TestCountersOfOthers: a counter that another connection may have moved is told as
// a guess, and raises no basis.
func TestCountersOfOthers(t *testing.T) {
	aborted, other := script(t, "aborted by the server with the request unread")[0], script(t, "stale-idle")[0]
	for _, tt := range []struct {
		name     string
		counters map[string]int64
		cs       []Conversation
		says     string
	}{
		{"an RST that the capture lacks", map[string]int64{"Tcp:OutRsts": 2, "TcpExt:TCPAbortOnClose": 1}, []Conversation{aborted}, "A guess, for 10.0.0.2 sent other RSTs too (OutRsts +2): it closed it with unread data"},
		{"an RST of another cause", map[string]int64{"Tcp:OutRsts": 2, "TcpExt:TCPAbortOnClose": 1}, []Conversation{aborted, other}, "A guess"},
		{"two, and one moved it", map[string]int64{"Tcp:OutRsts": 2, "TcpExt:TCPAbortOnClose": 1}, []Conversation{aborted, aborted}, ""},
		{"a timer's", map[string]int64{"Tcp:OutRsts": 1, "TcpExt:TCPAbortOnTimeout": 1}, []Conversation{aborted}, ""},
	} {
		Evidence{Counters: map[string]map[string]int64{"10.0.0.2": tt.counters}}.Refine(tt.cs)
		c := tt.cs[0]
		if note := strings.TrimPrefix(c.Text, aborted.Text); c.Basis != Wire || (note == "") != (tt.says == "") || !strings.Contains(note, tt.says) || c.Advice == "" {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestSockets(t *testing.T) {
	sockets, err := ReadSockets(strings.NewReader("# ss -Htan on client, before request 2\nCLOSE-WAIT 1      0      10.0.0.1:40000 10.0.0.2:80\nLISTEN 0 1 *:80 *:*\n"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(err, sockets)
	}
	cs := script(t, "half-closed")
	Evidence{Sockets: sockets}.Refine(cs)
	if !strings.HasSuffix(cs[0].Text, "ss showed CLOSE-WAIT at the client.") {
		t.Error(cs[0].Text)
	}
}

// TestLogs joins a client's 502 with the upstream connection that caused it.
func TestLogs(t *testing.T) {
	bad := "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
	ps := build(opened(
		line{0.001, 'C', "P.", 1, 1, get, nil},
		line{0.010, 'S', "P.", 1, cReq, bad, nil},
		line{0.011, 'C', ".", cReq, 1 + uint32(len(bad)), "", nil}))
	up := func(w *wire) {
		if w.src == clientAddr {
			w.src, w.dst = endpointOf("10.0.0.2:50000"), endpointOf("10.0.0.3:8080")
		} else {
			w.dst, w.src = endpointOf("10.0.0.2:50000"), endpointOf("10.0.0.3:8080")
		}
	}
	ps = append(ps, build([]line{{0.004, 'C', "S", 0, 0, "", up}, {0.005, 'S', "R.", toSYN, 1, "", up}})...)
	cs, _ := explainBytes(t, pcapng(t, ps, nil), Options{})
	errors, err := ReadErrorLog(strings.NewReader("2026/11/01 10:00:00 [notice] 15#15: nginx/1.26.3\n"+
		`2026/11/01 10:00:00 [error] 16#16: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.1, server: test.foo.com, request: "GET /test HTTP/1.1", upstream: "http://10.0.0.3:8080/", host: "test.foo.com"`+"\n"), time.UTC)
	if err != nil || len(errors) != 2 || errors[1].Request != "GET /test" || errors[1].Upstream.String() != "10.0.0.3:8080" {
		t.Fatalf("%v %+v", err, errors)
	}
	access, err := ReadAccessLog(strings.NewReader(`10.0.0.1 - - [01/Nov/2026:10:00:00 +0000] "GET /test HTTP/1.1" 502 0 "-" "okhttp"` + "\n"))
	if err != nil || len(access) != 1 || access[0].Status != 502 || access[0].Request != "GET /test" {
		t.Fatalf("%v %+v", err, access)
	}
	Evidence{Errors: errors, Access: access}.Refine(cs)
	for _, c := range cs {
		want := "The 502 came of the connection 10.0.0.2:50000 → 10.0.0.3:8080, refused."
		if c.Cause == CauseRefused {
			want = `nginx's error log: "connect() failed (111: Connection refused) while connecting to upstream". 10.0.0.1:40000 was answered 502 for it (GET /test).`
		}
		if !strings.HasSuffix(c.Text, want) {
			t.Errorf("%s: %s", c.Cause, c.Text)
		}
	}
	clues := Evidence{Errors: errors, Access: access}.Clues()
	if len(clues) != 2 || clues[0].Causes[0] != CauseRefused || !strings.Contains(clues[0].Decide, "port 8080") || !slices.Contains(clues[1].Causes, CauseRefused) {
		t.Errorf("%+v", clues)
	}
}

// TestLogOfTLS: a line of the TLS handshake is told of the connection it speaks of,
// orderly as its end may look; one of a Unix socket of none.
func TestLogOfTLS(t *testing.T) {
	cs := script(t, "closed by the server")
	at := epoch.Format("2006/01/02 15:04:05")
	for _, tt := range []struct {
		line string
		told bool
	}{
		{"[info] 1#1: *1 peer closed connection in SSL handshake while SSL handshaking, client: 10.0.0.1, server: 0.0.0.0:443", true},
		{"[error] 1#1: *1 SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream, client: 10.0.0.9, upstream: \"https://10.0.0.2:80/\"", true},
		{"[error] 1#1: *1 connection timed out (110: Connection timed out) while proxying connection, client: 10.0.0.9, upstream: \"10.0.0.2:80\"", true},
		{"[error] 1#1: *1 SSL_do_handshake() failed (SSL: x) while SSL handshaking to upstream, client: 10.0.0.1, upstream: \"https://10.0.0.7:80/\"", false},
		{"[crit] 1#1: *1 connect() to unix:/run/x.sock failed (111: Connection refused) while connecting to upstream, client: 10.0.0.1, upstream: \"http://unix:/run/x.sock:/\"", false},
		{"[error] 1#1: *1 no live upstreams while connecting to upstream, client: 10.0.0.1, upstream: \"http://backend/\"", false},
	} {
		errors, err := ReadErrorLog(strings.NewReader(at+" "+tt.line+"\n"), time.UTC)
		if err != nil || len(errors) != 1 {
			t.Fatal(err, errors)
		}
		c := slices.Clone(cs)
		Evidence{Errors: errors}.Refine(c)
		if told := c[0].Log != "" && strings.Contains(c[0].Text, "nginx's error log: "); told != tt.told || c[0].Cause != CauseClosed {
			t.Errorf("%s: %+v", tt.line, c[0])
		}
	}
}

// TestLogAmongRequests: of a connection with several requests it is not said
// which answer a line is of; and what may be of two is a guess.
func TestLogAmongRequests(t *testing.T) {
	upstream := Conversation{Client: endpointOf("10.0.0.2:50000"), Server: endpointOf("10.0.0.3:8080"), Cause: CauseRefused, Start: epoch, End: epoch}
	client := Conversation{Client: clientAddr, Server: serverAddr, Cause: CauseOpen, Requests: 3, Responses: 3, Status: 200, Request: "GET /test", Start: epoch, End: epoch.Add(time.Minute)}
	line := LogLine{Time: epoch, Message: "connect() failed (111: Connection refused) while connecting to upstream", Client: clientAddr.Addr(), Request: "GET /test", Upstream: upstream.Server}
	cs := []Conversation{upstream, client}
	Evidence{Errors: []LogLine{line}}.Refine(cs)
	if !strings.HasSuffix(cs[0].Text, "It was for a request of 10.0.0.1:40000 (GET /test).") || !strings.HasSuffix(cs[1].Text, "Behind one of its requests (GET /test) lies the connection 10.0.0.2:50000 → 10.0.0.3:8080, refused.") {
		t.Errorf("%q\n%q", cs[0].Text, cs[1].Text)
	}
	later := upstream
	later.Start, later.End = epoch.Add(time.Second), epoch.Add(time.Second)
	cs = []Conversation{later, upstream, client}
	Evidence{Errors: []LogLine{line}}.Refine(cs)
	if cs[0].Log != "" || !strings.Contains(cs[1].Text, "a guess") {
		t.Errorf("%q\n%q", cs[0].Text, cs[1].Text)
	}
}

// TestLogOfTheDead: of two connections that a line may be of, the one that died is
// more likely it.
func TestLogOfTheDead(t *testing.T) {
	dead := Conversation{Client: endpointOf("10.0.0.2:50000"), Server: endpointOf("10.0.0.3:8080"), Cause: CauseVanished, Start: epoch, End: epoch}
	open := dead
	open.Cause, open.End = CauseOpen, epoch.Add(2*time.Second)
	cs := []Conversation{open, dead}
	Evidence{Errors: []LogLine{{Time: open.End.Add(-time.Second), Message: "upstream timed out (110: Connection timed out) while reading", Upstream: dead.Server}}}.Refine(cs)
	if cs[0].Log != "" || !strings.Contains(cs[1].Text, "a guess") {
		t.Errorf("%+v", cs)
	}
}

// TestLogOfMany: each line is told once, each connection has one line, and the
// client behind them is told of one.
func TestLogOfMany(t *testing.T) {
	upstream := Conversation{Client: endpointOf("10.0.0.2:50000"), Server: endpointOf("10.0.0.3:8080"), Cause: CauseRefused, Start: epoch, End: epoch}
	client := Conversation{Client: clientAddr, Server: serverAddr, Cause: CauseOpen, Requests: 9, Status: 502, Request: "GET /test", Start: epoch, End: epoch}
	line := LogLine{Time: epoch, Message: "connect() failed (111: Connection refused)", Client: clientAddr.Addr(), Request: "GET /test", Upstream: upstream.Server}
	cs := []Conversation{upstream, upstream, upstream, client}
	Evidence{Errors: slices.Repeat([]LogLine{line}, 5)}.Refine(cs)
	for _, c := range cs[:3] {
		if strings.Count(c.Text, "error log") != 1 || strings.Count(c.Text, "It was for") != 1 || !strings.Contains(c.Text, "a guess") {
			t.Error(c.Text)
		}
	}
	if strings.Count(cs[3].Text, "Behind one of its requests") != 1 {
		t.Error(cs[3].Text)
	}
}

// TestKernelOfMany: an event is of one connection only, a listener's too.
func TestKernelOfMany(t *testing.T) {
	events, err := ReadKernel(strings.NewReader("tcp_send_reset: src=0.0.0.0:80 dest=0.0.0.0:0 state=TCP_LISTEN reason=TCP_FLAGS\n" +
		"tcp_send_reset: src=10.0.0.2:80 dest=10.0.0.1:40000 state=TCP_TIME_WAIT reason=TCP_TIMEWAIT_SOCKET\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := script(t, "stale-idle")[0]
	cs := []Conversation{c, c, c}
	Evidence{Kernel: events}.Refine(cs)
	var g Groups
	for _, c := range slices.Concat(cs, cs[:1]) {
		g.Add(c)
	}
	if text := g.List()[0].Text; !strings.HasSuffix(text, " The kernel's reason, 2 times: TCP_TIMEWAIT_SOCKET, data came for a connection in FIN_WAIT2 or TIME_WAIT, which no process owns. The kernel's reason, once: TCP_FLAGS, no connection, only a listener.") {
		t.Error(text)
	}
	if !strings.Contains(cs[0].Text, "TCP_TIMEWAIT_SOCKET") || !strings.Contains(cs[1].Text, "TCP_FLAGS") || cs[2].Basis != Wire {
		t.Errorf("%+v", cs)
	}
}

// TestMuchEvidence: what is too long is not cut in silence.
func TestMuchEvidence(t *testing.T) {
	if _, err := ReadKernel(strings.NewReader(strings.Repeat("\n", maxEvidence))); err != nil {
		t.Error(err)
	}
	if _, err := ReadKernel(strings.NewReader(strings.Repeat("\n", maxEvidence+1))); err == nil || !strings.Contains(err.Error(), "cut it") {
		t.Error(err)
	}
}
