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
	case (st.uncertain() || st.silent() || st.beganBefore() && !st.owed()) && st.closer >= 0 && st.rst == nil && st.fin(0) != never && st.fin(1) != never:
		doubt = "the capture lacks what would show whether an answer was owed"
		lacks := "the bytes that would show whether the last answer was whole"
		if st.silent() || !st.uncertain() {
			lacks = "all that came before, and with it whether an answer was owed"
		}
		but := "the capture lacks " + lacks
		if st.garbled() {
			but = st.breaks() + ", so whether the last answer was whole is not known"
		}
		fin := "its FIN is not in the capture"
		if first := st.side(st.closer).close; first.ok() {
			fin = fmt.Sprintf("FIN, frame %d", st.frame(first))
		}
		text = fmt.Sprintf("%s closed first (%s), %s after; but %s.", st.who(st.closer), fin, st.who(1-st.closer), but)
	case st.rst == nil && st.closer >= 0 && st.fin(0) != never && st.fin(1) != never && st.owed():
		doubt = "whether an answer was owed is not to be seen: the protocol is not read"
		text = st.owing()
	case st.rst == nil && st.closer >= 0 && st.side(st.closer).close.ok() && st.fin(1-st.closer) != never && st.cutShort():
		doubt = "whether the last answer was whole is not to be seen: the protocol is not read"
		goodbye := " and without close_notify"
		if st.side(st.closer).has(sideCut) {
			goodbye = ""
		}
		whose := "its"
		if st.closer == st.c {
			whose = "the server's"
		}
		text = fmt.Sprintf("%s closed first (FIN, frame %d), %s after %s last data%s: whether the answer was whole is not to be seen.",
			st.who(st.closer), st.frame(st.side(st.closer).close), span(st.idle()), whose, goodbye)
	case st.rst == nil && st.closer == st.c && st.was() == DuringAwaiting && st.fin(st.s) != never && !st.inferredAny():
		doubt = "the client left, or only shut its writing side"
		text = fmt.Sprintf("%s closed at once after its request%s (FIN, frame %d): it left, or only shut its writing side and read on; %s closed without an answer.",
			st.who(st.c), st.request(), st.frame(st.side(st.c).close), st.who(st.s))
	case st.garbled():
		doubt = "what was sent breaks the framing of HTTP/1"
		text = st.breaks() + ": whether the last answer was whole is not known."
	case st.uncertain():
		doubt = "the capture lacks what would show whether the last answer was whole"
		text = "the capture lacks the bytes that would show whether the last answer was whole."
	case st.rst != nil && st.closer >= 0 && int(st.rst.from) == st.closer && st.after.at.ok() && st.side(st.closer).close.ok():
		x, y := st.closer, int(st.after.from)
		is := "a request, or went on with something,"
		if y == st.s {
			is = "the answer, or a good-bye,"
		}
		doubt = "data came after the FIN and was answered with RST; whether that was " + is + " is not to be seen"
		text = fmt.Sprintf("%s closed the %s (FIN, frame %d), %s sent data %s later (%d), which was answered with RST (%d); whether that was %s is not to be seen: the protocol is not read.",
			st.who(x), st.idleText(), st.frame(st.side(x).close), st.who(y), span(max(0, st.since(st.after.at, st.side(x).close))), st.frame(st.after.at), st.frame(st.rst.at), is)
	case st.rst != nil && st.closer >= 0 && int(st.rst.from) != st.closer && !st.firstRST() && st.side(st.closer).close.ok() && st.proto != protoHTTP1:
		doubt = "the close was answered with RST; whether an answer was owed is not to be seen: the protocol is not read"
		text = fmt.Sprintf("%s closed the %s (FIN, frame %d), and %s answered with RST (%d); whether an answer was owed is not to be seen: the protocol is not read.",
			st.who(st.closer), st.idleText(), st.frame(st.side(st.closer).close), st.who(int(st.rst.from)), st.frame(st.rst.at))
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
