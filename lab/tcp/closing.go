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

// besides tells of the other streams of HTTP/2 that were open, and whether the server had
// said that it would not take that request.
func (st *story) besides() (text string) {
	switch {
	case st.others == 1:
		text = " One more stream was open."
	case st.others > 1:
		text = fmt.Sprintf(" %d more streams were open.", st.others)
	}
	if st.proto == protoHTTP2 {
		if s, bye := st.f.more.http2.furthest(), st.goAway(st.s); s != nil && bye.at.ok() && s.id > bye.last {
			text += fmt.Sprintf(" The GOAWAY of %s (%d) says that it has not taken that request: it may be sent again.", st.who(st.s), st.frame(bye.at))
		}
	}
	return text
}

// blind says that of an answer in HTTP/2 that its stream has not ended the length is not
// known: it may have been whole.
func (st *story) blind() bool {
	if st.proto != protoHTTP2 {
		return false
	}
	s := st.f.more.http2.furthest()
	return s != nil && s.blind
}

// goAway is the last of a side in HTTP/2, if it said so.
func (st *story) goAway(i int) goAway {
	if st.proto != protoHTTP2 {
		return goAway{}
	}
	return st.f.more.http2.goAway[i]
}

// goodbye is what a side said right before the other closed, where that was a good-bye of
// TLS or HTTP/2: why the other did.
func (st *story) goodbye(i int, first mark) mark {
	bye := st.goAway(i).at
	if st.proto == protoTLS {
		if bye = st.side(i).bye.last; bye.n > first.n {
			bye = st.side(i).bye.first
		}
	}
	if bye.ok() && bye.n < first.n && first.time()-bye.time() < promptly {
		return bye
	}
	return mark{}
}

