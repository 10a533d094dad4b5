package tcp

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// unexplained says what is missing for a cause, and as its doubt the same without
// numbers: what such connections have in common.
func (st *story) unexplained() *finding {
	var text, doubt string
	y, hushed := st.hushed()
	switch {
	case st.shuffled():
		doubt = "the file has its frames in another order than that of their times"
		text = fmt.Sprintf("frame %d is older than one of this connection that the file has before it: the order of what ended it is not known. Where no clock was set back, reordercap (of Wireshark) sorts the file.",
			st.frame(st.f.more.behind))
	case st.oneWay() && st.f.has(flowEstablished):
		doubt = "the capture holds one direction only"
		text = "the capture holds one direction of this connection only."
	case st.rst == nil && st.side(st.c).syns == 1 && !st.side(st.s).has(sideSeen) && st.silence() > 3*synRTO:
		doubt = "one SYN, and nothing after it"
		text = fmt.Sprintf("%s sent one SYN (frame %d) and in the %s after it nothing came: no answer, and no repetition, so it gave up within a second, or the answer is not in the capture.",
			st.who(st.c), st.frame(st.synMark(st.c)), span(time.Duration(st.silence())))
	case st.rst == nil && st.closer < 0 && !st.f.has(flowEstablished):
		doubt = "the handshake was not finished"
		text = "the handshake was not finished and nothing says why."
	case st.f.http.has(httpMixed):
		doubt = "two protocols on one port"
		text = fmt.Sprintf("%s speaks %s and %s answers in HTTP/1: nothing on this port understands the former.",
			st.who(st.c), map[protocol]string{protoTLS: "TLS", protoHTTP2: "HTTP/2"}[st.proto], st.who(st.s))
	case hushed != "":
		doubt = "the last word was neither answered nor sent again"
		text = fmt.Sprintf("%s's %s (frame %d) was neither answered nor sent again in the %s after it: what came then is not in the capture.",
			st.who(y), hushed, st.frame(st.side(y).last), span(time.Duration(st.silence())))
	case st.notHTTP():
		doubt = "the request is none of HTTP/1"
		text = fmt.Sprintf("%s sent what is no request of HTTP/1 (frame %d) and %s answered in HTTP/1 (%d): whether that was whole is not to be known.",
			st.who(st.c), st.frame(st.side(st.c).turn), st.who(st.s), st.frame(st.side(st.s).turn))
	case (st.uncertain() || st.silent() || st.beganBefore() && !st.owed()) && st.closer >= 0 && st.rst == nil && st.fin(0) != never && st.fin(1) != never:
		doubt = "the capture lacks what would show whether an answer was owed"
		lacks := "the bytes that would show whether the last answer was whole"
		if st.silent() || !st.uncertain() {
			lacks = "all that came before, and with it whether an answer was owed"
		}
		but := "the capture lacks " + lacks
		if st.f.http.has(httpCut) && !st.missed() {
			doubt = "the capture cuts off what would show whether the last answer was whole (tcpdump -s 0 keeps it)"
			but = doubt
		}
		if st.garbled() {
			but = st.breaks() + ", so whether the last answer was whole is not known"
		}
		text = fmt.Sprintf("%s closed first (%s), %s after; but %s.", st.who(st.closer), st.itsFIN(st.closer), st.who(1-st.closer), but)
	case st.rst == nil && st.closer >= 0 && st.fin(0) != never && st.fin(1) != never && st.owed():
		doubt = "whether an answer was owed is not to be seen: the protocol is not read"
		text = st.owing()
	case st.rst == nil && st.closer >= 0 && st.fin(1-st.closer) != never && st.cutShort():
		doubt = wholeUnseen + ": the protocol is not read"
		goodbye := " and without close_notify"
		if st.side(st.closer).has(sideCut | sideSaidClose) {
			goodbye = ""
		}
		if bye := st.goodbye(1-st.closer, st.side(st.closer).close); bye.ok() {
			goodbye = fmt.Sprintf(", and on its good-bye (%d)", st.frame(bye))
		}
		whose := "its"
		if st.closer == st.c {
			whose = "the server's"
		}
		after := "after"
		if st.side(st.closer).close.ok() {
			after = span(st.idle()) + " after"
		}
		text = fmt.Sprintf("%s closed first (%s), %s %s last data%s: whether the answer was whole is not to be seen.",
			st.who(st.closer), st.itsFIN(st.closer), after, whose, goodbye)
	case st.rst == nil && st.closer == st.c && st.was() == DuringAwaiting && st.fin(st.s) != never && !st.inferredAny():
		doubt = "the client left, or only shut its writing side"
		text = fmt.Sprintf("%s closed at once after its request%s (FIN, frame %d): it left, or only shut its writing side and read on; %s closed without an answer.",
			st.who(st.c), st.request(), st.frame(st.side(st.c).close), st.who(st.s))
	case st.closer == st.c && st.blind():
		doubt = "the capture lacks the fields that would show whether the last answer was whole"
		text = fmt.Sprintf("%s closed first (%s), right after the last data; %s.", st.who(st.c), st.itsFIN(st.c), doubt)
	case st.garbled():
		doubt = "what was sent breaks the framing of HTTP/1"
		text = st.breaks() + ": whether the last answer was whole is not known."
	case st.uncertain():
		doubt = "the capture lacks what would show whether the last answer was whole"
		text = "the capture lacks the bytes that would show whether the last answer was whole."
	case st.rst != nil && st.closer >= 0 && int(st.rst.from) == st.closer && st.after.at.ok() && st.side(st.closer).close.ok():
		x, y := st.closer, int(st.after.from)
		what, unseen := "data", ""
		switch doubt = "data came after the FIN and was answered with RST"; {
		case st.after.kind == lateGoodbye:
			what, doubt = "its good-bye", wholeUnseen+": the protocol is not read"
			unseen = "; " + doubt
		case st.f.http.reads():
		case y == st.s:
			unseen = "; whether that was the answer, or a good-bye, is not to be seen: the protocol is not read"
		default:
			unseen = "; whether that was a request, or went on with something, is not to be seen: the protocol is not read"
		}
		when := "later"
		if st.after.at.n < st.side(x).close.n {
			when = "before"
		}
		why := ""
		if bye := st.goodbye(y, st.side(x).close); bye.ok() {
			why = fmt.Sprintf(" on %s's good-bye (%d)", st.who(y), st.frame(bye))
		}
		text = fmt.Sprintf("%s closed the %s (FIN, frame %d)%s, %s sent %s %s %s (%d), which was answered with RST (%d)%s.",
			st.who(x), st.idleText(), st.frame(st.side(x).close), why, st.who(y), what, span(st.since(st.after.at, st.side(x).close).Abs()), when, st.frame(st.after.at), st.frame(st.rst.at), unseen)
	case st.rst != nil && st.closer >= 0 && int(st.rst.from) != st.closer && !st.firstRST() && st.side(st.closer).close.ok() && !st.f.http.reads():
		doubt = "the close was answered with RST; whether an answer was owed is not to be seen: the protocol is not read"
		answered := "answered"
		if fin := st.side(int(st.rst.from)).close; fin.ok() && fin.n < st.rst.at.n {
			answered = fmt.Sprintf("did so, too (%d), and then answered", st.frame(fin))
		}
		text = fmt.Sprintf("%s closed the %s (FIN, frame %d), and %s %s with RST (%d); whether an answer was owed is not to be seen: the protocol is not read.",
			st.who(st.closer), st.idleText(), st.frame(st.side(st.closer).close), st.who(int(st.rst.from)), answered, st.frame(st.rst.at))
	case st.rst != nil:
		doubt = "an RST whose reason the capture does not show"
		text = fmt.Sprintf("an RST of %s (frame %d) whose reason the capture does not show.", st.who(int(st.rst.from)), st.frame(st.rst.at))
	default:
		doubt = "the segments fit none of the known stories"
		text = "the segments fit none of the known stories."
	}
	f := &finding{text: text, doubt: doubt, ended: st.atEnd && st.rst == nil}
	for _, m := range []mark{st.side(0).close, st.side(1).close} {
		if m.ok() {
			f.frames = append(f.frames, m)
		}
	}
	if st.rst != nil {
		f.frames = append(f.frames, st.rst.at)
	}
	slices.SortFunc(f.frames, func(a, b mark) int { return cmp.Compare(a.n, b.n) })
	return f
}

