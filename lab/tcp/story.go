package tcp

import (
	"net/netip"
	"time"
)

// story is a flow that is over, told from the client's side.
type story struct {
	x    *explainer
	f    *flow
	c, s int // index of client and server
	ends [2]end
	addr [2]netip.AddrPort
	host [2]string // names for the text

	guessed  bool // which end is the client is a guess
	atEnd    bool // the capture ended before the flow did
	early    bool
	closer   int  // side that closed first, -1
	both     bool // both closed at once
	inferred [2]bool
	ask      mark   // the last request, or the one that counts of several
	reply    mark   // the answer to it
	line     uint32 // and what it asks for, in the explainer's table
	others   int    // streams of HTTP/2 that were open beside it
	rst      *reset // the first RST that counts
	after    lateData
	proto    protocol
	found    finding
	marks    [2]mark
}

// end is a side with what is kept elsewhere of it.
type end struct {
	*side
	closing
	top, turnOff, turnAck int64 // as offsets
}

// read makes the story of a flow that is over. The story, its finding and the
// text in the making are used again for the next: there are many.
func (st *story) read(x *explainer, f *flow, atEnd, early bool) {
	*st = story{x: x, f: f, atEnd: atEnd, early: early, closer: int(f.closer), proto: f.http.proto}
	st.c, st.guessed = f.client()
	st.s = 1 - st.c
	for i := range st.addr {
		st.addr[i] = f.end[i].addrPort()
		if st.host[i] = x.name(st.addr[i].Addr()); st.host[i] == "" {
			st.host[i] = "the server"
			if i == st.c {
				st.host[i] = "the client"
			}
		}
	}
	for i := range st.ends {
		me := &f.side[i]
		st.ends[i] = end{side: me, top: me.off(me.top), turnOff: me.off(me.turnSeq), turnAck: f.side[1-i].off(me.turnAck)}
		if f.more != nil {
			st.ends[i].closing = f.more.ends[i]
		}
	}
	for i := range st.ends {
		me, peer := &st.ends[i], &st.ends[1-i]
		// An acknowledgment of one more than all that was sent: of a FIN that
		// the capture lacks.
		end := me.top
		if peer.has(sideAcked) {
			end = max(end, peer.ack)
		}
		if f.more != nil {
			for _, r := range f.more.resets {
				// A bare RST has the acknowledgment of what it answers.
				if int(r.from) == i {
					end = max(end, r.off)
				}
			}
		}
		if me.fin == never && me.has(sideSeen) && end == me.nxt+1 {
			st.inferred[i] = true
		}
	}
	st.ask, st.reply, st.line = st.side(st.c).turn, st.side(st.s).turn, f.http.reqLine
	if f.more != nil {
		st.after = f.more.after
		st.rst = st.firstReset()
		if h := f.more.http2; h != nil && f.http.reads() {
			if s := h.furthest(); s != nil {
				st.ask, st.reply, st.line, st.others = s.at, s.reply, s.line, len(h.open)-1
			}
		}
	}
	for i := range f.side {
		if !st.inferred[i] {
			continue
		}
		me, peer := &st.ends[i], &st.ends[1-i]
		if peer.fin == never && !st.inferred[1-i] || peer.fin != never && peer.finAck > me.nxt {
			st.closer = i
		}
		if st.closer == i && !st.after.at.ok() && peer.turn.ok() && peer.turnAck > me.nxt {
			st.after = lateData{at: peer.turn, off: peer.turnOff, ack: peer.turnAck, from: int8(1 - i), fins: 1, kind: f.crossKind(1-i, peer.turnOff)}
		}
	}
	if a, b := &st.ends[0], &st.ends[1]; a.fin != never && b.fin != never && a.finAck <= b.fin && b.finAck <= a.fin {
		st.both = true
	}
}

// client says which side is the client, and whether that is a guess.
func (f *flow) client() (int, bool) {
	a, b := &f.side[0], &f.side[1]
	switch {
	case a.has(sideSYN) && b.has(sideSYN):
		if b.syn < a.syn {
			return 1, false
		}
		return 0, false
	case a.has(sideSYN) || b.has(sideSYNACK):
		return 0, false
	case b.has(sideSYN) || a.has(sideSYNACK):
		return 1, false
	case f.http.has(httpKnown):
		return int(f.http.client), false
	}
	// The server's port is the lower one, more often than not.
	if f.end[0].port != f.end[1].port {
		if f.end[0].port < f.end[1].port {
			return 1, true
		}
		return 0, true
	}
	if a.last.ok() && (!b.last.ok() || a.last.n <= b.last.n) {
		return 0, true
	}
	return 1, true
}

