package tcp

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
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

// maxEvidence bounds the lines that are kept of one file.
const maxEvidence = 1 << 20

func lines(r io.Reader, each func(string)) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for n := 0; s.Scan() && n < maxEvidence; n++ {
		each(s.Text())
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("reading evidence: %w", err)
	}
	return nil
}

// ReadCounters reads {"host": [{"name", "before", "after"}]}.
func ReadCounters(r io.Reader) (map[string]map[string]int64, error) {
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
	told := make([]bool, len(e.Kernel)) // of an earlier connection of the same ports, perhaps
	for i := range cs {
		e.kernel(&cs[i], told)
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

// ending is the reset that ended the conversation, nil without.
func (c *Conversation) ending() *Reset {
	if len(c.Resets) == 0 || c.Cause == CauseClosed || c.Cause == CauseHalfClosed || c.Cause == CauseRejected {
		return nil
	}
	return &c.Resets[0]
}

func (c *Conversation) note(format string, args ...any) {
	c.Text += " " + fmt.Sprintf(format, args...)
}

func (e Evidence) kernel(c *Conversation, told []bool) {
	r := c.ending()
	if r == nil || len(e.Kernel) == 0 && !e.KernelWhole {
		return
	}
	from, to, _ := c.side(r.From)
	listener := c.maybeListener(*r)
	var event *KernelReset
	left := 0 // of this connection's RSTs from there
	for _, other := range c.Resets {
		if other.From == r.From {
			left++
		}
	}
	exact := false
	for i := range e.Kernel {
		k := &e.Kernel[i]
		if k.From == from && k.To == to && !told[i] && left > 0 {
			told[i] = true
			if left--; !exact {
				event, exact = k, true
			}
		}
		if exact {
			continue
		}
		// Whose RST of a listener it was is not known: one that goes with the cause.
		if listener && k.ofListener(from) && slices.Contains(kernelReasons[k.Reason].causes, c.Cause) {
			event = k
		}
	}
	if event == nil {
		if e.KernelWhole && !listener {
			c.unsent(r)
		}
		return
	}
	known, ok := kernelReasons[event.Reason]
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

// ofListener says whether the event is of a listener on the port of from.
func (k *KernelReset) ofListener(from netip.AddrPort) bool {
	return k.To.Port() == 0 && k.From.Port() == from.Port() &&
		(k.From.Addr() == from.Addr() || !k.From.Addr().IsValid() || k.From.Addr().IsUnspecified())
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

// LogLine is a line of one of nginx's logs, as far as it is understood.
type LogLine struct {
	Time     time.Time
	Text     string // whole, safe for a terminal
	Message  string // of the error log: what went wrong
	Client   netip.Addr
	Request  string // "GET /test"
	Upstream netip.AddrPort
	Status   int // of the access log
}

// ReadErrorLog reads nginx's error log; its times are in loc.
func ReadErrorLog(r io.Reader, loc *time.Location) ([]LogLine, error) {
	var found []LogLine
	err := lines(r, func(text string) {
		if len(text) < 20 {
			return
		}
		at, err := time.ParseInLocation("2006/01/02 15:04:05", text[:19], loc)
		if err != nil {
			return
		}
		_, rest, ok := strings.Cut(text, "#")
		if !ok {
			return
		}
		if _, after, ok := strings.Cut(rest, ": "); ok {
			rest = after
		}
		if strings.HasPrefix(rest, "*") {
			_, rest, _ = strings.Cut(rest, " ")
		}
		l := LogLine{Time: at, Text: clean(text)}
		message, _, _ := strings.Cut(rest, ", client: ")
		l.Message = clean(message)
		l.Client, _ = netip.ParseAddr(logField(rest, "client: "))
		l.Request = requestOf(strings.Trim(logField(rest, "request: "), `"`))
		up := strings.Trim(logField(rest, "upstream: "), `"`)
		if _, after, ok := strings.Cut(up, "://"); ok {
			up, _, _ = strings.Cut(after, "/")
		}
		l.Upstream = endpointOf(up) // of stream {} without a scheme
		found = append(found, l)
	})
	return found, err
}

func logField(s, name string) string {
	_, rest, ok := strings.Cut(s, name)
	if !ok {
		return ""
	}
	if strings.HasPrefix(rest, `"`) {
		if i := strings.Index(rest[1:], `"`); i >= 0 {
			return rest[:i+2]
		}
	}
	rest, _, _ = strings.Cut(rest, ", ")
	return rest
}

// requestOf is a request line without its version, as Conversation.Request has it.
func requestOf(line string) string {
	if i := strings.LastIndex(line, " HTTP/"); i > 0 {
		line = line[:i]
	}
	return clean(line)
}

// ReadAccessLog reads an access log: lines that begin as in the format
// "combined" (address, two words, [time], "request", status), or the lab's own,
// an object of JSON each.
func ReadAccessLog(r io.Reader) ([]LogLine, error) {
	var found []LogLine
	err := lines(r, func(text string) {
		l, ok := combined(text)
		if strings.HasPrefix(text, "{") {
			l, ok = ours(text)
		}
		if ok {
			l.Text = clean(text)
			found = append(found, l)
		}
	})
	return found, err
}

func combined(text string) (l LogLine, ok bool) {
	addr, rest, _ := strings.Cut(text, " ")
	l.Client, _ = netip.ParseAddr(addr)
	if _, rest, ok = strings.Cut(rest, "["); !ok {
		return l, false
	}
	when, rest, _ := strings.Cut(rest, "] \"")
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", when)
	request, rest, _ := strings.Cut(rest, `" `)
	l.Time, l.Request = at, requestOf(request)
	fmt.Sscan(rest, &l.Status)
	return l, err == nil
}

func ours(text string) (l LogLine, ok bool) {
	var in struct {
		Time            float64
		Remote, Request string
		Status          int `json:",string"`
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return l, false
	}
	l.Time = time.UnixMilli(int64(in.Time * 1000))
	l.Client, l.Request, l.Status = endpointOf(in.Remote).Addr(), requestOf(in.Request), in.Status
	return l, l.Client.IsValid()
}

// nginx writes its logs with whole seconds, when it is done.
const logSlack = 1500 * time.Millisecond

// logs joins the two legs of a proxy: a line of the error log with the upstream
// conversation it speaks of, and with the client's conversation that got the
// 502 or 504. A line without an upstream is of the client's own.
func (e Evidence) logs(cs []Conversation) {
	byServer, byClient := map[netip.AddrPort][]int{}, map[netip.Addr][]int{}
	for i := range cs {
		byServer[cs[i].Server] = append(byServer[cs[i].Server], i)
		byClient[cs[i].Client.Addr()] = append(byClient[cs[i].Client.Addr()], i)
	}
	for _, l := range e.Errors {
		hint := l.hint()
		if hint == nil {
			continue
		}
		died := func(c *Conversation) bool {
			return slices.Contains(hint.causes, c.Cause) || c.Cause == CauseUnexplained && len(hint.causes) > 0
		}
		if !l.Upstream.IsValid() {
			if own := l.near(cs, byClient[l.Client], died); len(own) > 0 && !strings.Contains(l.Message, "upstream") {
				cs[own[0]].logged(l, guess(own))
			}
			continue
		}
		up := l.near(cs, byServer[l.Upstream], died)
		if len(up) == 0 {
			continue
		}
		down := l.near(cs, byClient[l.Client], func(c *Conversation) bool {
			return c.Server != l.Upstream && c.Request == l.Request && l.Request != ""
		})
		cs[up[0]].logged(l, guess(up))
		if len(down) > 0 {
			cs[up[0]].join(&cs[down[0]], guess(up, down))
		}
	}
	told := map[int]bool{}
	for _, l := range e.Access {
		if l.Status != 499 {
			continue
		}
		left := l.near(cs, byClient[l.Client], func(c *Conversation) bool {
			return c.Cause == CauseAbandoned && c.Request == l.Request && l.Time.Sub(c.End).Abs() < logSlack
		})
		for _, i := range left {
			if !told[i] {
				told[i] = true
				cs[i].note("nginx's access log has the 499%s.", guess(left))
				break
			}
		}
	}
}

// logged notes what the error log says of a conversation.
func (c *Conversation) logged(l LogLine, guess string) {
	c.Log = l.Message
	c.note("nginx's error log: %q%s.", l.Message, guess)
}

// join notes at the connections to an upstream and of a client that one died of the
// other.
func (c *Conversation) join(client *Conversation, guess string) {
	switch {
	case client.Requests > 1: // whose answers the status is of is not known
		client.note("Behind one of its requests (%s) lies the connection %s → %s, %s%s.", client.Request, c.Client, c.Server, c.Cause, guess)
		c.note("It was for a request of %s (%s)%s.", client.Client, client.Request, guess)
		return
	case client.Status >= 500:
		client.note("The %d came of the connection %s → %s, %s%s.", client.Status, c.Client, c.Server, c.Cause, guess)
	default:
		client.note("Behind it lies the connection %s → %s, %s%s.", c.Client, c.Server, c.Cause, guess)
	}
	if client.Status > 0 { // the client's own connection may be healthy, and is then not told of
		c.note("%s was answered %d for it (%s)%s.", client.Client, client.Status, client.Request, guess)
	}
}

// near gives those of some conversations that lasted at the line's time and are
// as wanted, the one whose end is nearest first.
func (l LogLine) near(cs []Conversation, of []int, wanted func(*Conversation) bool) []int {
	var found []int
	for _, i := range of {
		c := &cs[i]
		if !l.Time.Before(c.Start.Add(-logSlack)) && !l.Time.After(c.End.Add(logSlack)) && wanted(c) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int {
		return cmp.Compare(l.Time.Sub(cs[a].End).Abs(), l.Time.Sub(cs[b].End).Abs())
	})
	return found
}

// guess is what is said where a line may be of several conversations.
func guess(found ...[]int) string {
	for _, of := range found {
		if len(of) > 1 {
			return "; a guess: by time and address there are others"
		}
	}
	return ""
}