// wholeUnseen is what is not known of an end in order, of a protocol that is not read.
const wholeUnseen = "whether the last answer was whole is not to be seen"

// itsFIN names the FIN of a side that has closed.
func (st *story) itsFIN(i int) string {
	if fin := st.side(i).close; fin.ok() {
		return fmt.Sprintf("FIN, frame %d", st.frame(fin))
	}
	return "its FIN is not in the capture"
}

// notHTTP says that there is an answer in HTTP/1 to what is none.
func (st *story) notHTTP() bool {
	e := &st.f.http
	return st.proto == protoHTTP1 && st.uncertain() && e.resps > e.reqs && !e.has(httpCut|httpGarbled|httpUneven) && !st.missed() && !st.f.has(flowMidstream) &&
		st.side(st.c).turn.ok() && st.side(st.s).turn.ok()
}

// owing is what is known where an answer may have been owed, of a protocol that is
// not read.
func (st *story) owing() string {
	first := st.side(st.closer).close
	if !first.ok() {
		return fmt.Sprintf("%s closed first (its FIN is not in the capture), %s after; whether an answer was owed is not to be seen: the protocol is not read.", st.who(st.closer), st.who(1-st.closer))
	}
	last, from := st.lastData(first)
	which := "an answer was owed"
	if last.ok() {
		which = "that was a request, still without its answer,"
		if from == st.s {
			which = "that was the answer"
		}
	}
	before := ""
	if last.ok() {
		before = fmt.Sprintf(", %s after the last data of %s (%d)", span(st.since(first, last)), st.who(from), st.frame(last))
	}
	return fmt.Sprintf("%s closed first (FIN, frame %d)%s; whether %s is not to be seen: the protocol is not read.", st.who(st.closer), st.frame(first), before, which)
}