// firstReset is the first RST that took effect.
func (st *story) firstReset() *reset {
	for i := range st.f.more.resets {
		r := &st.f.more.resets[i]
		if r.stray || r.kind == ToSYN && (st.f.has(flowEstablished) || st.side(1-int(r.from)).syns > 1 && st.side(int(r.from)).has(sideSYNACK)) { // the SYN was sent again, and answered
			continue
		}
		return r
	}
	return nil
}

// said is the offset of a side's last byte of data, and one.
func (s *end) said() int64 {
	if s.fin != never {
		return s.fin
	}
	return s.nxt
}

func (st *story) side(i int) *end { return &st.ends[i] }

// fin gives the offset of a side's FIN, inferred ones included.
func (st *story) fin(i int) int64 {
	if st.inferred[i] {
		return st.side(i).nxt
	}
	return st.side(i).fin
}

func (st *story) sideOf(i int) Side {
	switch i {
	case st.c:
		return Client
	case st.s:
		return Server
	}
	return None
}

// frame gives a mark's number in the file.
func (st *story) frame(m mark) int { return st.f.first + int(m.n) - 1 }

// when gives the connection's time of a mark.
func (st *story) since(m, earlier mark) time.Duration {
	return time.Duration(m.time() - earlier.time())
}

// silence is how long the capture went on after the flow's last segment.
func (st *story) silence() int64 { return st.x.now - st.f.latest() }

// firstRST says that an RST ended the connection before any FIN did.
func (st *story) firstRST() bool {
	return st.rst != nil && (st.closer < 0 || st.side(st.closer).close.ok() && st.rst.at.n < st.side(st.closer).close.n)
}

// closedFirst says that side i closed in order before anything else ended the
// connection.
func (st *story) closedFirst(i int) bool { return st.closer == i && !st.firstRST() }

// uncertain says that the capture lacks what would show where messages end.
func (st *story) uncertain() bool {
	return st.f.http.has(reqLost | respLost | httpUneven)
}

// garbled says that the messages are not known because their sender broke HTTP/1.
func (st *story) garbled() bool { return st.uncertain() && st.f.http.has(httpGarbled) }

// breaks says who broke it.
func (st *story) breaks() string {
	who := st.s
	if !st.f.http.has(respLost) {
		who = st.c
	}
	return "what " + st.who(who) + " sent breaks the framing of HTTP/1"
}

// at is where in the exchange the first close or reset came. What the closer's
// peer sent before and the capture shows only after counts as before.
func (st *story) at() During {
	f, e := st.f, &st.f.http
	if st.closer != st.s || st.firstRST() || !e.reads() {
		if st.closer >= 0 && st.inferred[st.closer] {
			return DuringUnknown
		}
		return st.was()
	}
	switch {
	case st.was() == DuringHandshake || st.was() == DuringRequest:
		return st.was()
	case st.inferred[st.s]:
		return DuringUnknown
	case e.has(respLost):
		return DuringUnknown
	case e.has(respOpen):
		return DuringResponse
	case e.has(reqLost):
		return DuringUnknown
	case f.more != nil && e.done < f.more.before:
		return DuringAwaiting
	}
	return DuringIdle
}

// was is where in the exchange the first close or reset was captured.
func (st *story) was() During {
	if st.f.more == nil {
		return DuringUnknown
	}
	return st.f.more.at
}

// messageOpen says that the last request was not answered whole.
func (st *story) messageOpen() bool {
	e := &st.f.http
	if !e.reads() || st.after.at.ok() && st.after.kind == lateRequest {
		return false
	}
	return e.has(respOpen) && !(e.has(untilFIN) && (st.closer == st.s || int64(st.idle()) < promptly)) || e.has(interim) && !st.uncertain() || e.reqs > e.done && !e.has(respOpen)
}

