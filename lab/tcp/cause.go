package tcp

import (
	"fmt"
	"time"
)

// Cause says how a connection ended: one of a closed set.
type Cause string

const (
	CauseUnreachable      Cause = "unreachable"
	CauseRefused          Cause = "refused"
	CauseRejected         Cause = "rejected"
	CauseUnanswered       Cause = "unanswered"
	CauseAcceptOverflow   Cause = "accept-overflow"
	CauseKeepaliveTimeout Cause = "keepalive-timeout"
	CauseTruncated        Cause = "truncated"
	CauseNoResponse       Cause = "no-response"
	CauseEarlyClose       Cause = "early-close"
	CauseAbandoned        Cause = "abandoned"
	CauseStaleIdle        Cause = "stale-idle"
	CauseStaleFinLost     Cause = "stale-fin-lost"
	CauseStaleCrossing    Cause = "stale-crossing"
	CauseDiscarded        Cause = "discarded"
	CauseClosed           Cause = "closed"
	CauseHalfClosed       Cause = "half-closed"
	CauseAborted          Cause = "aborted"
	CauseFlowForgotten    Cause = "flow-forgotten"
	CauseVanished         Cause = "vanished"
	CauseOpen             Cause = "open"
	CauseUnexplained      Cause = "unexplained"
)

// A CauseInfo describes one cause of the closed set.
type CauseInfo struct {
	Cause  Cause
	Says   string // what happened, in one line
	Advice string // the known fix and the scenario that shows it; "" when there is nothing to fix
	when   func(*story) *finding
}

// Causes is the closed set in the order in which it is decided: the first whose
// function finds its evidence is the connection's. A new cause is one entry
// here and one function below.
var Causes = []CauseInfo{
	{CauseUnreachable, "a router or filter said no",
		"see to the route or the filter that the ICMP message names", (*story).unreachable},
	{CauseRefused, "the host, or a filter in its name, answered SYN with RST",
		"see that the server listens on this address and port: lab show closed-port", (*story).refused},
	{CauseRejected, "a firewall reset the connection in the peer's name",
		"look for a rule that rejects with tcp-reset between the two: lab show connect-rejected", (*story).rejected},
	{CauseAcceptOverflow, "the accept queue was full",
		"let the server accept faster, or give it a longer backlog: lab show accept-overflow", (*story).acceptOverflow},
	{CauseUnanswered, "nothing came back",
		"look for a filter that drops, or a host that is gone: lab show connect-blackhole", (*story).unanswered},
	{CauseKeepaliveTimeout, "TCP keepalive stayed unanswered",
		"", (*story).keepaliveTimeout},
	// Whatever came before, a peer that went silent rules: what the other end
	// does then, a FIN for example, is the consequence.
	{CauseVanished, "the peer went silent",
		"TCP keepalive finds such a peer sooner: lab show upstream-socket-keepalive", (*story).vanished},
	{CauseTruncated, "the server closed in order inside a response",
		"look at why the server gave up: lab show backend-killed-mid-body", (*story).truncated},
	{CauseNoResponse, "the server closed in order before the first response byte",
		"look at the server's own log for this request: lab show backend-killed-answering", (*story).noResponse},
	{CauseEarlyClose, "the server closed while the request was still coming",
		"a lingering close lets the client read the answer: lab show early-413", (*story).earlyClose},
	{CauseAbandoned, "the client left before the answer was whole",
		"compare the client's timeout with the time the answer takes: lab show 499-fin", (*story).abandoned},
	{CauseStaleIdle, "request on a connection that the peer had closed; the FIN had arrived",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleIdle},
	{CauseStaleFinLost, "request on a connection that the peer had closed; its FIN did not arrive",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleFinLost},
	{CauseStaleCrossing, "request and FIN passed each other",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleCrossing},
	{CauseDiscarded, "a side threw away what its peer had closed; nothing was lost", "", (*story).discarded},
	{CauseClosed, "closed in order", "", (*story).closed},
	{CauseHalfClosed, "one side closed, the other never did", "", (*story).halfClosed},
	{CauseAborted, "a side threw the connection away",
		"the counters of the host that reset tell unread data from the rest: TcpExtTCPAbortOnClose, TCPAbortOnData", (*story).aborted},
	{CauseFlowForgotten, "the other end, or a box between, knows nothing of this connection any more",
		"TCP keepalive below the idle timeout of the boxes between keeps the flow known: lab show nat-forgets", (*story).flowForgotten},
	{CauseOpen, "still open when the capture ends", "", (*story).open},
	{CauseUnexplained, "none of the others", "", (*story).unexplained},
}

// Info gives the registry's entry of a cause.
func (c Cause) Info() CauseInfo {
	for _, i := range Causes {
		if i.Cause == c {
			return i
		}
	}
	return CauseInfo{Cause: c}
}

// finding is what a decision function hands back: the evidence and the words.
type finding struct {
	frames []mark
	text   string
	basis  Basis  // Wire when empty
	during During // instead of what the exchange says, unless unknown
	answer *Answer
	ended  bool // only the end of the capture makes it so
}

// Times that separate look-alikes.
const (
	// minRTO is the least time before Linux sends a lone segment again
	// (TCP_RTO_MIN, 200 ms; its tail loss probe is not sooner for a single one).
	minRTO = int64(200 * time.Millisecond)
	// synRTO is the first retransmission time-out of a SYN (RFC 6298 2.1).
	synRTO = int64(time.Second)
	// overflowWithin is how soon after the handshake's last ACK an RST of a
	// full accept queue comes, a retransmission or two included.
	overflowWithin = int64(3 * time.Second)
	// promptly is how soon a kernel answers by itself, a delayed ACK included.
	promptly = int64(100 * time.Millisecond)
	// jitter is what may come on top of a round trip.
	jitter = int64(10 * time.Millisecond)
	// smallTLS is the size up to which TLS application data may be no request
	// but the end of one: alerts, HTTP/2's SETTINGS, PING, WINDOW_UPDATE, GOAWAY.
	smallTLS = 64
	// goawayTLS is the size of a TLS record with a GOAWAY in it (RFC 9113 6.8: head,
	// last stream, error), and what TLS adds to it.
	goawayTLS = 5 + 8 + 9 + 8 + 16
)

