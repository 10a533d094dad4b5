package tcp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Evidence is what is known beside the capture. All of it may be missing.
type Evidence struct {
	Kernel []KernelReset
	// KernelWhole says that the trace has every RST which the kernels of the
	// capture's hosts sent while the conversations lasted, with Linux 6.10 or
	// later; those of listeners, which do not say to whom, may be left out. Then
	// an RST without an event that no listener can have sent is no stack's: one
	// that answers a SYN, or that its sender sent of its own accord.
	KernelWhole bool
	// Counters gives, by host name or address, how much each kernel counter
	// ("TcpExt:TCPAbortOnClose") rose.
	Counters map[string]map[string]int64
	Errors   []LogLine // nginx's error log
	Access   []LogLine // its access log, in a format that begins like "combined"
	Sockets  []Socket  // what ss showed
}

// KernelReset is an event of tracepoint tcp:tcp_send_reset (Linux,
// include/trace/events/tcp.h; the reason since 6.10).
type KernelReset struct {
	From, To netip.AddrPort // From sent the RST; of a listener's, To is zero and From has its port
	State    string         // TCP_TIME_WAIT, TCP_LISTEN, ...; UNKNOWN without a socket
	Reason   string         // TCP_ABORT_ON_CLOSE, NO_SOCKET, ...
	Text     string         // whole, safe for a terminal
}

// ReadKernel reads the text of a trace; other events are passed over.
func ReadKernel(r io.Reader) ([]KernelReset, error) {
	var events []KernelReset
	err := lines(r, func(line string) {
		_, rest, ok := strings.Cut(line, "tcp_send_reset:")
		if !ok {
			return
		}
		e := KernelReset{Text: clean(strings.TrimSpace(line))}
		for _, f := range strings.Fields(rest) {
			key, value, _ := strings.Cut(f, "=")
			switch key {
			case "src":
				e.From = endpointOf(value)
			case "dest":
				e.To = endpointOf(value)
			case "state":
				e.State = clean(value)
			case "reason":
				e.Reason = clean(value)
			}
		}
		events = append(events, e)
	})
	return events, err
}

// endpointOf reads an address as the tracepoint, ss and nginx write it.
func endpointOf(s string) netip.AddrPort {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// maxEvidence bounds the lines of one file, which are kept.
const maxEvidence = 1 << 20

func lines(r io.Reader, each func(string)) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for n := 0; s.Scan(); n++ {
		if n == maxEvidence {
			return fmt.Errorf("reading evidence: more than %d lines: cut it to the time of the capture", maxEvidence)
		}
		each(s.Text())
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("reading evidence: %w", err)
	}
	return nil
}

// ReadCounters reads how much counters rose: {"host": [{"name", "before", "after"}]},
// or what nstat prints on the host of this name.
func ReadCounters(r io.Reader, host string) (map[string]map[string]int64, error) {
	b := bufio.NewReader(r)
	if first, err := b.Peek(1); err == nil && first[0] != '{' {
		return readNstat(b, host)
	}
	r = b
	var in map[string][]struct {
		Name          string
		Before, After int64
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("reading counters: %w", err)
	}
	out := map[string]map[string]int64{}
	for host, counters := range in {
		host = clean(host)
		out[host] = map[string]int64{}
		for _, c := range counters {
			out[host][c.Name] = c.After - c.Before
		}
	}
	return out, nil
}

// readNstat reads lines of a counter's name, how much it rose, and a rate.
func readNstat(r io.Reader, host string) (map[string]map[string]int64, error) {
	if host == "" {
		return nil, errors.New("what nstat prints does not say of which host it is: give HOST=FILE, with the host's address")
	}
	rose := map[string]int64{}
	err := lines(r, func(line string) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		for _, group := range []string{"TcpExt", "Tcp"} { // /proc/net/netstat, /proc/net/snmp
			if name, ok := strings.CutPrefix(f[0], group); ok && err == nil {
				rose[group+":"+name] = n
				return
			}
		}
	})
	if len(rose) == 0 {
		return nil, err
	}
	return map[string]map[string]int64{clean(host): rose}, err
}