// silent says that the capture has neither the connection's beginning nor any
// data of it, but for a good-bye: whether an answer was owed is not known.
func (st *story) silent() bool {
	if !st.f.has(flowMidstream) {
		return false
	}
	bye := func(s *end) bool { return !s.bye.before(s.data, s.data).ok() }
	return bye(st.side(0)) && bye(st.side(1))
}

// ephemeral is the least port that Linux gives a client (ip_local_port_range).
const ephemeral = 32768

// beganBefore says, of a protocol that is not read, that it began before the capture
// and that by this what came to its end is not known: who is the client, or whether the
// last word was one that another had to follow.
func (st *story) beganBefore() bool {
	if st.f.http.reads() || !st.f.has(flowMidstream) {
		return false
	}
	sure := !st.guessed || st.addr[st.c].Port() >= ephemeral && st.addr[st.s].Port() < ephemeral
	return !sure || !st.asks() && int64(st.idle()) < rested
}

// unread says that the messages are not known only because they are no HTTP/1, and that
// the client closed after the server's last word. As for a protocol that is not read,
// TCP's order is all. (What the capture cuts off may have been in the middle of an answer.)
func (st *story) unread() bool {
	return st.garbled() && !st.missed() && st.closer == st.c && !st.guessed && (st.rst == nil || st.overBefore(st.rst)) && !st.inferredAny() &&
		!st.after.at.ok() && int(st.f.more.talker) == st.s
}

// asks says that the protocol is one of requests and answers that is not read.
func (st *story) asks() bool {
	return (st.proto == protoTLS || st.proto == protoHTTP2) && !st.f.http.reads()
}

// missed says that the capture lacks data of either side.
func (st *story) missed() bool {
	return st.f.has(flowMissed) || st.side(0).has(sideMissed) || st.side(1).has(sideMissed)
}

// overBefore says that both sides had closed when an RST came.
func (st *story) overBefore(r *reset) bool {
	a, b := st.side(0).close, st.side(1).close
	return a.ok() && b.ok() && r.at.n > max(a.n, b.n)
}

// shuffled says that the file has the frames around the end in another order than
// that of their times.
func (st *story) shuffled() bool { return st.f.more != nil && st.f.more.behind.ok() }

// oneWay says that the capture holds one direction only.
func (st *story) oneWay() bool {
	return !st.side(0).has(sideSeen) || !st.side(1).has(sideSeen)
}