// spoke is the offset of the end of what the server said of answers.
func (st *story) spoke() int64 {
	said := st.side(st.s).said()
	if st.proto == protoHTTP2 {
		return min(said, st.f.more.http2.spoke)
	}
	return said
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

// ---- FIN first, idle, then the other side sends ----

// stale says whether the connection was closed by one side while idle, the
// other sent data for which there was nobody any more, and got RST.
func (st *story) stale() bool {
	x := st.closer
	if x < 0 || !st.after.at.ok() || int(st.after.from) == x || st.rst == nil || int(st.rst.from) != x {
		return false
	}
	if y := st.side(1 - x); y.has(sideMissed) && y.turnOff == st.after.off || st.after.ack > st.fin(x)+1 {
		return false // of another connection on the same ports, perhaps
	}
	if st.rst.at.n < st.after.at.n || st.firstRST() && !st.inferred[x] || !st.inferred[x] && st.rst.kind != ToDataAfterClose {
		return false
	}
	switch st.after.kind {
	case lateRequest:
		return int(st.after.from) == st.c
	case lateOpaque:
		if st.f.http.reads() || st.asks() || st.lastWords() {
			return false // it may go on with what was begun
		}
		fallthrough
	case lateAsking:
		return int(st.after.from) == st.c && x == st.s && !st.uncertain() && !st.missed() && st.answeredBefore()
	}
	return false
}

// lastWords says that what came behind a FIN was little, and the end at once.
func (st *story) lastWords() bool {
	y := st.side(int(st.after.from))
	return y.close.ok() && y.close.n < st.rst.at.n && y.close.n > st.after.at.n && y.nxt-1-st.after.off <= smallTLS
}

// answeredBefore says, of a protocol that is not read, that the server had the last
// word, in TLS an answer, and rested for so long before it closed that a message that was
// under way would have gone on.
func (st *story) answeredBefore() bool {
	s := st.side(st.s)
	switch crosses := st.after.at.n < st.side(st.closer).close.n; {
	case int64(st.idle()) < rested:
		return false
	case crosses && st.proto == protoTLS:
		return st.records()&tlsSettled != 0 && !st.inferred[st.s]
	case int(st.f.more.talker) != st.s:
		return false
	case st.proto == protoTLS:
		return st.answeredTLS() && !st.inferred[st.s]
	}
	return s.data.ok()
}

// warned is what a server had said in its answers of how long it keeps the
// connection, to a client that did not heed it.
func (st *story) warned() string {
	e := &st.f.http
	switch {
	case st.closer != st.s || !e.reads():
		return ""
	case e.proto == protoHTTP2:
		if bye := st.goAway(st.s).at; bye.ok() && bye.n < st.after.at.n {
			return fmt.Sprintf(" Its GOAWAY (%d) had said that it takes no more.", st.frame(bye))
		}
		return ""
	case st.side(st.s).has(sideSaidClose):
		return fmt.Sprintf(" Its last answer had said that it closes (Connection: close, or HTTP/1.0): %s need not have tried.", st.who(st.c))
	case e.hint > 0:
		return fmt.Sprintf(" Its answers had said Keep-Alive: timeout=%d.", e.hint)
	}
	return ""
}

// swallowed says whether a request that acknowledges the FIN was taken by the
// server's TCP all the same, as a lingering close does: who has closed cannot answer
// (RFC 9293 3.6).
func (st *story) swallowed() bool {
	x := st.closer
	return x == st.s && !st.inferred[x] && st.f.http.reads() && st.at() == DuringIdle &&
		st.after.at.ok() && int(st.after.from) == st.c && st.after.kind == lateRequest &&
		st.after.ack == st.fin(x)+1 && st.side(x).data.n < st.side(x).close.n && st.side(x).ack > st.after.off && !st.missed() &&
		(st.rst == nil || int(st.rst.from) == st.c) && !st.firstRST()
}

func (st *story) staleIdle() *finding {
	if st.swallowed() {
		me := st.side(st.s)
		return &finding{
			frames: []mark{me.close, st.after.at},
			text: fmt.Sprintf("%s closed the %s (FIN, frame %d); %s had received it but sent%s %s later (%d); %s took it and threw it away, and no answer could come any more.%s",
				st.who(st.s), st.idleText(), st.frame(me.close), st.who(st.c), st.what(), span(st.since(st.after.at, me.close)), st.frame(st.after.at), st.who(st.s), st.warned()),
			during: DuringIdle, answer: new(Answer),
		}
	}
	if !st.stale() || st.after.ack <= st.fin(st.closer) {
		return nil
	}
	during := pick(st.f.http.reads(), DuringIdle) // of what is not read it is not known
	x, y := st.closer, 1-st.closer
	me := st.side(x)
	if st.inferred[x] {
		return &finding{
			frames: []mark{st.after.at, st.rst.at}, basis: Inferred, during: during, answer: new(Answer),
			text: fmt.Sprintf("%s sent%s (frame %d) and was answered with RST (%d): it acknowledges one more than all of %s's bytes, so %s had closed; that FIN is not in the capture.%s",
				st.who(y), st.what(), st.frame(st.after.at), st.frame(st.rst.at), st.who(x), st.who(x), st.warned()),
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
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d); %s but sent%s %s later (%d); %s.%s",
			st.who(x), st.idleText(), st.frame(me.close), acked, st.what(), span(st.since(st.after.at, me.close)), st.frame(st.after.at), end, st.warned()),
		during: during, answer: new(Answer),
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
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d) and sent the FIN again, %d times in all; none reached %s%s, which sent%s %s after the first (%d) without acknowledging it and was answered with RST (%d).%s",
			st.who(x), st.idleText(), st.frame(me.close), st.after.fins, st.who(y), st.ifBeside(y, "'s TCP though they came as far as the tap on its side"), st.what(), span(st.since(st.after.at, me.close)), st.frame(st.after.at), st.frame(st.rst.at), st.warned()),
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
	if st.beside(y) && me.close.n < st.after.at.n {
		limit = min(limit, promptly) // the FIN was there already, and did not get through
	}
	if abs(st.after.at.time()-me.close.time()) > limit || me.gap || me.has(sideMissed) {
		return nil
	}
	how := "the two passed each other, neither acknowledges the other"
	if st.after.at.time()-me.close.time() > jitter+st.f.roundTrip() {
		how = "the FIN had not arrived, late or lost"
	}
	order := []mark{me.close, st.after.at, st.rst.at}
	if st.after.at.n < me.close.n {
		order[0], order[1] = order[1], order[0]
	}
	return &finding{
		frames: order,
		text: fmt.Sprintf("%s closed the %s (FIN, frame %d) while %s sent%s (%d): %s; nobody was left to read the latter, so %s's kernel answered with RST (%d).%s",
			st.who(x), st.idleText(), st.frame(me.close), st.who(y), st.what(), st.frame(st.after.at), how, st.who(x), st.frame(st.rst.at), st.warned()),
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
