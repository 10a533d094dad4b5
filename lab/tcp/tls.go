package tcp

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

const (
	// smallTLS is the size up to which TLS application data may be no request
	// but the end of one: alerts, HTTP/2's SETTINGS, PING, WINDOW_UPDATE, GOAWAY.
	smallTLS = 64
	// What TLS makes of an alert (1.2 with AES-GCM: nonce, alert, tag; 1.3 less); at
	// most of an HTTP/2 frame that asks nothing (SETTINGS and its ACK, PING,
	// WINDOW_UPDATE); and of the two session tickets that servers send unasked
	// (RFC 8446 4.6.1).
	alertTLS   = 5 + 26
	frameTLS   = 40
	ticketsTLS = 600
	// goawayTLS is the size of a TLS record with a GOAWAY in it (RFC 9113 6.8: head,
	// last stream, error), and what TLS adds to it.
	goawayTLS = 5 + 8 + 9 + 8 + 16
)

// closeNotify says whether a segment is a TLS good-bye: a small one that ends
// with an alert, before which a GOAWAY has room. An alert is in the open up to
// TLS 1.2; from 1.3 on (RFC 8446 5.2) it is a record of type application data
// whose length is that of alert, content type and tag.
func closeNotify(b []byte) bool {
	for all := len(b); all <= smallTLS && len(b) >= 5 && b[1] == 3; {
		n := int(binary.BigEndian.Uint16(b[3:]))
		if len(b) <= 5+n {
			return b[0] == recordAlert || b[0] == recordData && n == 19
		}
		b = b[5+n:]
	}
	return false
}

// goAwayLengths are those of a GOAWAY without words (RFC 9113 6.8) as a record: of TLS
// 1.3, and of TLS 1.2 with ChaCha20-Poly1305 and AES-GCM. A PING is as long.
var goAwayLengths = [...]int{34, 33, 41}

// leaving says whether new data of side d in HTTP/2 may be a GOAWAY: in the clear it
// asks and answers nothing, in TLS it has the size, and nothing was asked.
func (f *flow) leaving(s *segment, d int) bool {
	b := s.payload
	switch f.http.proto {
	case protoHTTP2:
		return len(b) >= 9 && !http2Request(b)
	case protoTLS:
		return len(b) >= 5 && b[0] == recordData && slices.Contains(goAwayLengths[:], int(s.length)-5) && int(binary.BigEndian.Uint16(b[3:])) == int(s.length)-5 &&
			(int(f.talker) == d || f.side[1-d].nxt-f.side[1-d].off(f.side[1-d].turnSeq) <= smallTLS)
	}
	return false
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

// alertLengths are those of an encrypted alert as a record: of TLS 1.3 (alert,
// content type, tag), and of TLS 1.2 with ChaCha20-Poly1305, AES-GCM, and AES-CBC
// with the MACs in use.
var alertLengths = [...]int{19, 18, 26, 32, 48, 64}

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

// owed says that the server may have owed an answer, in a protocol that is not
// read, when it closed: the client had the last word, but for a TLS alert. Also when
// the client closed, that had waited after its last word.
func (st *story) owed() bool {
	c, s := st.side(st.c), st.side(st.s)
	if st.proto == protoHTTP1 || !c.data.ok() {
		return false
	}
	if st.proto != protoTLS {
		last := st.f.talker
		if st.closer >= 0 {
			last = st.f.more.talker
		}
		return int(last) == st.c && (st.closer != st.c || st.inferred[st.c] || int64(st.idle()) >= promptly)
	}
	if c.has(sideSYN) && st.f.http.records().turns() == 0 { // in the handshake nothing could be asked yet
		return st.closer == st.s && !s.data.ok()
	}
	asked := c.said() - c.turnOff
	if c.has(sideSaidClose) {
		asked -= alertTLS
	}
	if asked <= 0 || st.closer == st.c && !st.inferred[st.c] && c.close.time()-c.turn.time() < promptly {
		return false
	}
	// The server's last word is no answer where it was before the request, or no
	// more than HTTP/2's bookkeeping, an alert, or session tickets that crossed it.
	answer, records := s.said()-s.turnOff, st.f.http.records()
	tickets := records.turns() <= 2 && !records.answered(st.s) // the request came with the end of the handshake, or between two tickets
	crossed := s.turnAck < c.turnOff+asked
	return s.turn.n < c.turn.n || answer <= frameTLS || (tickets || crossed) && answer <= ticketsTLS
}

// cutShort says that a server's close may have cut an answer in TLS off: it had
// been speaking, and did not say goodbye (RFC 8446 6.1).
func (st *story) cutShort() bool {
	return st.proto == protoTLS && st.closer == st.s && int(st.f.more.talker) == st.s &&
		!st.side(st.s).has(sideSaidClose) && !st.side(st.c).has(sideSaidClose) && (st.f.http.records().turns() > 0 || !st.side(st.c).has(sideSYN))
}

// said is the offset of a side's last byte of data, and one.
func (s *end) said() int64 {
	if s.fin != never {
		return s.fin
	}
	return s.nxt
}

// abandonedTLS: what is in the records is not known, but a server that goes on
// sending more than the end of a connection needs was in the middle of an answer.
func (st *story) abandonedTLS(left mark) *finding {
	s := st.side(st.s)
	if st.rst == nil || int(st.rst.from) != st.c || !st.closedFirst(st.c) || s.has(sideMissed) || st.side(st.c).has(sideMissed) || !st.after.at.ok() || int(st.after.from) != st.s || st.after.kind != lateOpaque {
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
