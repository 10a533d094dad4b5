package tcp

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A Clue is what a line of other evidence says of a connection's end, with no
// capture at hand.
type Clue struct {
	Source string  `json:"source"` // what the line is of: error log, access log, kernel, ss, counters
	Line   string  `json:"line"`   // safe for a terminal
	Means  string  `json:"means,omitempty"`
	Causes []Cause `json:"causes"` // candidates
	Decide string  `json:"decide"` // what would tell them apart
}

// Clues gives every line that speaks of a connection's end, in the order of the
// files.
func (e Evidence) Clues() []Clue {
	var all []Clue
	for _, l := range e.Errors {
		if h := l.hint(); h != nil {
			all = append(all, Clue{"error log", l.Text, h.means, h.causes, l.decide(h.decide)})
		}
	}
	for _, l := range e.Access {
		if s, ok := statuses[l.Status]; ok {
			all = append(all, Clue{"access log", l.Text, s.means, s.causes, s.decide})
		}
	}
	for _, k := range e.Kernel {
		means, known := "its trace gives no reason, as Linux does from 6.10 on", kernelReasons[k.Reason]
		switch {
		case known.means != "":
			means = "the kernel of " + k.From.Addr().String() + " sent RST: " + known.means
		case k.Reason != "":
			means = "the kernel's reason: " + k.Reason
		}
		all = append(all, Clue{"kernel", k.Text, means, known.causes, capturing(servicePort(k.From, k.To), "--kernel kernel.txt ")})
	}
	for _, s := range e.Sockets {
		if state, ok := socketStates[s.State]; ok {
			all = append(all, Clue{"ss", strings.TrimSpace(s.Text + "  " + s.When), state.means, state.causes, capturing(servicePort(s.Local, s.Peer), "--ss ss.txt ")})
		}
	}
	for _, host := range slices.Sorted(maps.Keys(e.Counters)) {
		for _, name := range slices.Sorted(maps.Keys(e.Counters[host])) {
			c, ok := counterMeans[name]
			if rose := e.Counters[host][name]; ok && rose > 0 {
				all = append(all, Clue{"counters", fmt.Sprintf("%s: %s +%d", host, name, rose), c.means, c.causes, capturing("", "--counters counters.json ")})
			}
		}
	}
	for i := range all {
		if all[i].Causes == nil {
			all[i].Causes = []Cause{}
		}
	}
	return all
}

// capturing is how to make the capture that decides, and how to read it.
func capturing(port, evidence string) string {
	filter := "tcp or icmp"
	if port != "" {
		filter = "tcp port " + port + " or icmp"
	}
	return fmt.Sprintf("tcpdump -ni any -w prod.pcap '%s', then lab explain %sprod.pcap", filter, evidence)
}

// servicePort is the lower one of two ports, more often than not the server's.
func servicePort(a, b netip.AddrPort) string {
	port := a.Port()
	if b.Port() != 0 && b.Port() < port || port == 0 {
		port = b.Port()
	}
	if port == 0 {
		return ""
	}
	return fmt.Sprint(port)
}

// A hint is what a kind of line may mean.
type hint struct {
	means  string // what is certain
	causes []Cause
	decide string
}

var (
	byCapture = capturing("PORT", "--log error.log ")
	byTLS     = "the reason that the line gives, and " + byCapture
)