// ---- the handshake was never done ----

func (st *story) unreachable() *finding {
	if st.f.more == nil || st.f.more.icmp == nil {
		return nil
	}
	e := st.f.more.icmp
	y, x := int(e.from), 1-int(e.from)
	if st.f.has(flowEstablished) && (st.side(x).last.n > e.at.n || st.closer >= 0 && st.side(st.closer).close.n < e.at.n) {
		return nil // a soft error (RFC 1122 4.2.3.9): the connection went on
	}
	if !st.f.has(flowEstablished) && st.side(x).has(sideSeen) {
		return nil
	}
	if st.rst != nil && st.rst.at.n < e.at.n {
		return nil
	}
	from := "a router or filter"
	if e.From == st.addr[x].Addr() {
		from = st.who(x)
	} else if n := st.x.name(e.From); n != "" {
		from = n
	} else if e.From.IsValid() {
		from = e.From.String()
	}
	what := "SYN"
	if st.f.has(flowEstablished) {
		what = "segment"
	}
	return &finding{
		frames: []mark{st.firstOf(y), e.at},
		text:   fmt.Sprintf("%s answered %s's %s with ICMP %q (frame %d); nothing else came back.", from, st.who(y), what, e.String(), st.frame(e.at)),
		during: pick(!st.f.has(flowEstablished), DuringHandshake),
	}
}

func (st *story) refused() *finding {
	if st.rst == nil || st.rst.kind != ToSYN || st.f.more.alive.ok() || int(st.rst.from) != st.s {
		return nil
	}
	return &finding{
		frames: []mark{st.firstOf(st.c), st.rst.at},
		text: fmt.Sprintf("%s answered %s's SYN (frame %d) with RST (%d) after %s: nothing listens on port %d there, or a filter says so in its name.",
			st.who(st.s), st.who(st.c), st.frame(st.synMark(st.c)), st.frame(st.rst.at), span(st.since(st.rst.at, st.firstOf(st.c))), st.f.end[st.s].port),
		during: DuringHandshake,
	}
}

// rejected wants evidence on the wire that the RST is not its sender's: the
// sender lives on as if nothing had been, or the RST came another way.
func (st *story) rejected() *finding {
	r := st.rst
	if r == nil || st.closer >= 0 && !st.firstRST() {
		return nil
	}
	x := int(r.from)
	if alive := st.f.more.alive; alive.ok() && r.at.n > 1 && r.kind != NoConnection && r.kind != ProbeTimeout {
		return &finding{
			frames: []mark{r.at, alive},
			text: fmt.Sprintf("an RST in the name of %s (frame %d) was not its own: %s spoke on after it (%d), as a host that had reset the connection would not.",
				st.who(x), st.frame(r.at), st.who(x), st.frame(alive)),
		}
	}
	me := st.side(x)
	if me.has(sideTTLTwice) && !me.has(sideTTLMixed) && r.ttl != 0 && hops(me.ttl) != hops(r.ttl) {
		return &finding{
			frames: []mark{me.last, r.at},
			text: fmt.Sprintf("an RST in the name of %s (frame %d) came another way than its other segments (TTL %d, theirs %d): a box between sent it.",
				st.who(x), st.frame(r.at), r.ttl, me.ttl),
		}
	}
	return nil
}

// hops is how many routers a side's segments had passed; -1 unknown.
func (st *story) hops(i int) int {
	if s := st.side(i); s.has(sideSeen) && !s.has(sideTTLMixed) && s.ttl > 0 {
		return hops(s.ttl)
	}
	return -1
}

// hops is how many routers a packet passed, by the initial TTLs in use.
func hops(ttl uint8) int {
	switch {
	case ttl <= 64:
		return 64 - int(ttl)
	case ttl <= 128:
		return 128 - int(ttl)
	}
	return 255 - int(ttl)
}

func (st *story) acceptOverflow() *finding {
	f := st.f
	server := st.side(st.s)
	if !server.has(sideSYNACK) || !f.has(flowEstablished) || server.data.ok() || server.nxt > 1 || server.ack > 1 || server.fin != never {
		return nil
	}
	// A server that defers its accept until data comes (TCP_DEFER_ACCEPT) repeats
	// SYN-ACK too, but not behind data.
	client := st.side(st.c)
	full := f.has(flowOverflow) && server.talk == talkSYN && client.turn.ok() && server.last.n > client.turn.n
	last := mark{n: f.hsAck}
	if r := st.rst; r != nil {
		if int(r.from) != st.s || r.kind != NoConnection || st.closer >= 0 && !st.firstRST() {
			return nil
		}
		// The RST to the last ACK, or, when that was lost, to data sent again.
		if r.off != 1 || !full && (r.at.time()-st.handshakeDone() > overflowWithin || r.trig != talkACK && r.pressed == 0 && len(f.more.resets) < 2) {
			return nil
		}
		return &finding{
			frames: []mark{{n: server.syn}, last, r.at},
			text: fmt.Sprintf("%s answered the handshake's last ACK (frame %d) with RST (%d): its accept queue was full, and tcp_abort_on_overflow is set.",
				st.who(st.s), st.frame(last), st.frame(r.at)),
			during: DuringHandshake,
		}
	}
	if !full {
		return nil
	}
	return &finding{
		frames: []mark{{n: server.syn}, last, client.turn, server.last},
		text: fmt.Sprintf("%s repeated its SYN-ACK (first in frame %d, last in %d) though %s had acknowledged it (%d) and sent data (%d): its accept queue was full and it dropped both.",
			st.who(st.s), st.frame(mark{n: server.syn}), st.frame(server.last), st.who(st.c), st.frame(last), st.frame(client.turn)),
		during: DuringHandshake,
	}
}

