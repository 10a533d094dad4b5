package tcp

import (
	"encoding/binary"
	"slices"
)

// tlsRecords is what the record layer of a flow in TLS (RFC 8446 5.1) has shown, in
// bits: how often the client had its turn after its hello, what the two last turns held,
// and the length of the server's first record with room for an answer.
type tlsRecords uint32

const (
	tlsTurns    tlsRecords = 0xff    // up to 255
	tlsGreeting tlsRecords = 1 << 8  // the turn now has records of the handshake
	tlsCCS      tlsRecords = 1 << 9  // ChangeCipherSpec among them
	tlsOld      tlsRecords = 1 << 10 // it is TLS 1.2 or older: session tickets come inside the handshake
	tlsVaried   tlsRecords = 1 << 11 // the server has sent such records of different lengths
	tlsAsked    tlsRecords = 1 << 12 // the client has sent data in its last turn
	tlsTold     tlsRecords = 1 << 13 // and the server, behind all of it, a record with room for an answer
	tlsSettled  tlsRecords = 1 << 14 // before the client's last turn, all was answered
	tlsUpload   tlsRecords = 1 << 15 // the client has sent a lot in one turn: what came back may be WINDOW_UPDATEs
	tlsFirst               = 16      // shift of that length
)

// Types of records.
const (
	recordCCS       = 0x14
	recordAlert     = 0x15
	recordHandshake = 0x16
	recordData      = 0x17
)

// answerTLS is the least length of a record that has room for an answer with its fields:
// above what HTTP/2 says of itself (SETTINGS and WINDOW_UPDATE in one).
const answerTLS = 96

// turns is how often the client had its turn after its hello.
func (r tlsRecords) turns() uint8 { return uint8(r & tlsTurns) }

// begin takes in that the client, or the server, begins its turn.
func (r tlsRecords) begin(client bool) tlsRecords {
	settled := r.answered()
	r &^= tlsGreeting | tlsCCS | tlsTold
	if client {
		r = r&^(tlsTurns|tlsAsked|tlsSettled|tlsUpload) | tlsRecords(inc(r.turns()))
		if settled {
			r |= tlsSettled
		}
	}
	return r
}

// add takes in new data of the client, or of the server, and whether the latter has
// acknowledged all that the former has sent.
func (r tlsRecords) add(b []byte, client, all bool) tlsRecords {
	if client && (len(b) == 0 || goesOn(b)) {
		r |= tlsAsked // goes on with a record
	}
	eachRecord(b, func(kind byte, n int) {
		switch kind {
		case recordHandshake:
			if r&tlsCCS != 0 {
				r |= tlsOld // in 1.3 none in the open follows (RFC 8446 D.4)
			}
			r |= tlsGreeting
		case recordCCS:
			r |= tlsCCS | tlsGreeting
		case recordData:
			if client {
				r |= tlsAsked
			}
			if client || n < answerTLS || r&tlsGreeting != 0 {
				return
			}
			if all {
				r |= tlsTold
			}
			if first := r >> tlsFirst; first == 0 {
				r |= tlsRecords(n) << tlsFirst
			} else if int(first) != n {
				r |= tlsVaried
			}
		}
	})
	return r
}

// answered says that the server has sent, behind the client's last word, what is no
// session ticket. Tickets come unasked (RFC 8446 4.6.1), one as long as the other,
// before anything else; the request may have come with the end of the handshake, or
// between two of them.
func (r tlsRecords) answered() bool {
	return r&(tlsTold|tlsUpload) == tlsTold && (r&(tlsVaried|tlsOld) != 0 || r.turns() > 2)
}

// goesOn says whether a segment of TLS does not begin with a record, as far as one byte tells.
func goesOn(b []byte) bool { return len(b) > 0 && (b[0] < recordCCS || b[0] > recordData) }

// eachRecord goes through the records that begin in a segment, up to one that is cut.
func eachRecord(b []byte, do func(kind byte, n int)) {
	for len(b) >= 5 && b[1] == 3 && b[0] >= recordCCS && b[0] <= recordData {
		n := int(binary.BigEndian.Uint16(b[3:]))
		do(b[0], n)
		b = b[min(len(b), 5+n):]
	}
}

// requestTLS is the least length of a record that is taken for a request: above what
// HTTP/2 says at the end (RST_STREAM, WINDOW_UPDATE, PING and GOAWAY in one).
const requestTLS = 80

// uploadTLS is how much the client may send before the server, in HTTP/2, opens the
// window again, in one record with whatever else it says.
const uploadTLS = 16 << 10

// roomy says whether one of the records that begin in a segment has room for a request.
func roomy(b []byte) (found bool) {
	eachRecord(b, func(kind byte, n int) { found = found || kind == recordData && n >= requestTLS })
	return found
}

// goAwayLengths are those of a GOAWAY without words (RFC 9113 6.8) as a record: of TLS
// 1.3, and of 1.2 with ChaCha20-Poly1305, AES-GCM, and AES-CBC with the MACs in use. A
// PING is as long.
var goAwayLengths = []int{34, 33, 41, 64, 80, 96}

// closeNotify says whether a segment is a TLS good-bye: records that end with an alert,
// before which there is nothing but a GOAWAY. An alert is in the open up to TLS 1.2;
// from 1.3 on (RFC 8446 5.2) it is a record of type application data whose length is
// that of alert, content type and tag.
func closeNotify(b []byte) bool {
	good, last := true, false
	eachRecord(b, func(kind byte, n int) {
		good = good && !last
		last = kind == recordAlert || kind == recordData && n == alertLengths[0]
		good = good && (last || kind == recordData && slices.Contains(goAwayLengths, n))
	})
	return good && last
}