// conversation decides.
func (st *story) conversation() Conversation {
	f := st.f
	c := Conversation{
		Client: st.addr[st.c], Server: st.addr[st.s],
		ClosedBy: None, ResetBy: None, Basis: Wire,
		During: f.http.during(f), Answer: f.http.answer(),
		Requests: int(f.http.reqs), Responses: int(f.http.resps),
		Protocol: protocolNames[f.http.proto], Request: st.x.lineOf[st.line],
		Status: int(f.http.status), KeepAlive: int(f.http.hint),
		Start: time.Unix(0, f.start), End: time.Unix(0, f.seen()),
		Resets: []Reset{}, Frames: []int{}, DecidedEarly: st.early, LongestRest: float64(f.rest) / 1000,
	}
	if x, _ := st.tap(); x >= 0 {
		c.Tap = st.sideOf(x)
	}
	c.ClientName, c.ServerName = st.x.name(c.Client.Addr()), st.x.name(c.Server.Addr())
	if st.closer >= 0 || st.rst != nil {
		c.During, c.Idle = st.at(), st.idle().Seconds()
		if f.more != nil {
			c.Answer = f.more.atReply
		}
	}
	if f.http.proto == protoHTTP1 {
		switch client, server := st.side(st.c).has(sideSaidClose), st.side(st.s).has(sideSaidClose); {
		case client && server:
			c.SaidClose = Both
		case client:
			c.SaidClose = Client
		case server:
			c.SaidClose = Server
		}
	}
	if st.uncertain() && c.During != DuringHandshake {
		c.During = DuringUnknown
	}
	if st.closer >= 0 {
		c.ClosedBy = st.sideOf(st.closer)
		if st.both {
			c.ClosedBy = Both
		}
		if st.closer == st.s || st.inferred[st.closer] || st.rst == nil {
			c.Answer = f.http.answer()
		}
		if c.Answer == AnswerPartial && f.http.has(untilFIN) && st.closedFirst(st.s) {
			c.Answer = AnswerWhole // its end is the FIN
		}
		if st.after.at.ok() && st.side(st.closer).close.ok() {
			c.Reuse = max(0, st.since(st.after.at, st.side(st.closer).close).Seconds())
		}
	}
	if f.more != nil {
		for _, r := range f.more.resets {
			c.Resets = append(c.Resets, Reset{Frame: st.frame(r.at), From: st.sideOf(int(r.from)), Kind: r.kind, over: r.kind == AfterClose && st.overBefore(&r)})
		}
	}
	if st.rst != nil {
		c.ResetBy = st.sideOf(int(st.rst.from))
	}
	for _, cause := range Causes {
		if st.shuffled() && cause.Cause != CauseUnexplained {
			continue
		}
		found := cause.when(st)
		if found == nil {
			continue
		}
		c.Cause, c.Text, c.Advice, c.CaptureEnded = cause.Cause, found.text, cause.Advice, found.ended
		if cause.Cause == CauseFlowForgotten && found.during == DuringHandshake {
			c.Advice = "" // it was given up
		}
		c.Doubt = found.doubt
		if found.basis != "" {
			c.Basis = found.basis
		} else if st.guessed && cause.Cause != CauseOpen && cause.Cause != CauseUnexplained {
			c.Basis = Inferred
		}
		if found.during != DuringUnknown {
			c.During = found.during
		}
		if found.answer != nil {
			c.Answer = *found.answer
		}
		c.Frames = make([]int, 0, len(found.frames))
		for _, m := range found.frames {
			if m.ok() {
				c.Frames = append(c.Frames, st.frame(m))
			}
		}
		break
	}
	if st.early && c.Cause != CauseOpen {
		c.note("It was decided early, for too many connections were open at once: what came later is not in it.")
	}
	if c.Cause == CauseAborted {
		c.ClosedBy = None // whoever did came late
	}
	if c.Cause == CauseRejected {
		c.ResetBy = ThirdParty
		for i := range c.Resets {
			if c.Resets[i].Frame == st.frame(st.rst.at) {
				c.Resets[i].Kind = Forged
			}
		}
	}
	if f.more != nil && f.more.alert.at.ok() {
		a := f.more.alert
		c.Alert, c.AlertBy = a.String(), st.sideOf(int(a.from))
		c.Advice = AlertAdvice
		c.note("Before, %s had %s (frame %d).", st.who(int(a.from)), alertText(c.Alert), st.frame(a.at))
	}
	for i := range st.ends {
		if bye := st.goAway(i); bye.at.ok() && bye.code != 0 {
			c.Alert, c.AlertBy = goAwayAlert+bye.reason(), st.sideOf(i)
			c.note("Before, %s had %s (frame %d).", st.who(i), alertText(c.Alert), st.frame(bye.at))
			break
		}
	}
	c.LateReset = c.Cause == CauseClosed && len(c.Resets) > 0
	return c
}

// idle is how long no data had been sent when the first side closed or reset.
func (st *story) idle() time.Duration {
	var end mark
	switch {
	case st.firstRST():
		end = st.rst.at
	case st.closer >= 0:
		end = st.side(st.closer).close
	}
	if !end.ok() {
		return 0
	}
	last, _ := st.lastData(end)
	if !last.ok() {
		return max(0, time.Duration(end.time()-st.f.start))
	}
	return max(0, st.since(end, last))
}

// lastData is the newest data before a moment, and the side that sent it; not
// what crosses the first FIN, wherever the tap was, nor the good-bye that it came with.
// In HTTP/2 in the clear PINGs and the like are none.
func (st *story) lastData(end mark) (last mark, from int) {
	if st.proto == protoHTTP2 && st.f.http.reads() && !st.uncertain() {
		if h := st.f.more.http2; h.word.ok() && h.word.n <= end.n {
			return h.word, int(h.wordBy)
		}
	}
	for i := range st.ends {
		me := st.side(i)
		for _, m := range [...]mark{me.bye.before(me.data, end), me.bye.before(me.turn, end)} {
			if st.after.at.ok() && int(st.after.from) == i && m.n >= st.after.at.n {
				continue
			}
			if m.ok() && m.n <= end.n && m.n > last.n {
				last, from = m, i
			}
		}
	}
	return last, from
}