// handshakeDone is when the handshake's last ACK came.
func (st *story) handshakeDone() int64 { return st.f.start + int64(st.f.hsTime)*1000 }

// unanswered wants a repetition. One SYN alone, however long the silence after
// it, may also be one whose RST the capture lacks; a connection attempt that was
// given up within the first second (RFC 6298 2.1) leaves no more than that.
func (st *story) unanswered() *finding {
	client, server := st.side(st.c), st.side(st.s)
	if st.f.has(flowEstablished) || st.rst != nil {
		return nil
	}
	switch {
	case client.syns >= 2 && !server.has(sideSeen):
		return &finding{
			frames: []mark{st.synMark(st.c), client.last},
			text: fmt.Sprintf("%s sent SYN %d times in %s (first frame %d, last %d); nothing came back.",
				st.who(st.c), client.syns, span(st.since(client.last, st.firstOf(st.c))), st.frame(st.synMark(st.c)), st.frame(client.last)),
			during: DuringHandshake,
			ended:  st.atEnd && st.silence() < synRTO,
		}
	case server.syns >= 2 && server.has(sideSYNACK) && client.last.n <= client.syn+server.syn && st.f.hsAck == 0:
		return &finding{
			frames: []mark{{n: server.syn}, server.last},
			text: fmt.Sprintf("%s sent SYN-ACK %d times (first frame %d, last %d); %s never acknowledged it.",
				st.who(st.s), server.syns, st.frame(mark{n: server.syn}), st.frame(server.last), st.who(st.c)),
			during: DuringHandshake,
			ended:  st.atEnd && st.silence() < synRTO,
		}
	}
	return nil
}

// ---- probes and silence ----

func (st *story) keepaliveTimeout() *finding {
	r := st.rst
	if r == nil || r.kind != ProbeTimeout || !st.firstRST() {
		return nil
	}
	x := int(r.from)
	me := st.side(x)
	if r.deaf {
		return &finding{
			frames: []mark{{n: me.resentN}, r.at},
			text: fmt.Sprintf("%s's keep-alive probes (last in frame %d) were answered, but as its timestamps show the answers did not arrive; it gave %s up with RST (%d).",
				st.who(x), st.frame(mark{n: me.resentN}), st.who(1-x), st.frame(r.at)),
		}
	}
	return &finding{
		frames: []mark{{n: me.resentN}, r.at},
		text: fmt.Sprintf("%s's keep-alive probes (%d, last in frame %d) stayed without answer; it gave %s up with RST (%d).",
			st.who(x), me.probes, st.frame(mark{n: me.resentN}), st.who(1-x), st.frame(r.at)),
	}
}

func (st *story) vanished() *finding {
	if st.fin(0) != never && st.fin(1) != never || !st.f.has(flowEstablished) || st.oneWay() {
		return nil
	}
	for y := range st.ends {
		me, peer := st.side(y), st.side(1-y)
		resent := me.resent
		if r := st.rst; r != nil {
			if int(r.from) != y || r.kind != Abort || r.resent < 2 {
				continue
			}
			resent = r.resent
		}
		unanswered := me.data.ok() && peer.ack < me.nxt || me.fin != never && !me.closeOK.ok()
		if !unanswered || resent < 2 || peer.last.n > me.resentN {
			continue
		}
		// A server that never said more than SYN-ACK may only be full: then it
		// repeats that after 1 and 3 s.
		if peer.nxt <= 1 && peer.ack <= 1 && peer.has(sideSYNACK) && st.f.latest()-st.handshakeDone() < 4*synRTO {
			continue
		}
		what, first := "data", me.data
		if me.turn.ok() && peer.ack <= me.turnOff {
			first = me.turn
		}
		if me.fin != never && peer.ack >= me.fin || !me.data.ok() {
			what, first = "FIN", me.close
		}
		// Who repeats goes on, each time after twice as long: a stop before long
		// has a reason that the capture lacks. Later it may be that the next hop
		// is not to be found (ARP), then nothing is sent.
		lasted := me.last.time() - first.time()
		if st.rst == nil && resent < 4 && st.x.now-me.last.time() > 2*lasted+synRTO {
			continue
		}
		last := mark{n: me.resentN}
		return &finding{
			frames: []mark{peer.last, first, last},
			text: fmt.Sprintf("%s sent its %s (frame %d) %d more times (last in %d) and got no answer: %s had gone silent after frame %d%s.",
				st.who(y), what, st.frame(first), resent, st.frame(last), st.who(1-y), st.frame(peer.last), st.ifBeside(1-y, ", though all that came as far as the tap on its side")),
			ended: st.atEnd && st.silence() < 2*(st.f.latest()-first.time()),
		}
	}
	return nil
}

// ---- FIN first, with a message open ----

func (st *story) truncated() *finding {
	f, e := st.f, &st.f.http
	if !st.closedFirst(st.s) || e.proto != protoHTTP1 || !e.has(respOpen) || e.has(respLost) || st.inferred[st.s] {
		return nil
	}
	s := st.side(st.s)
	if st.oneWay() || e.resps > e.reqs {
		return nil // the request is not in the capture: it may have been a HEAD
	}
	partial := AnswerPartial
	where := "in its header"
	switch s.http {
	case httpBody:
		if s.end <= s.fin || s.pos > s.fin {
			return nil
		}
		if missing := s.end - s.fin; e.resps <= e.reqs || f.has(flowMidstream) {
			where = fmt.Sprintf("%d bytes before the end that Content-Length announced", missing)
		}
	case httpChunkSize, httpChunkData, httpTrailer:
		if s.pos < s.fin {
			return nil
		}
		where = "before its last chunk"
	case httpHeader:
		if s.pos < s.fin {
			return nil
		}
	default:
		return nil
	}
	return &finding{
		frames: []mark{s.turn, s.close},
		text: fmt.Sprintf("%s closed (FIN, frame %d) inside the response that begins in frame %d, %s.",
			st.who(st.s), st.frame(s.close), st.frame(s.turn), where),
		during: DuringResponse, answer: &partial,
	}
}

