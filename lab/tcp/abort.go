package tcp

import "fmt"

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
		r.trig == talkNone && r.at.n > 1 || // its peer was silent until then: what it sent may have been probes
		st.f.has(flowMidstream) && r.fresh && r.trig == talkData && !st.side(x).data.ok() || // it may have closed before the capture began
		r.ack > st.side(1-x).nxt { // what it acknowledges the capture lacks: a FIN perhaps
		return nil
	}
	e, c, s := &st.f.http, st.side(st.c), st.side(st.s)
	asked := st.ask
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
		return &finding{frames: []mark{asked, st.reply, r.at}, text: fmt.Sprintf("%s %s (%d), inside the answer that begins in frame %d%s; what of it is on its way may be lost, too.",
			reset, request, st.frame(asked), st.frame(st.reply), st.missing())}
	case DuringRequest:
		answer := ""
		if e.resps > 0 && e.done >= e.reqs {
			answer = fmt.Sprintf("; its answer (status %d) may be lost with it", e.status)
		}
		begins := "began"
		if c.turnOff > c.off(e.reqSeq) { // answered early, it went on
			begins = "went on"
		}
		return &finding{frames: []mark{asked, r.at}, text: fmt.Sprintf("%s %s %s (%d), before all of it had come%s.",
			reset, request, begins, st.frame(asked), answer)}
	}
	last, from := st.lastData(r.at)
	connection := "connection"
	if int64(st.idle()) >= moment && st.was() == DuringIdle {
		connection = "idle connection"
	}
	what, tail := "the handshake", " and before any data"
	const unknown = "; what was open then the capture does not show"
	switch {
	case st.silent():
		what, tail = "its first frame here", unknown
	case last.ok() && st.was() == DuringIdle && (e.reqs == 0 || e.has(httpReset)):
		what, tail = fmt.Sprintf("%s's last data (%d)", st.who(from), st.frame(last)), ": no stream was open"
	case last.ok() && st.was() == DuringIdle:
		what = fmt.Sprintf("the answer to %s's request%s was whole (%d)", st.who(st.c), st.request(), st.frame(last))
		switch tail = ": nothing was outstanding"; {
		case x == st.s && c.ack < s.said(), x == st.c && r.ack < s.said():
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
			frames: []mark{r.to, r.at},
			text: fmt.Sprintf("%s's kernel knew of no connection when %s's SYN-ACK (frame %d) came, and answered with RST (%d): it had given the attempt up.",
				st.who(x), st.who(1-x), st.frame(mark{n: peer.syn}), st.frame(r.at)),
			during: DuringHandshake,
		}
	}
	// What was never seen alive here cannot be said to have forgotten.
	if !me.has(sideSeen) || me.has(sideSYNACK) && me.nxt <= 1 && me.ack <= 1 || max(peer.ack, r.off) > me.nxt {
		return nil
	}
	if r.at.time()-r.to.time() > synRTO+st.f.roundTrip() {
		return nil // too late for an answer
	}
	if r.at.time()-me.last.time() < promptly+st.f.roundTrip() {
		return nil // so soon nobody forgets: what ended it the capture lacks
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
		frames: []mark{r.to, r.at},
		text: fmt.Sprintf("%s's %s (frame %d) was answered with a bare RST (%d) in the name of %s, last heard in frame %d: %s, this connection is not known any more, or its FIN or RST was lost before the capture.",
			st.who(1-x), what, st.frame(r.to), st.frame(r.at), st.who(x), st.frame(me.last), where),
	}
}