// Socket is a line of ss -tan.
type Socket struct {
	State       string
	Local, Peer netip.AddrPort
	When        string // the comment line above, which says when and where
	Text        string // whole, safe for a terminal
}

// ReadSockets reads the output of ss -tan; comment lines begin with #.
func ReadSockets(r io.Reader) ([]Socket, error) {
	var sockets []Socket
	when := ""
	err := lines(r, func(line string) {
		if rest, ok := strings.CutPrefix(line, "#"); ok {
			when = clean(strings.TrimSpace(rest))
			return
		}
		f := strings.Fields(line)
		if len(f) < 5 {
			return
		}
		s := Socket{State: f[0], Local: endpointOf(f[3]), Peer: endpointOf(f[4]), When: when, Text: clean(strings.Join(f, " "))}
		if s.Local.IsValid() && s.Peer.IsValid() {
			sockets = append(sockets, s)
		}
	})
	return sockets, err
}

// kernelReasons are the reasons that a kernel gives for an RST, with what each
// means and the causes it goes with.
var kernelReasons = map[string]struct {
	means  string
	causes []Cause
}{
	"TCP_ABORT_ON_CLOSE":       {"closed with unread data", []Cause{CauseAborted, CauseAbandoned, CauseDiscarded, CauseClosed, CauseEarlyClose, CauseStaleIdle}},
	"TCP_ABORT_ON_DATA":        {"data came for a closed socket", []Cause{CauseStaleCrossing, CauseStaleFinLost, CauseStaleIdle, CauseEarlyClose, CauseAbandoned, CauseClosed, CauseAborted}},
	"TCP_ABORT_ON_LINGER":      {"closed, and TCP_LINGER2 let it not wait for the other end's FIN", []Cause{CauseAborted, CauseAbandoned, CauseDiscarded, CauseClosed}},
	"TCP_ABORT_ON_MEMORY":      {"out of memory for orphaned sockets", []Cause{CauseAborted, CauseHalfClosed}},
	"TCP_STATE":                {"closed with SO_LINGER 0, or its listener was closed, or killed with ss -K", []Cause{CauseAborted, CauseAbandoned, CauseDiscarded, CauseClosed}},
	"TCP_DISCONNECT_WITH_DATA": {"disconnected with data to send", []Cause{CauseAborted, CauseAbandoned, CauseDiscarded, CauseClosed}},
	"TCP_KEEPALIVE_TIMEOUT":    {"keep-alive probes stayed without answer", []Cause{CauseKeepaliveTimeout}},
	"TCP_TIMEWAIT_SOCKET":      {"data came for a connection in FIN_WAIT2 or TIME_WAIT, which no process owns", []Cause{CauseStaleIdle, CauseEarlyClose, CauseAbandoned, CauseClosed}},
	"NO_SOCKET":                {"there was no socket", []Cause{CauseRefused, CauseFlowForgotten, CauseStaleIdle, CauseClosed, CauseStaleCrossing}},
	"TCP_FLAGS":                {"no connection, only a listener", []Cause{CauseFlowForgotten, CauseStaleIdle, CauseAcceptOverflow, CauseStaleCrossing, CauseClosed, CauseAborted}},
	"INVALID_SYN":              {"the accept queue was full, or the SYN was not valid", []Cause{CauseAcceptOverflow}},
	"TCP_OVERFLOW":             {"the accept queue was full", []Cause{CauseAcceptOverflow}},
}

// Refine adds other evidence to conversations: their basis rises from wire to
// kernel, aborted says why where that can be known, a refusal that no kernel
// made becomes rejected. What contradicts the wire is said, not hidden.
func (e Evidence) Refine(cs []Conversation) {
	t := untoldOf(e.Kernel)
	for i := range cs {
		e.kernel(&cs[i], t)
		e.sockets(&cs[i])
	}
	e.counters(cs)
	e.logs(cs)
}

func (c *Conversation) side(s Side) (netip.AddrPort, netip.AddrPort, string) {
	if s == Client {
		return c.Client, c.Server, c.ClientName
	}
	return c.Server, c.Client, c.ServerName
}