func (st *story) noResponse() *finding {
	e := &st.f.http
	if !st.closedFirst(st.s) || e.proto != protoHTTP1 || st.inferred[st.s] || e.has(respOpen|reqLost|respLost|reqOpen|httpUneven) {
		return nil
	}
	c, s := st.side(st.c), st.side(st.s)
	if st.at() != DuringAwaiting || c.has(sideMissed) || s.has(sideMissed) {
		return nil
	}
	none := AnswerNone
	return &finding{
		frames: []mark{c.turn, s.close},
		text: fmt.Sprintf("%s took %s's request%s (frame %d) and closed after %s (FIN, %d) without a byte of an answer.",
			st.who(st.s), st.who(st.c), st.request(), st.frame(c.turn), span(st.since(s.close, c.turn)), st.frame(s.close)),
		during: DuringAwaiting, answer: &none,
	}
}

func (st *story) earlyClose() *finding {
	if !st.closedFirst(st.s) || st.proto != protoHTTP1 || !st.after.at.ok() || int(st.after.from) != st.c || st.rst == nil {
		return nil
	}
	s := st.side(st.s)
	if st.was() != DuringRequest || st.after.kind != lateRest || int(st.rst.from) != st.s {
		return nil
	}
	answered := "without an answer"
	if st.f.http.resps > 0 && st.f.http.done >= st.f.http.reqs {
		answered = fmt.Sprintf("after its answer (status %d)", st.f.http.status)
	}
	return &finding{
		frames: []mark{s.close, st.after.at, st.rst.at},
		text: fmt.Sprintf("%s closed %s (FIN, frame %d) while %s's request was still coming; more of it (%d) was answered with RST (%d).",
			st.who(st.s), answered, st.frame(s.close), st.who(st.c), st.frame(st.after.at), st.frame(st.rst.at)),
		during: DuringRequest,
	}
}

func (st *story) abandoned() *finding {
	f, e := st.f, &st.f.http
	c := st.side(st.c)
	var left mark
	how := "FIN"
	switch {
	case st.closedFirst(st.c):
		left = c.close
	case st.firstRST() && int(st.rst.from) == st.c && (st.rst.kind == Abort || st.rst.kind == NoConnection && st.rst.trig == talkData):
		left, how = st.rst.at, "RST"
		if st.rst.kind == NoConnection {
			return nil
		}
	default:
		return nil
	}
	if !left.ok() || how == "FIN" && c.resent > 0 || st.oneWay() || e.proto == protoHTTP1 && e.resps > e.reqs || !c.turn.ok() {
		return nil // the request, or the FIN, met silence; or the request is not in the capture
	}
	if how == "FIN" && st.side(st.s).last.n < left.n && st.rst == nil {
		return nil // what the server did then is not in the capture: it may have answered
	}
	if st.proto == protoTLS {
		return st.abandonedTLS(left)
	}
	if e.proto != protoHTTP1 || e.has(reqLost|respLost|httpUneven) || st.inferredAny() {
		return nil
	}
	// What it did not acknowledge when it left had not arrived, though the
	// capture may show it before.
	during, waiting := st.was(), ""
	s, had := st.side(st.s), c.finAck
	if how == "RST" {
		had = st.rst.ack
	}
	sent := s.nxt
	if s.fin != never {
		sent = s.fin
	}
	if had != never && had < sent && s.data.n < left.n && e.resps <= e.reqs && st.rst != nil && int(st.rst.from) == st.c {
		if during = DuringResponse; had <= s.turnOff {
			during = DuringAwaiting
		}
	}
	switch during {
	case DuringAwaiting:
		waiting = "the answer to its request" + st.request() + " had not begun"
	case DuringResponse:
		waiting = "the answer to its request" + st.request() + " was not whole"
	case DuringRequest:
		if e.done >= e.reqs {
			return nil
		}
		waiting = "its own request" + st.request() + " was not whole"
	default:
		return nil
	}
	if how == "FIN" && e.done >= e.reqs && !e.has(respLost|respOpen) && (st.rst == nil || int(st.rst.from) != st.c) {
		return nil // it had only shut its writing side, and read the answer
	}
	if sv := st.side(st.s); how == "FIN" && (st.rst == nil || int(st.rst.from) != st.c) && sv.data.n > left.n && c.last.n > sv.data.n && c.ack >= sv.nxt-1 {
		return nil // it took data after its FIN: it had not left
	}
	if how == "FIN" && e.has(untilFIN) && st.rst == nil {
		return nil // the end of such an answer is the server's FIN, which may have been on its way
	}
	frames := []mark{c.turn, left}
	tail := ""
	if how == "FIN" && st.rst != nil && st.rst.from == int8(st.c) {
		frames = append(frames, st.rst.at)
		tail = fmt.Sprintf(" What %s sent then was answered with RST (%d).", st.who(st.s), st.frame(st.rst.at))
	}
	return &finding{
		frames: frames,
		text: fmt.Sprintf("%s left (%s, frame %d) %s after its request (%d): %s.%s",
			st.who(st.c), how, st.frame(left), span(st.since(left, c.turn)), st.frame(c.turn), waiting, tail),
		during: during, answer: &f.more.atReply,
	}
}

// abandonedTLS: what is in the records is not known, but a server that goes on
// sending more than the end of a connection needs was in the middle of an answer.
func (st *story) abandonedTLS(left mark) *finding {
	s := st.side(st.s)
	if st.rst == nil || int(st.rst.from) != st.c || !st.closedFirst(st.c) || !st.after.at.ok() || int(st.after.from) != st.s || st.after.kind != lateOpaque {
		return nil
	}
	// Session tickets come late, and a GOAWAY may say why: who has only shaken hands
	// (its Finished, a close_notify) awaits nothing.
	if c := st.side(st.c); s.nxt-st.after.off <= 4*smallTLS || c.nxt-1-c.turnOff <= 2*smallTLS {
		return nil
	}
	return &finding{
		frames: []mark{left, st.after.at, st.rst.at},
		text: fmt.Sprintf("%s left (FIN, frame %d); %s sent on (%d) and was answered with RST (%d).",
			st.who(st.c), st.frame(left), st.who(st.s), st.frame(st.after.at), st.frame(st.rst.at)),
		basis: Inferred,
	}
}

