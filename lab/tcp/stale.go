package tcp

import "fmt"

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
