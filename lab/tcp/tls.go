package tcp

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// smallTLS is the size up to which what is said at once before a FIN may be no request
// but the end of one.
const smallTLS = 64

// dataTLS takes in new data of side d in TLS: what its records tell, and alerts.
func (f *flow) dataTLS(x *explainer, s *segment, d int, m mark, off, ack int64, client, bye bool) {
	me, peer := f.sides(d)
	f.http.heads = uint32(f.http.records().add(s.payload, client, ack >= peer.nxt))
	if client && off+int64(s.length)-me.off(me.turnSeq) >= uploadTLS {
		f.http.heads |= uint32(tlsUpload)
	}
	if client {
		f.http.reqSeq = uint32(f.turnTLS().add(s.payload, f.http.records()&tlsOld != 0))
	}
	whole := int64(len(s.payload)) == int64(s.length)
	if me.flags &^= sideSaidClose; bye || whole && endsInAlert(s.payload) {
		me.flags |= sideSaidClose
	}
	if code, ok := fatal(s.payload); ok && whole && (f.more == nil || !f.more.alert.at.ok()) {
		f.trouble(x).alert = tlsAlert{at: m, from: int8(d), code: code}
	}
}

// leaving says whether new data of side d in TLS may be a GOAWAY of HTTP/2: it has the
// size, and a server was asked nothing.
func (f *flow) leaving(s *segment, d int, client bool) bool {
	b := s.payload
	return f.http.proto == protoTLS && len(b) >= 5 && b[0] == recordData && slices.Contains(goAwayLengths, int(s.length)-5) && int(binary.BigEndian.Uint16(b[3:])) == int(s.length)-5 &&
		(client || int(f.talker) == d || f.side[1-d].nxt-f.side[1-d].off(f.side[1-d].turnSeq) <= smallTLS)
}

// goodbye is the last that a side said, where that may have been a good-bye: GOAWAY,
// close_notify, or one behind the other.
type goodbye struct {
	first, last mark
	spoke       mark // the side's data before it
}

// say takes in data that may be a good-bye, or the next of one.
func (g *goodbye) say(m, before mark) {
	if g.last.n != before.n || before.time()+promptly < m.time() {
		g.first, g.spoke = m, before
	}
	g.last = m
}