// ---- FIN first, idle, then the other side sends ----

// stale says whether the connection was closed by one side while idle, the
// other sent data for which there was nobody any more, and got RST.
func (st *story) stale() bool {
	x := st.closer
	if x < 0 || !st.after.at.ok() || int(st.after.from) == x || st.rst == nil || int(st.rst.from) != x {
		return false
	}
	if y := st.side(1 - x); y.has(sideMissed) && y.turnOff == st.after.off {
		return false
	}
	if st.rst.at.n < st.after.at.n || st.firstRST() && !st.inferred[x] || !st.inferred[x] && st.rst.kind != ToDataAfterClose {
		return false
	}
	y := st.side(int(st.after.from))
	switch st.after.kind {
	case lateRequest:
		return int(st.after.from) == st.c
	case lateRest, lateGoodbye:
		return false
	}
	// Of a protocol that is not read: who closes at once has sent no request,
	// and the last word before the close was the closer's, or a small one.
	if st.proto == protoHTTP1 || st.uncertain() || int(st.after.from) != st.c {
		return false
	}
	if y.close.ok() && y.close.n < st.rst.at.n && y.close.n > st.after.at.n && y.nxt-1-st.after.off <= smallTLS ||
		st.proto == protoTLS && y.nxt-st.after.off <= goawayTLS {
		return false
	}
	return st.quietBefore()
}

// quietBefore says whether the closer had the last word before its FIN.
func (st *story) quietBefore() bool {
	s, c := st.side(st.closer), st.side(1-st.closer)
	if st.proto == protoHTTP1 {
		return true
	}
	if !s.data.ok() {
		return st.after.off <= 1 && !st.f.has(flowMidstream) // nothing was ever asked
	}
	if s.close.time()-s.turn.time() < promptly {
		return false // what it said at once before may have been a no, in the middle of a message
	}
	return st.f.more.talker == int8(st.closer) || c.turnOff == st.after.off && st.f.more.small
}

func (st *story) staleIdle() *finding {
	if !st.stale() || st.after.ack <= st.fin(st.closer) {
		return nil
	}
	x, y := st.closer, 1-st.closer
	me := st.side(x)
	if st.inferred[x] {
		return &finding{
			frames: []mark{st.after.at, st.rst.at}, basis: Inferred, during: DuringIdle, answer: new(Answer),
			text: fmt.Sprintf("%s sent%s (frame %d) and was answered with RST (%d): it acknowledges one more than all of %s's bytes, so %s had closed; that FIN is not in the capture.",
				st.who(y), st.what(), st.frame(st.after.at), st.frame(st.rst.at), st.who(x), st.who(x)),
		}
	}
	acked := fmt.Sprintf("%s had received it", st.who(y))
	frames := []mark{me.close, st.after.at, st.rst.at}
	if ok := me.closeOK; ok.ok() && ok.n < st.after.at.n {
		acked = fmt.Sprintf("%s acknowledged it (%d)", st.who(y), st.frame(ok))
		frames = []mark{me.close, ok, st.after.at, st.rst.at}
	}
	end := fmt.Sprintf("nobody was left to read it, so %s's kernel answered with RST (%d)", st.who(x), st.frame(st.rst.at))
	if late := st.since(st.rst.at, st.after.at); int64(late) > promptly+st.f.roundTrip() {
		end = fmt.Sprintf("%s's RST (%d) came %s after that: until then it read on and threw away what came", st.who(x), st.frame(st.rst.at), span(late))
	}
	return &finding{
		frames: frames,
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d); %s but sent%s %s later (%d); %s.",
			st.who(x), st.idleText(), st.frame(me.close), acked, st.what(), span(st.since(st.after.at, me.close)), st.frame(st.after.at), end),
		during: DuringIdle, answer: new(Answer),
	}
}

// beside says that the tap was beside the host of side i: what comes out there
// is sent, not delivered; what comes for it got as far as its tap.
func (st *story) beside(i int) bool {
	x, _ := st.tap()
	return x == i
}

// ifBeside gives the text when the tap was beside side i.
func (st *story) ifBeside(i int, text string) string {
	if st.beside(i) {
		return text
	}
	return ""
}

func (st *story) staleFinLost() *finding {
	if !st.stale() || st.inferred[st.closer] || st.after.ack > st.fin(st.closer) || st.after.fins < 2 {
		return nil
	}
	x, y := st.closer, 1-st.closer
	me := st.side(x)
	return &finding{
		frames: []mark{me.close, {n: me.finLast}, st.after.at, st.rst.at},
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d) and sent the FIN again, %d times in all; none reached %s%s, which sent%s %s after the first (%d) without acknowledging it and was answered with RST (%d).",
			st.who(x), st.idleText(), st.frame(me.close), st.after.fins, st.who(y), st.ifBeside(y, "'s TCP though they came as far as the tap on its side"), st.what(), span(st.since(st.after.at, me.close)), st.frame(st.after.at), st.frame(st.rst.at)),
		during: DuringIdle, answer: new(Answer),
	}
}