// errorHints holds the messages of nginx that speak of a connection's end, the
// more special before the more general.
var errorHints = []struct {
	holds []string // all of them
	hint
}{
	{[]string{"connect() to ", "failed (99"}, hint{"nginx's host had no free port to connect from: there was no SYN, and no capture shows it", nil,
		"ss -tan state time-wait | wc -l, and sysctl net.ipv4.ip_local_port_range"}},
	{[]string{"exited on signal"}, hint{"a worker of nginx died, and the kernel closed all its connections",
		[]Cause{CauseNoResponse, CauseTruncated, CauseAborted, CauseAbandoned, CauseStaleIdle, CauseClosed}, byCapture}},
	{[]string{"connect() ", "failed (111"}, hint{"", []Cause{CauseRefused, CauseRejected, CauseUnreachable}, byCapture}},
	{[]string{"connect() ", "failed (113"}, hint{"", []Cause{CauseUnreachable, CauseUnanswered}, byCapture}},
	{[]string{"connect() ", "failed (101"}, hint{"", []Cause{CauseUnreachable}, byCapture}},
	{[]string{"connect() ", "failed (110"}, hint{"", []Cause{CauseUnanswered, CauseAcceptOverflow}, byCapture}},
	{[]string{"timed out (110: Connection timed out) while connecting"}, hint{"", []Cause{CauseUnanswered, CauseAcceptOverflow}, byCapture}},

	// Inside a TLS handshake nothing of HTTP is open: who closes, closes in order.
	{[]string{"timed out (110", "while SSL handshaking"}, hint{"the TLS handshake was not finished in time",
		[]Cause{CauseClosed, CauseHalfClosed, CauseVanished, CauseFlowForgotten}, byCapture}},
	{[]string{"(104", "while SSL handshaking"}, hint{"the connection was reset inside the TLS handshake",
		[]Cause{CauseAborted, CauseRejected, CauseAcceptOverflow, CauseFlowForgotten, CauseDiscarded, CauseClosed}, byTLS}},
	{[]string{"peer closed connection in SSL handshake"}, hint{"the other end closed inside the TLS handshake",
		[]Cause{CauseClosed, CauseDiscarded, CauseHalfClosed}, byTLS}},
	{[]string{"SSL_do_handshake() failed"}, hint{"the two ends did not agree on TLS, and one of them gave the connection up",
		[]Cause{CauseClosed, CauseDiscarded, CauseAborted, CauseHalfClosed}, byTLS}},
	{[]string{"upstream SSL certificate"}, hint{"nginx did not trust the upstream's certificate and gave the connection up",
		[]Cause{CauseClosed, CauseDiscarded, CauseAborted, CauseHalfClosed}, byTLS}},

	{[]string{"timed out (110", "while proxying connection"}, hint{"nothing came within proxy_timeout, and nginx closed",
		[]Cause{CauseClosed, CauseHalfClosed, CauseStaleIdle, CauseVanished, CauseAbandoned, CauseOpen}, byCapture}},
	{[]string{"timed out (110", "while proxying upgraded connection"}, hint{"nothing came through the tunnel within proxy_read_timeout, and nginx closed both its ends",
		[]Cause{CauseClosed, CauseHalfClosed, CauseStaleIdle, CauseVanished, CauseOpen}, byCapture}},
	{[]string{"upstream timed out (110"}, hint{"", []Cause{CauseVanished, CauseAbandoned, CauseOpen, CauseFlowForgotten}, byCapture}},
	{[]string{"client timed out (110"}, hint{"", []Cause{CauseClosed, CauseEarlyClose, CauseHalfClosed, CauseVanished, CauseTruncated, CauseAborted}, byCapture}},
	{[]string{"recv() failed (110"}, hint{"", []Cause{CauseKeepaliveTimeout, CauseVanished}, byCapture}},
	{[]string{"failed (103"}, hint{"nginx's own kernel threw the connection away, as ss -K does", []Cause{CauseAborted}, byCapture}},
	{[]string{"failed (104"}, hint{"", []Cause{CauseAborted, CauseStaleFinLost, CauseStaleCrossing, CauseStaleIdle, CauseFlowForgotten, CauseRejected, CauseEarlyClose, CauseAcceptOverflow}, byCapture}},
	{[]string{"failed (32: Broken pipe)"}, hint{"", []Cause{CauseEarlyClose, CauseAborted, CauseStaleIdle}, byCapture}},
	{[]string{"upstream prematurely closed connection while reading response header"}, hint{"", []Cause{CauseNoResponse, CauseStaleIdle, CauseStaleCrossing, CauseTruncated}, byCapture}},
	{[]string{"upstream prematurely closed connection while reading upstream"}, hint{"", []Cause{CauseTruncated}, byCapture}},
	{[]string{"upstream prematurely closed"}, hint{"", []Cause{CauseTruncated, CauseNoResponse}, byCapture}},
	{[]string{"upstream sent "}, hint{"nginx could not use the upstream's answer, for the reason that the line gives; it gave the connection up, and the client's answer may be cut",
		[]Cause{CauseAbandoned, CauseAborted, CauseDiscarded, CauseClosed, CauseTruncated, CauseNoResponse}, byCapture}},
	{[]string{"client prematurely closed connection"}, hint{"", []Cause{CauseAbandoned, CauseAborted}, byCapture}},
	{[]string{"no live upstreams"}, hint{"", []Cause{CauseRefused, CauseUnanswered, CauseAborted, CauseNoResponse}, "look for the lines before it that name the failures"}},
}

// hint is what a line of the error log may mean, nil when it does not speak of a
// connection's end.
func (l LogLine) hint() *hint {
	if strings.Contains(l.Message, " unix:") { // no TCP
		return nil
	}
next:
	for i := range errorHints {
		for _, part := range errorHints[i].holds {
			if !strings.Contains(l.Message, part) {
				continue next
			}
		}
		return &errorHints[i].hint
	}
	return nil
}