// Ending is the reset that ended the conversation, nil without.
func (c *Conversation) Ending() *Reset {
	if c.Cause == CauseClosed || c.Cause == CauseHalfClosed || c.Cause == CauseRejected {
		return nil
	}
	i := slices.IndexFunc(c.Resets, func(r Reset) bool { return !r.over })
	if i < 0 {
		return nil
	}
	return &c.Resets[i]
}

func (c *Conversation) note(format string, args ...any) {
	c.Text += " " + fmt.Sprintf(format, args...)
}

// untold holds the events of a trace that no conversation has taken yet: one of an
// earlier connection on the same ports is not one of a later.
type untold struct {
	exact     map[[2]netip.AddrPort][]*KernelReset
	listeners map[uint16][]*KernelReset
}

func untoldOf(events []KernelReset) untold {
	t := untold{map[[2]netip.AddrPort][]*KernelReset{}, map[uint16][]*KernelReset{}}
	for i := range events {
		k := &events[i]
		if k.To.Port() == 0 {
			t.listeners[k.From.Port()] = append(t.listeners[k.From.Port()], k)
			continue
		}
		ends := [2]netip.AddrPort{k.From, k.To}
		t.exact[ends] = append(t.exact[ends], k)
	}
	return t
}

// take gives the event of the reset that ended a conversation, and takes those of
// its others from there too; nil without.
func (t untold) take(c *Conversation, r *Reset) *KernelReset {
	from, to, _ := c.side(r.From)
	sent := 0
	for _, other := range c.Resets {
		if other.From == r.From {
			sent++
		}
	}
	ends := [2]netip.AddrPort{from, to}
	if events := t.exact[ends]; len(events) > 0 {
		t.exact[ends] = events[min(sent, len(events)):]
		return events[0]
	}
	if !c.maybeListener(*r) {
		return nil
	}
	// Whose RST of a listener it was is not known: one that goes with the cause.
	all := t.listeners[from.Port()]
	i := slices.IndexFunc(all, func(k *KernelReset) bool {
		return k.ofListener(from) && slices.Contains(kernelReasons[k.Reason].causes, c.Cause)
	})
	if i < 0 {
		return nil
	}
	event := all[i]
	all[i] = all[0]
	t.listeners[from.Port()] = all[1:]
	return event
}

func (e Evidence) kernel(c *Conversation, t untold) {
	r := c.Ending()
	if r == nil || len(e.Kernel) == 0 && !e.KernelWhole {
		return
	}
	event := t.take(c, r)
	if event == nil {
		if e.KernelWhole && !c.maybeListener(*r) {
			c.unsent(r)
		}
		return
	}
	known, ok := kernelReasons[event.Reason]
	c.Reason = event.Reason
	switch {
	case event.Reason == "":
		c.note("A kernel sent this RST; its trace gives no reason, as Linux does from 6.10 on.")
	case !ok:
		c.note("The kernel's reason: %s.", event.Reason)
	case slices.Contains(known.causes, c.Cause):
		c.explained()
		c.note("The kernel's reason: %s, %s.", event.Reason, known.means)
	case c.Cause != CauseUnexplained:
		c.Contradiction = fmt.Sprintf("the kernel's reason for the RST in frame %d is %s (%s), which does not go with %s", r.Frame, event.Reason, known.means, c.Cause)
	default:
		c.note("The kernel's reason: %s, %s.", event.Reason, known.means)
	}
}

// maybeListener says whether a listener may have sent an RST: it answers stray
// segments with bare ones (RFC 9293 3.10.7.2), a SYN never, and does nothing of
// its own accord. A client's port has none, where it is known who the client is.
func (c *Conversation) maybeListener(r Reset) bool {
	switch r.Kind {
	case ToSYN, Abort, ProbeTimeout:
		return false
	}
	return r.From == Server || c.Basis != Wire || c.Cause == CauseUnexplained
}

// ofListener says whether the event, of a listener on the port of from, may be of
// one on its address.
func (k *KernelReset) ofListener(from netip.AddrPort) bool {
	return k.From.Addr() == from.Addr() || !k.From.Addr().IsValid() || k.From.Addr().IsUnspecified()
}