func (st *story) staleCrossing() *finding {
	if !st.stale() || st.inferred[st.closer] || st.after.ack > st.fin(st.closer) || st.after.fins > 1 {
		return nil
	}
	x, y := st.closer, 1-st.closer
	me := st.side(x)
	// A FIN that is not acknowledged for longer than this would have been sent
	// again: then the capture lacks it, and it is not known what happened. Nor is
	// it where this may be such a repetition, and not the first.
	limit := minRTO + st.f.roundTrip()
	if !me.next {
		limit = jitter + st.f.roundTrip()
	}
	if st.beside(y) {
		limit = min(limit, promptly) // the FIN was there already, and did not get through
	}
	if st.after.at.time()-me.close.time() > limit || me.gap || me.has(sideMissed) {
		return nil
	}
	order := []mark{me.close, st.after.at, st.rst.at}
	if st.after.at.n < me.close.n {
		order[0], order[1] = order[1], order[0]
	}
	return &finding{
		frames: order,
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d) while %s sent%s (%d): the two passed each other, neither acknowledges the other; nobody was left to read the latter, so %s's kernel answered with RST (%d).",
			st.who(x), st.idleText(), st.frame(me.close), st.who(y), st.what(), st.frame(st.after.at), st.who(x), st.frame(st.rst.at)),
		during: DuringIdle, answer: new(Answer),
	}
}

// ---- FIN first, no data after ----

func (st *story) discarded() *finding {
	x := st.closer
	if x < 0 || st.rst == nil || int(st.rst.from) == x || st.inferred[1-x] || st.firstRST() && !st.inferred[x] || st.fin(1-x) != never && st.side(1-x).close.ok() && st.side(1-x).close.n < st.rst.at.n {
		return nil
	}
	y := 1 - x
	if st.after.at.ok() && int(st.after.from) == y && st.after.kind != lateGoodbye {
		return nil
	}
	if st.proto != protoHTTP1 && (x == st.s && int64(st.idle()) < promptly || x == st.c && int(st.f.more.talker) == st.c && !st.f.more.small) {
		return nil // what was closed may have been in the middle of an answer, or awaited one
	}
	if st.silent() || st.messageOpen() || st.side(0).has(sideMissed) || st.side(1).has(sideMissed) || st.uncertain() || st.rst.ack != never && st.rst.ack < st.fin(x) {
		return nil
	}
	after := ""
	if st.side(x).close.ok() {
		after = " " + span(st.since(st.rst.at, st.side(x).close)) + " later"
	}
	basis := Basis("")
	closed := "closed"
	if st.inferred[x] {
		basis, closed = Inferred, "had closed; its FIN is not in the capture"
	} else {
		closed = fmt.Sprintf("closed the %s (FIN, frame %d)", st.idleText(), st.frame(st.side(x).close))
	}
	threw := st.who(y) + " threw its end away"
	if st.rst.ack == never && !st.side(x).closeOK.ok() && st.rst.at.time()-st.side(x).close.time() < promptly {
		threw = st.who(y) + " had no end of it any more and answered"
	}
	return &finding{
		frames: []mark{st.side(x).close, st.rst.at}, basis: basis,
		text: fmt.Sprintf("%s %s; %s%s with RST (%d). Nothing was lost on the way.", st.who(x), closed, threw, after, st.frame(st.rst.at)),
	}
}

func (st *story) closed() *finding {
	a, b := st.fin(0), st.fin(1)
	if st.closer < 0 && !(a != never && b != never) || st.firstRST() && !st.inferredAny() {
		return nil
	}
	if st.uncertain() && !st.unread() || !st.uncertain() && st.messageOpen() && !st.readLater() || st.oneWay() || st.silent() || st.inferredAny() && st.rst != nil && st.rst.trig == talkData && st.rst.fresh {
		return nil
	}
	x := st.closer
	if x < 0 {
		x = st.s
	}
	y := 1 - x
	goodbye := st.after.at.ok() && int(st.after.from) == y && st.after.kind == lateGoodbye
	if a == never || b == never {
		if !goodbye || st.rst == nil {
			return nil
		}
	} else if st.after.at.ok() && !goodbye && st.rst != nil && st.rst.kind == ToDataAfterClose && st.rst.from != st.after.from && st.proto != protoHTTP1 {
		return nil
	}
	if st.rst != nil && (a == never || b == never) && !goodbye {
		return nil
	}
	if st.rst != nil && st.inferred[x] && int(st.rst.from) == x && st.side(x).ack < st.fin(y) {
		return nil // it had not taken all of it: where it closed is not known
	}
	if st.rst == nil && st.after.at.ok() && int(st.after.from) == y && !goodbye &&
		(st.side(x).ack <= st.after.off || y == st.c && st.after.kind == lateRequest) {
		return nil // nobody took that, or a request was taken and not answered: why is not in the capture
	}
	if x == st.s && st.owed() {
		return nil
	}
	// Most conversations end here: the text is put together without fmt.
	t := st.x.words[:0]
	t.say(st.who(x), " closed")
	if first := st.side(x).close; first.ok() {
		t.say(" the ").idle(st).say(" (FIN, frame ").number(st.frame(first)).say(")")
	} else {
		t.say(" (its FIN is not in the capture)")
	}
	switch second := st.side(y).close; {
	case st.both:
		t.say(" and so did ", st.who(y), " at the same time (").number(st.frame(second)).say(")")
	case second.ok() && !st.side(x).close.ok():
		t.say(", and ", st.who(y), " after it (FIN, ").number(st.frame(second)).say(")")
	case second.ok():
		t.say(", ", st.who(y), " ").span(st.since(second, st.side(x).close)).say(" later (FIN, ").number(st.frame(second)).say(")")
	case goodbye:
		t.say(", ", st.who(y), " with its protocol's farewell (").number(st.frame(st.after.at)).say(")")
	default:
		t.say(", ", st.who(y), " too (its FIN is not in the capture)")
	}
	if st.rst != nil {
		t.say("; an RST of ", st.who(int(st.rst.from)), " (").number(st.frame(st.rst.at)).say(") came after and harmed nothing")
	}
	if st.uncertain() {
		t.say(", after the server's last word; ")
		if st.garbled() {
			t.say(st.breaks(), ", so whether that was whole is not known")
		} else {
			t.say("the capture cuts the messages themselves off")
		}
	}
	t.say(".")
	basis := Basis("")
	if st.inferredAny() || st.uncertain() {
		basis = Inferred
	}
	st.x.words = t
	st.found = finding{frames: append(st.marks[:0], st.side(x).close, st.side(y).close), text: string(t), basis: basis}
	return &st.found
}