// decide fills in the port that a line of the error log speaks of.
func (l LogLine) decide(how string) string {
	if !l.Upstream.IsValid() {
		return strings.Replace(how, "tcp port PORT or", "tcp or", 1)
	}
	return strings.Replace(how, "PORT", fmt.Sprint(l.Upstream.Port()), 1)
}

const byErrorLog = "error.log says what failed: lab explain --log error.log; and "

// statuses are those of the access log with which nginx tells that a connection
// died.
var statuses = map[int]hint{
	408: {"the client did not send its request within client_header_timeout or client_body_timeout, and nginx closed",
		[]Cause{CauseClosed, CauseEarlyClose, CauseHalfClosed, CauseVanished, CauseAborted}, capturing("", "--access access.log ")},
	444: {"nginx was told to close without an answer (return 444)",
		[]Cause{CauseNoResponse, CauseEarlyClose, CauseAborted}, "the config: grep -r 444 /etc/nginx"},
	499: {"the client's connection ended before its answer was there",
		[]Cause{CauseAbandoned, CauseAborted, CauseRejected}, capturing("", "--access access.log ")},
	502: {"nginx got no usable answer from the upstream, or the upstream itself said 502; the causes are of the connection to it",
		[]Cause{CauseRefused, CauseRejected, CauseUnreachable, CauseAcceptOverflow, CauseAborted, CauseNoResponse, CauseTruncated, CauseEarlyClose,
			CauseStaleIdle, CauseStaleFinLost, CauseStaleCrossing, CauseFlowForgotten, CauseUnanswered}, byErrorLog + capturing("", "--log error.log ")},
	504: {"nginx waited for the upstream until a timeout of its own, or the upstream itself said 504; the causes are of the connection to it",
		[]Cause{CauseUnanswered, CauseAcceptOverflow, CauseAbandoned, CauseVanished, CauseFlowForgotten, CauseOpen}, byErrorLog + capturing("", "--log error.log ")},
}

// socketStates are those in which a socket has seen one end and not the other.
var socketStates = map[string]hint{
	"SYN-SENT":   {"no answer to its SYN so far", []Cause{CauseUnanswered, CauseAcceptOverflow}, ""},
	"SYN-RECV":   {"its SYN-ACK is not acknowledged, or the accept queue is full", []Cause{CauseAcceptOverflow, CauseUnanswered}, ""},
	"FIN-WAIT-1": {"it has closed, and its FIN is not acknowledged", []Cause{CauseVanished, CauseStaleFinLost, CauseHalfClosed}, ""},
	"FIN-WAIT-2": {"it has closed, the other end knows it and has not closed", []Cause{CauseHalfClosed, CauseStaleIdle}, ""},
	"CLOSE-WAIT": {"the other end has closed, and the process here has not: a request sent now may be answered with RST", []Cause{CauseHalfClosed, CauseStaleIdle, CauseAbandoned}, ""},
	"CLOSING":    {"both ends have closed, and the FIN of this one is not acknowledged", []Cause{CauseVanished, CauseClosed}, ""},
	"LAST-ACK":   {"both ends have closed, and the FIN of this one is not acknowledged", []Cause{CauseVanished, CauseClosed}, ""},
}

// counterMeans are the kernel's counters of connections that died (Linux,
// Documentation/networking/snmp_counter.rst).
var counterMeans = map[string]hint{
	"TcpExt:TCPAbortOnClose":   {"closed with unread data: RST", kernelReasons["TCP_ABORT_ON_CLOSE"].causes, ""},
	"TcpExt:TCPAbortOnData":    {"data came for a closed socket, or a socket was closed with SO_LINGER 0: RST", kernelReasons["TCP_ABORT_ON_DATA"].causes, ""},
	"TcpExt:TCPAbortOnTimeout": {"repetitions or probes stayed without answer", []Cause{CauseVanished, CauseKeepaliveTimeout, CauseUnanswered}, ""},
	"TcpExt:TCPAbortOnLinger":  {kernelReasons["TCP_ABORT_ON_LINGER"].means + ": RST", kernelReasons["TCP_ABORT_ON_LINGER"].causes, ""},
	"TcpExt:TCPAbortOnMemory":  {kernelReasons["TCP_ABORT_ON_MEMORY"].means + ": RST", kernelReasons["TCP_ABORT_ON_MEMORY"].causes, ""},
	"TcpExt:ListenOverflows":   {"an accept queue was full", []Cause{CauseAcceptOverflow}, ""},
}
