package tcp

import (
	"fmt"
	"time"
)

// ---- FIN first, with a message open ----

func (st *story) truncated() *finding {
	f, e := st.f, &st.f.http
	if !st.closedFirst(st.s) || !e.reads() || !e.has(respOpen) || e.has(respLost) || st.inferred[st.s] {
		return nil
	}
	s := st.side(st.s)
	if st.oneWay() || e.resps > e.reqs || e.has(httpUneven) || st.side(st.c).has(sideMissed) {
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
	case httpFrame, httpFrameBody, httpFields:
		if where = "before the stream had ended"; s.pos < s.fin {
			return nil
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
		frames: []mark{st.reply, s.close},
		text: fmt.Sprintf("%s closed (FIN, frame %d) inside the response that begins in frame %d, %s.%s",
			st.who(st.s), st.frame(s.close), st.frame(st.reply), where, st.besides()),
		during: DuringResponse, answer: &partial,
	}
}

func (st *story) noResponse() *finding {
	e := &st.f.http
	if !st.closedFirst(st.s) || !e.reads() || st.inferred[st.s] || e.has(respOpen|reqLost|respLost|reqOpen|httpUneven) {
		return nil
	}
	c, s := st.side(st.c), st.side(st.s)
	if st.at() != DuringAwaiting || c.has(sideMissed) || s.has(sideMissed) {
		return nil
	}
	none := AnswerNone
	if e.proto == protoHTTP1 && e.resps > 0 && c.turn.n < s.data.n { // pipelined
		return &finding{
			frames: []mark{c.turn, s.data, s.close},
			text: fmt.Sprintf("%s took %d of %s's requests (the last,%s, since frame %d), answered %d, and closed (FIN, %d) without a byte of an answer to the rest.",
				st.who(st.s), e.reqs, st.who(st.c), st.request(), st.frame(c.turn), e.done, st.frame(s.close)),
			during: DuringAwaiting, answer: &none,
		}
	}
	without := "a byte of an answer"
	if e.has(interim) {
		without = "a final answer"
	}
	return &finding{
		frames: []mark{st.ask, s.close},
		text: fmt.Sprintf("%s took %s's request%s (frame %d) and closed after %s (FIN, %d) without %s.%s",
			st.who(st.s), st.who(st.c), st.request(), st.frame(st.ask), span(st.since(s.close, st.ask)), st.frame(s.close), without, st.besides()),
		during: DuringAwaiting, answer: &none,
	}
}

func (st *story) earlyClose() *finding {
	if !st.closedFirst(st.s) || !st.f.http.reads() || !st.after.at.ok() || int(st.after.from) != st.c || st.rst == nil {
		return nil
	}
	s := st.side(st.s)
	if st.was() != DuringRequest || st.after.kind != lateRest || int(st.rst.from) != st.s {
		return nil
	}
	if st.missed() {
		return nil // the request may have come to its end in what is missing
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
	case st.firstRST() && int(st.rst.from) == st.c && st.rst.kind == Abort && st.rst.ack != never: // a bare one answers something
		left, how = st.rst.at, "RST"
	default:
		return nil
	}
	if !left.ok() || how == "FIN" && c.resent > 0 || st.oneWay() || e.proto == protoHTTP1 && e.resps > e.reqs || !st.ask.ok() {
		return nil // the request, or the FIN, met silence; or the request is not in the capture
	}
	if how == "FIN" && st.rst == nil && st.side(st.s).last.n < left.n {
		return nil // what the server did then is not in the capture: it may have answered
	}
	if how == "FIN" && (c.fins > 1 && !c.closeOK.ok() || f.has(flowMidstream) && !st.side(st.s).data.ok()) {
		return nil // the FIN met silence; or the server may have closed before
	}
	if st.proto == protoTLS {
		return st.abandonedTLS(left)
	}
	if !e.reads() || e.has(reqLost|respLost|httpUneven) || st.inferredAny() {
		return nil
	}
	// What it did not acknowledge when it left had not arrived, though the
	// capture may show it before.
	during, waiting := st.was(), ""
	threw := st.rst != nil && int(st.rst.from) == st.c // away what came then: it was gone
	s, had := st.side(st.s), c.finAck
	if how == "RST" {
		had = st.rst.ack
	}
	if had != never && had > s.nxt {
		return nil // what it acknowledges the capture lacks: the server's FIN perhaps
	}
	if had != never && had < st.spoke() && s.data.n < left.n && e.resps <= e.reqs && threw {
		if during = DuringResponse; had <= s.turnOff {
			during = DuringAwaiting
		}
	}
	switch during {
	case DuringAwaiting:
		if !threw && int64(st.since(left, c.data)) < promptly && e.proto == protoHTTP1 {
			return nil // who only shuts its writing side does it at once, and reads on
		}
		waiting = "the answer to its request" + st.request() + " had not begun"
	case DuringResponse:
		if last, _ := st.lastData(left); st.blind() && int64(st.since(left, last)) < promptly {
			return nil
		}
		waiting = "the answer to its request" + st.request() + " was not whole"
	case DuringRequest:
		if e.done >= e.reqs {
			return nil
		}
		waiting = "its own request" + st.request() + " was not whole"
	default:
		return nil
	}
	if !threw && e.done >= e.reqs && !e.has(respLost|respOpen) {
		return nil // it had only shut its writing side, and read the answer
	}
	if !threw && s.data.n > left.n && c.last.n > s.data.n && c.ack >= s.nxt-1 {
		return nil // it took data after its FIN: it had not left
	}
	if how == "FIN" && e.has(untilFIN) && st.rst == nil && (s.fin != never && s.finAck <= c.fin || int64(st.idle()) < promptly) {
		return nil // the end of such an answer is the server's FIN, which was on its way, or the client knows it
	}
	frames := []mark{st.ask, left}
	tail := st.besides()
	if how == "FIN" && threw {
		frames = append(frames, st.rst.at)
		tail += fmt.Sprintf(" What %s sent then was answered with RST (%d).", st.who(st.s), st.frame(st.rst.at))
	}
	return &finding{
		frames: frames,
		text: fmt.Sprintf("%s left (%s, frame %d) %s after its request (%d): %s.%s",
			st.who(st.c), how, st.frame(left), span(st.since(left, st.ask)), st.frame(st.ask), waiting, tail),
		during: during, answer: &f.more.atReply,
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
	// What was closed may have been in the middle of an answer, or awaited one.
	switch {
	case st.asks() && x == st.c:
		return nil // in mid-answer, perhaps
	case st.proto == protoTLS:
		if !st.side(x).has(sideSaidClose) {
			return nil
		}
	case !st.f.http.reads() && (x == st.s && int64(st.idle()) < promptly || x == st.c && int(st.f.more.talker) == st.c):
		return nil
	}
	if st.side(x).fins > 1 && !st.side(x).closeOK.ok() {
		return nil // who never got the FIN did not throw away what it closed
	}
	if st.silent() || st.owed() || st.beganBefore() || st.messageOpen() || st.f.http.has(reqOpen) || st.side(0).has(sideMissed) || st.side(1).has(sideMissed) || st.uncertain() || st.rst.ack != never && st.rst.ack < st.fin(x) ||
		st.rst.ack == never && st.side(y).ack < st.fin(x) {
		return nil // a bare one may answer data that had not arrived
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
		frames: []mark{st.side(x).close, st.rst.at}, basis: basis, doubt: st.unseen(),
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
	if st.rst != nil && st.idled() && int(st.rst.from) == st.c && st.after.at.ok() && int(st.after.from) == st.s {
		c := st.side(st.c)
		return &finding{
			frames: []mark{c.close, st.after.at, st.rst.at},
			text: fmt.Sprintf("%s closed the connection (FIN, frame %d) and had asked nothing on it: what %s sent then (%d), a session ticket perhaps, was answered with RST (%d) and is no loss.",
				st.who(st.c), st.frame(c.close), st.who(st.s), st.frame(st.after.at), st.frame(st.rst.at)),
		}
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
	} else if st.after.at.ok() && !goodbye && st.rst != nil && st.rst.kind == ToDataAfterClose && st.rst.from != st.after.from &&
		(!st.f.http.reads() || st.f.http.resps > st.f.http.reqs || st.after.kind == lateRequest) {
		return nil // what that answers may have been the rest of something
	}
	if st.rst != nil && (st.after.at.ok() && int(st.after.from) == st.c && (st.after.kind == lateRequest || st.after.kind == lateAsking) || st.inferredAny() && st.f.http.has(httpReset)) {
		return nil // a request was lost
	}
	if st.inferred[x] && st.side(x).ack < st.fin(y) {
		return nil // it had not taken all of it: where it closed is not known
	}
	if st.rst == nil && st.after.at.ok() && int(st.after.from) == y && !goodbye &&
		(st.side(x).ack <= st.after.off || y == st.c && (st.after.kind == lateRequest || st.asks() && st.after.kind != lateRest)) {
		return nil // nobody took that, or a request perhaps was taken and not answered: why is not in the capture
	}
	if st.owed() || st.cutShort() {
		return nil
	}
	if !st.f.http.reads() && st.missed() || st.beganBefore() {
		return nil // what is missing may have been a request, or its answer
	}
	// Most conversations end here: the text is put together without fmt.
	t := st.x.words[:0]
	t.say(st.who(x), " closed")
	if first := st.side(x).close; first.ok() {
		t.say(" the ").idle(st).say(" (FIN, frame ").number(st.frame(first)).say(")")
		switch bye := st.goodbye(y, first); {
		case bye.ok():
			t.say(" on ", st.who(y), "'s good-bye (").number(st.frame(bye)).say(")")
		case st.proto != protoHTTP1:
		case st.side(x).has(sideSaidClose):
			t.say(" as announced")
		case st.side(y).has(sideSaidClose):
			t.say(" as ", st.who(y), " had asked")
		}
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
	case goodbye && st.proto == protoHTTP2 && !st.goAway(y).at.ok():
		t.say(", ", st.who(y), " with HTTP/2's own bookkeeping (").number(st.frame(st.after.at)).say(")")
	case goodbye:
		t.say(", ", st.who(y), " with its protocol's farewell (").number(st.frame(st.after.at)).say(")")
	default:
		t.say(", ", st.who(y), " too (its FIN is not in the capture)")
	}
	if st.rst == nil && st.after.at.ok() && st.after.kind == lateOpaque {
		t.say("; what ", st.who(int(st.after.from)), " sent between the two (").number(st.frame(st.after.at)).say(") was acknowledged")
	}
	if st.rst != nil {
		t.say("; an RST of ", st.who(int(st.rst.from)), " (").number(st.frame(st.rst.at)).say(") came after and harmed nothing")
	}
	unseen := st.unseen()
	switch {
	case st.uncertain():
		t.say(", after the server's last word; ", st.breaks(), ", so whether that was whole is not known")
	case unseen != "" && int64(st.idle()) >= promptly: // it may have stalled
		t.say("; ", unseen)
	}
	t.say(".")
	basis := Basis("")
	if st.inferredAny() || st.uncertain() {
		basis = Inferred
	}
	st.x.words = t
	st.found = finding{frames: append(st.marks[:0], st.side(x).close, st.side(y).close), text: string(t), basis: basis, doubt: unseen}
	return &st.found
}

// unseen is the doubt of an end in order: whether the messages were whole is not to be
// seen, for they are encrypted, or break the framing.
func (st *story) unseen() string {
	if st.uncertain() || st.proto == protoTLS || st.proto == protoTunnel {
		return wholeUnseen
	}
	return ""
}

// readLater is for a request that was only half sent, or not followed: no
// answer was owed. A client that closes then has left.
func (st *story) readLater() bool {
	return st.at() == DuringRequest && st.f.http.has(reqOpen|reqLost) && !st.inferredAny() && (st.closer == st.s || st.f.http.done >= st.f.http.reqs)
}

func (st *story) inferredAny() bool { return st.inferred[0] || st.inferred[1] }

func (st *story) halfClosed() *finding {
	a, b := st.fin(0), st.fin(1)
	if (a == never) == (b == never) || st.oneWay() || st.uncertain() || st.inferredAny() && st.messageOpen() {
		return nil
	}
	if _, what := st.hushed(); what != "" {
		return nil
	}
	x := 0
	if a == never {
		x = 1
	}
	me := st.side(x)
	if r := st.rst; r != nil {
		// Only the closer's own, of its own accord: it would not wait.
		if int(r.from) != x || r.kind != Abort || st.firstRST() || st.messageOpen() || st.after.at.ok() {
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