// readLater is for a request that was only half sent, or not followed: no
// answer was owed.
func (st *story) readLater() bool { return st.at() == DuringRequest }

func (st *story) inferredAny() bool { return st.inferred[0] || st.inferred[1] }

// owed says that the server may have owed an answer, in a protocol that is not
// read, when it closed: the client had the last word, but for a TLS alert.
func (st *story) owed() bool {
	c, s := st.side(st.c), st.side(st.s)
	switch {
	case st.proto == protoHTTP1 || !c.data.ok():
		return false
	case st.closer < 0:
		return int(st.f.talker) == st.c
	case int(st.f.more.talker) == st.c:
		return st.proto != protoTLS || !st.f.more.small
	}
	// The server's last word was no more than an alert, and the client's before it
	// more than it takes to shake hands.
	word := s.turnAck - c.turnOff
	return st.proto == protoTLS && s.nxt-1-s.turnOff <= smallTLS/2 && s.turnOff > 1 && (word <= 0 || word > smallTLS)
}

func (st *story) halfClosed() *finding {
	a, b := st.fin(0), st.fin(1)
	if (a == never) == (b == never) || st.oneWay() || st.uncertain() || st.inferredAny() && st.messageOpen() {
		return nil
	}
	x := 0
	if a == never {
		x = 1
	}
	me := st.side(x)
	if r := st.rst; r != nil {
		// Only the closer's own, of its own accord: it would not wait.
		if int(r.from) != x || r.kind != Abort || st.messageOpen() || st.after.at.ok() {
			return nil
		}
		return &finding{
			frames: []mark{me.close, r.at},
			text: fmt.Sprintf("%s closed the %s (FIN, frame %d) and %s later reset it (RST, %d), before %s had closed its side.",
				st.who(x), st.idleText(), st.frame(me.close), span(st.since(r.at, me.close)), st.frame(r.at), st.who(1-x)),
		}
	}
	state := fmt.Sprintf("FIN_WAIT1 with %s, for its FIN is not acknowledged%s", st.who(x), st.ifBeside(x, " and the tap on its side does not show whether it arrived"))
	if me.closeOK.ok() || st.inferred[x] {
		state = fmt.Sprintf("FIN_WAIT2 with %s and CLOSE_WAIT with %s", st.who(x), st.who(1-x))
	}
	after := ""
	if d := st.x.now - me.close.time(); d >= moment {
		after = " " + span(time.Duration(d)) + " later"
	}
	text := fmt.Sprintf("%s closed the %s (FIN, frame %d); %s did not until the capture ended%s: the connection is in %s.",
		st.who(x), st.idleText(), st.frame(me.close), st.who(1-x), after, state)
	basis := Basis("")
	if st.inferred[x] {
		basis = Inferred
		text = fmt.Sprintf("%s closed (its FIN is not in the capture, but acknowledged); %s did not until the capture ended.", st.who(x), st.who(1-x))
	}
	return &finding{frames: []mark{me.close, me.closeOK}, text: text, ended: st.atEnd, basis: basis}
}

// ---- no FIN before the reset ----

func (st *story) aborted() *finding {
	r := st.rst
	// A bare RST may answer a segment that the capture lacks, and one after
	// segments that it lacks may be the end of a keep-alive's probes.
	if r == nil || r.kind != Abort || r.ack == never || r.gap || !st.firstRST() || !st.f.has(flowEstablished) || st.inferredAny() {
		return nil
	}
	x := int(r.from)
	if x == st.c && st.uncertain() || st.oneWay() ||
		r.at.n == 1 && st.f.more.alive.ok() || // it was of a connection before
		r.ack > st.side(1-x).nxt { // what it acknowledges the capture lacks: a FIN perhaps
		return nil
	}
	e, c, s := &st.f.http, st.side(st.c), st.side(st.s)
	asked := c.turn
	if !asked.ok() && st.was() != DuringIdle && st.was() != DuringHandshake && st.was() != DuringUnknown {
		return nil // the request is not in the capture
	}
	request := fmt.Sprintf("%s after %s's request%s", span(st.since(r.at, asked)), st.who(st.c), st.request())
	reset := fmt.Sprintf("%s reset the connection (RST, frame %d)", st.who(x), st.frame(r.at))
	switch st.was() {
	case DuringAwaiting:
		return &finding{frames: []mark{asked, r.at}, text: fmt.Sprintf("%s %s (%d), before a byte of the answer: it closed, or was killed, with the request unread, or it closed with SO_LINGER 0.",
			reset, request, st.frame(asked))}
	case DuringResponse:
		return &finding{frames: []mark{asked, s.turn, r.at}, text: fmt.Sprintf("%s %s (%d), inside the answer that begins in frame %d%s; what of it is on its way may be lost, too.",
			reset, request, st.frame(asked), st.frame(s.turn), st.missing())}
	case DuringRequest:
		answer := ""
		if e.resps > 0 && e.done >= e.reqs {
			answer = fmt.Sprintf("; its answer (status %d) may be lost with it", e.status)
		}
		return &finding{frames: []mark{asked, r.at}, text: fmt.Sprintf("%s %s began (%d), before all of it had come%s.",
			reset, request, st.frame(asked), answer)}
	}
	last, from := st.lastData(r.at)
	connection := "connection"
	if int64(st.idle()) >= moment {
		connection = "idle connection"
	}
	what, tail := "the handshake", " and before any data"
	const unknown = "; what was open then the capture does not show"
	switch {
	case st.silent():
		what, tail = "its first frame here", unknown
	case last.ok() && st.was() == DuringIdle:
		what = fmt.Sprintf("the answer to %s's request%s was whole (%d)", st.who(st.c), st.request(), st.frame(last))
		switch tail = ": nothing was outstanding"; {
		case x == st.s && c.ack < s.nxt, x == st.c && r.ack < s.nxt:
			tail = fmt.Sprintf(": not all of it had arrived at %s", st.who(st.c))
		case x == st.c:
			tail = ": it had arrived, but perhaps was never read"
		}
	case last.ok():
		what, tail = fmt.Sprintf("%s's last data (%d)", st.who(from), st.frame(last)), unknown
	}
	return &finding{frames: []mark{last, r.at}, text: fmt.Sprintf("%s reset the %s (RST, frame %d) %s after %s, without FIN%s.",
		st.who(x), connection, st.frame(r.at), span(st.idle()), what, tail)}
}