// unsent takes in that no kernel sent the RST r.
func (c *Conversation) unsent(r *Reset) {
	switch c.Cause {
	case CauseRefused, CauseAborted, CauseFlowForgotten, CauseUnexplained:
		c.note("No kernel sent this RST: a firewall made it in the peer's name (by the wire alone: %s).", c.Cause)
		c.Cause, c.Basis, c.ResetBy, c.Advice = CauseRejected, Kernel, ThirdParty, CauseRejected.Info().Advice
		r.Kind = Forged
	default:
		c.Contradiction = fmt.Sprintf("no kernel has an event for the RST in frame %d", r.Frame)
	}
}

// counters says why connections were aborted, where the counters of the host
// leave no choice: every RST that it counted is one of theirs, and the counter of
// one reason rose as much. Where the host sent others it is a guess.
func (e Evidence) counters(cs []Conversation) {
	type host struct {
		aborted []*Conversation
		others  int64 // RSTs of other causes
	}
	hosts := map[string]*host{}
	for i := range cs {
		c := &cs[i]
		for j := range c.Resets {
			from, _, name := c.side(c.Resets[j].From)
			for _, key := range []string{name, from.Addr().String()} {
				if e.Counters[key] == nil {
					continue
				}
				if hosts[key] == nil {
					hosts[key] = &host{}
				}
				if j == 0 && c.Cause == CauseAborted {
					hosts[key].aborted = append(hosts[key].aborted, c)
				} else {
					hosts[key].others++
				}
				break
			}
		}
	}
	for key, h := range hosts {
		n, all := e.Counters[key], int64(len(h.aborted))
		out, reason := n["Tcp:OutRsts"], abortReason(n, all)
		for _, c := range h.aborted {
			switch {
			case out == 0:
				c.Contradiction = fmt.Sprintf("%s counted no RST of its own (OutRsts +0)", key)
			case reason == "" || c.Basis == Kernel: // the kernel has said it
			case out == all && h.others == 0:
				c.explained()
				c.note("%s %s.", key, reason)
			default:
				c.note("A guess, for %s sent other RSTs too (OutRsts +%d): it %s.", key, out, reason)
			}
		}
	}
}

// abortReason is why a host aborted as many connections, by its counters; "" when
// they do not say.
func abortReason(n map[string]int64, aborted int64) string {
	onClose, onData := n["TcpExt:TCPAbortOnClose"], n["TcpExt:TCPAbortOnData"]
	others := n["TcpExt:TCPAbortOnTimeout"] + n["TcpExt:TCPAbortOnMemory"] + n["TcpExt:TCPAbortOnLinger"]
	switch {
	case onClose == aborted && onData == 0:
		return fmt.Sprintf("closed it with unread data (TCPAbortOnClose +%d)", onClose)
	case onClose == 0 && onData == aborted:
		return fmt.Sprintf("closed it with SO_LINGER 0, or had closed it when more data came (TCPAbortOnData +%d)", onData)
	case onClose == 0 && onData == 0 && others == 0 && n["Tcp:OutRsts"] == aborted:
		return fmt.Sprintf("closed its listener, or somebody killed the socket (OutRsts +%d, no abort counter)", aborted)
	}
	return ""
}

// explained takes in that the kernel's word stands behind the verdict: there is
// nothing left to ask its counters.
func (c *Conversation) explained() {
	if c.Basis = Kernel; c.Cause == CauseAborted {
		c.Advice = ""
	}
}

func (e Evidence) sockets(c *Conversation) {
	if c.Cause != CauseHalfClosed && c.Cause != CauseStaleIdle {
		return
	}
	for _, s := range e.Sockets {
		for _, side := range []Side{Client, Server} {
			local, peer, name := c.side(side)
			if s.Local == local && s.Peer == peer && (s.State == "FIN-WAIT-2" || s.State == "CLOSE-WAIT" || s.State == "FIN-WAIT-1") {
				if name == "" {
					name = "the " + string(side)
				}
				if note := fmt.Sprintf("ss showed %s at %s.", s.State, name); !strings.Contains(c.Text, note) {
					c.note("%s", note)
				}
			}
		}
	}
}