// before passes over data that was the good-bye with which a connection ended: it
// gives what the side had said before that.
func (g *goodbye) before(data, end mark) mark {
	if g.last.ok() && data.n >= g.first.n && data.n <= g.last.n && end.time()-g.last.time() < promptly {
		return g.spoke
	}
	return data
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

// alertLengths are those of an encrypted alert as a record: of TLS 1.3 (alert,
// content type, tag), and of TLS 1.2 with ChaCha20-Poly1305, AES-GCM, and AES-CBC
// with the MACs in use, before or after encryption (RFC 7366).
var alertLengths = [...]int{19, 18, 26, 32, 48, 52, 64, 80}

// endsInAlert says whether a segment of TLS ends with an alert behind something else.
func endsInAlert(b []byte) bool {
	for _, n := range alertLengths {
		if at := len(b) - 5 - n; at >= 0 && (b[at] == recordAlert || b[at] == recordData && n == alertLengths[0]) &&
			b[at+1] == 3 && b[at+2] <= 4 && int(binary.BigEndian.Uint16(b[at+3:])) == n {
			return true
		}
	}
	return false
}

// tlsAlert is a fatal alert that was sent in the open: in a handshake, most often.
type tlsAlert struct {
	at   mark
	from int8
	code uint8 // RFC 8446 6.2
}

// fatal gives the code of the fatal alert in the open that a segment of TLS ends
// with, if it does (RFC 8446 6: level and description, a record of two bytes).
func fatal(b []byte) (code uint8, ok bool) {
	if len(b) < 7 {
		return 0, false
	}
	b = b[len(b)-7:]
	return b[6], b[0] == recordAlert && b[1] == 3 && b[2] <= 4 && b[3] == 0 && b[4] == 2 && b[5] == 2
}

// String gives the words that crypto/tls has for it.
func (a tlsAlert) String() string {
	return strings.TrimPrefix(tls.AlertError(a.code).Error(), "tls: ")
}

// owed says that the server may have owed an answer, in a protocol that is not read,
// when the first side closed: the client had the last word, and that was more than a
// good-bye, in one go with its FIN.
func (st *story) owed() bool {
	c := st.side(st.c)
	if st.f.http.reads() || !c.data.ok() && !(st.proto == protoTLS && st.f.has(flowMidstream)) {
		return false
	}
	farewell := st.closer == st.c && !st.inferred[st.c] && c.close.time()-c.turn.time() < atOnce
	if st.proto == protoTLS {
		return st.owedTLS(farewell)
	}
	last := st.f.talker
	if st.closer >= 0 {
		last = st.f.more.talker
	}
	return int(last) == st.c && !farewell
}

func (st *story) owedTLS(farewell bool) bool {
	c, s, records := st.side(st.c), st.side(st.s), st.records()
	switch {
	case c.has(sideSYN) && records.turns() == 0:
		return !s.data.ok() // the handshake's next half
	case !c.turn.ok():
		return st.f.has(flowMidstream)
	case records&(tlsOld|tlsAsked) == tlsOld && !c.has(sideCut):
		return false // nothing was asked yet
	case farewell && records&tlsSettled != 0 && c.said()-c.turnOff <= smallTLS:
		return false
	case c.bye.last.ok() && c.bye.first.n > c.turn.n && max(s.turn.n, s.bye.before(s.data, s.close).n) > c.bye.first.n:
		return true // it came to who had said good-bye
	}
	return s.turn.n < c.turn.n || !st.answeredTLS()
}

// records is what the records of TLS had shown when the first side closed.
func (st *story) records() tlsRecords {
	if st.closer >= 0 && !st.inferred[st.closer] {
		return st.f.more.records
	}
	return st.f.http.records()
}

// answeredTLS says that what the server said last is an answer. Where the capture begins
// in mid-connection, that may have been in the handshake.
func (st *story) answeredTLS() bool {
	const handshake = 3 // turns that a client has before its first answer, at most
	return st.records().answered() && (!st.f.has(flowMidstream) || st.records().turns() > handshake)
}

// cutShort says that a close may have cut an answer in TLS off: the server had been
// speaking, and who closed had not said goodbye (RFC 8446 6.1), or had rested for a while
// only, as over an answer that has stalled. A client that rested for long had nothing to
// wait for.
func (st *story) cutShort() bool {
	c, s := st.side(st.c), st.side(st.s)
	if st.proto == protoTLS && st.closer < 0 {
		return true // nor is it known when
	}
	if st.proto != protoTLS || int(st.f.more.talker) != st.s && !st.saidOnlyGoodbye(st.c) || st.f.http.records().turns() == 0 && c.has(sideSYN) {
		return false
	}
	if idle := int64(st.idle()); idle >= promptly && idle < rested && !st.inferred[st.closer] {
		return true
	}
	if st.closer == st.c {
		return !c.has(sideSaidClose) && (st.inferred[st.c] || int64(st.idle()) < rested)
	}
	left := c.has(sideSaidClose) && c.data.n < s.close.n
	parted := !st.inferred[st.s] && s.has(sideSaidClose) && s.close.time()-s.data.time() < atOnce // else it may have been two bytes of a body
	return !parted && !left
}

// saidOnlyGoodbye says whether the last turn of a side that has closed was its good-bye.
func (st *story) saidOnlyGoodbye(i int) bool {
	me := st.side(i)
	return st.closer == i && me.turn.ok() && me.bye.before(me.turn, me.close) != me.turn
}

// asked says that, in TLS, the client had the last word before the first side closed, and
// that this was its first request: an answer was owed. Of a later one that is not known:
// a WebSocket may say much without an answer.
func (st *story) asked() bool {
	c, s := st.side(st.c), st.side(st.s)
	return st.closer >= 0 && !st.inferredAny() && int(st.f.more.talker) == st.c && !st.saidOnlyGoodbye(st.c) && st.f.turnTLS()&(tlsRequest|tlsBefore) == tlsRequest &&
		!st.f.has(flowMidstream) && !st.oneWay() && !st.missed() && !c.has(sideCut) && !s.has(sideCut)
}

// idled says that the client has shaken hands, in TLS, and left without a word.
func (st *story) idled() bool {
	return st.proto == protoTLS && st.closedFirst(st.c) && !st.inferredAny() && st.f.turnTLS()&(tlsFinished|tlsSpoke) == tlsFinished && !st.side(st.c).has(sideCut) &&
		!st.f.has(flowMidstream) && !st.oneWay() && !st.missed()
}

// waited is for how long the client had waited when it left, its good-bye aside.
func (st *story) waited(left mark) time.Duration {
	c := st.side(st.c)
	return st.since(left, c.bye.before(c.data, left))
}

// downloadTLS is more than tickets, or whatever else comes unasked, take.
const downloadTLS = 8 << 10

// abandonedTLS: what is in the records is not known, but a server that goes on
// sending more than the end of a connection needs was in the middle of an answer, and so
// was one that had been asked.
func (st *story) abandonedTLS(left mark) *finding {
	c, s := st.side(st.c), st.side(st.s)
	if st.rst == nil || int(st.rst.from) != st.c || !st.closedFirst(st.c) || s.has(sideMissed) || st.side(st.c).has(sideMissed) || !st.after.at.ok() || int(st.after.from) != st.s || st.after.kind == lateGoodbye {
		return nil
	}
	if st.after.kind == lateAsking && st.asked() && int64(st.waited(left)) >= promptly+st.f.roundTrip() {
		return &finding{
			frames: []mark{c.turn, left, st.after.at, st.rst.at}, basis: Inferred,
			text: fmt.Sprintf("%s left (FIN, frame %d) %s after its request (%d, in TLS), which nothing had answered; what %s sent then (%d) was answered with RST (%d).",
				st.who(st.c), st.frame(left), span(st.since(left, c.turn)), st.frame(c.turn), st.who(st.s), st.frame(st.after.at), st.frame(st.rst.at)),
			during: DuringAwaiting, answer: new(Answer),
		}
	}
	if s.nxt-st.after.off < downloadTLS {
		return nil // tickets, a GOAWAY: who has only shaken hands awaits nothing
	}
	return &finding{
		frames: []mark{left, st.after.at, st.rst.at},
		text: fmt.Sprintf("%s left (FIN, frame %d); %s sent on (%d) and was answered with RST (%d).",
			st.who(st.c), st.frame(left), st.who(st.s), st.frame(st.after.at), st.frame(st.rst.at)),
		basis: Inferred,
	}
}