// missing is how far the response was from its end, as far as is known.
func (st *story) missing() string {
	switch s := st.side(st.s); s.http {
	case httpBody:
		return fmt.Sprintf(", %d bytes before the end that Content-Length announced", s.end-s.pos)
	case httpChunkSize, httpChunkData, httpTrailer:
		return ", before its last chunk"
	}
	return ""
}

func (st *story) flowForgotten() *finding {
	r := st.rst
	if r == nil || r.kind != NoConnection || !st.firstRST() || st.inferredAny() || r.ack != never || st.fin(int(r.from)) != never {
		return nil
	}
	x := int(r.from)
	me, peer := st.side(x), st.side(1-x)
	if r.trig == talkSYN && peer.has(sideSYNACK) && !st.f.has(flowEstablished) && r.off == peer.ack {
		return &finding{
			frames: []mark{peer.last, r.at},
			text: fmt.Sprintf("%s's kernel knew of no connection when %s's SYN-ACK (frame %d) came, and answered with RST (%d): it had given the attempt up.",
				st.who(x), st.who(1-x), st.frame(mark{n: peer.syn}), st.frame(r.at)),
			during: DuringHandshake,
		}
	}
	// What was never seen alive here cannot be said to have forgotten.
	if !me.has(sideSeen) || me.has(sideSYNACK) && me.nxt <= 1 && me.ack <= 1 || peer.has(sideAcked) && peer.ack > me.nxt {
		return nil
	}
	if r.at.time()-peer.last.time() > synRTO+st.f.roundTrip() {
		return nil // too late for an answer
	}
	what := ""
	switch r.trig {
	case talkData:
		what = "data"
	case talkProbe:
		what = "keep-alive probe"
	case talkFIN:
		what = "FIN"
	default:
		return nil
	}
	where := "there, or at a box between"
	if st.beside(x) && r.ttl == me.ttl {
		where = "there, on whose side the tap was"
	}
	return &finding{
		frames: []mark{peer.last, r.at},
		text: fmt.Sprintf("%s's %s (frame %d) was answered with a bare RST (%d) in the name of %s, last heard in frame %d: %s, this connection is not known any more, or a FIN was lost before the capture.",
			st.who(1-x), what, st.frame(peer.last), st.frame(r.at), st.who(x), st.frame(me.last), where),
	}
}

// ---- nothing more came ----

func (st *story) open() *finding {
	if st.closer >= 0 || st.rst != nil || st.inferredAny() || !st.f.has(flowEstablished) || st.oneWay() {
		return nil
	}
	last := later(st.side(0).last, st.side(1).last)
	text := fmt.Sprintf("still open when the capture ended (last segment: frame %d).", st.frame(last))
	switch {
	case !st.atEnd && !st.early:
		text = fmt.Sprintf("still open when its ports were used again (last segment: frame %d).", st.frame(last))
	case st.early:
		text = fmt.Sprintf("still open when it was decided early, idle since frame %d: too many flows.", st.frame(last))
	case st.silence() >= moment:
		text = fmt.Sprintf("still open when the capture ended, %s after its last segment (frame %d).", span(time.Duration(st.silence())), st.frame(last))
	}
	return &finding{frames: []mark{last}, text: text, ended: st.atEnd}
}

func (st *story) unexplained() *finding {
	var text string
	switch {
	case st.oneWay() && st.f.has(flowEstablished):
		text = "the capture holds one direction of this connection only."
	case st.rst == nil && st.side(st.c).syns == 1 && !st.side(st.s).has(sideSeen) && st.silence() > 3*synRTO:
		text = fmt.Sprintf("%s sent one SYN (frame %d) and in the %s after it nothing came: no answer, and no repetition, so it gave up within a second, or the answer is not in the capture.",
			st.who(st.c), st.frame(st.synMark(st.c)), span(time.Duration(st.silence())))
	case st.rst == nil && st.closer < 0 && !st.f.has(flowEstablished):
		text = "the handshake was not finished and nothing says why."
	case (st.uncertain() || st.silent()) && st.closer >= 0 && st.rst == nil && st.fin(0) != never && st.fin(1) != never:
		lacks := "the bytes that would show whether the last answer was whole"
		if st.silent() {
			lacks = "all that came before, and with it whether an answer was owed"
		}
		but := "the capture lacks " + lacks
		if st.garbled() {
			but = st.breaks() + ", so whether the last answer was whole is not known"
		}
		text = fmt.Sprintf("%s closed first (FIN, frame %d), %s after; but %s.",
			st.who(st.closer), st.frame(later(st.side(st.closer).close, mark{n: 1})), st.who(1-st.closer), but)
	case st.garbled():
		text = st.breaks() + ": whether the last answer was whole is not known."
	case st.uncertain():
		text = "the capture lacks the bytes that would show whether the last answer was whole."
	case st.rst != nil:
		text = fmt.Sprintf("an RST of %s (frame %d) whose reason the capture does not show.", st.who(int(st.rst.from)), st.frame(st.rst.at))
	default:
		text = "the segments fit none of the known stories."
	}
	var at mark
	if st.rst != nil {
		at = st.rst.at
	}
	return &finding{frames: []mark{at}, text: text, ended: st.atEnd && st.rst == nil}
}
