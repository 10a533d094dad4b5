package tcp

import "encoding/binary"

// tlsRecords is what the record layer of a flow in TLS (RFC 8446 5.1) has shown: how
// often the client had its turn after its hello, in the low byte; of either side a
// recordTurn, in the next two; and tlsOld.
type tlsRecords uint32

// tlsOld says that it is TLS 1.2 or older: session tickets come inside the handshake.
const tlsOld tlsRecords = 1 << 24

// recordTurn is how many records of application data that have room for an answer a
// side has sent, up to 3: in its turn now, and before. A turn of the handshake is not
// counted, nor is a segment that begins inside a record.
type recordTurn uint8

const (
	turnNow      recordTurn = 1 << 0
	turnBefore   recordTurn = 1 << 2
	turnMax      recordTurn = 3
	turnGreeting recordTurn = 1 << 4 // the turn now has records of the handshake
	turnCCS      recordTurn = 1 << 5 // ChangeCipherSpec among them
)

func (t recordTurn) now() recordTurn    { return t / turnNow & turnMax }
func (t recordTurn) before() recordTurn { return t / turnBefore & turnMax }

// Types of records.
const (
	recordCCS       = 0x14
	recordAlert     = 0x15
	recordHandshake = 0x16
	recordData      = 0x17
)

// answerTLS is the least length of a record that is counted: above what HTTP/2 says of
// itself at the beginning (SETTINGS and WINDOW_UPDATE in one).
const answerTLS = 96

// turns is how often the client had its turn after its hello.
func (r tlsRecords) turns() uint8 { return uint8(r) }

func (r tlsRecords) side(d int) recordTurn { return recordTurn(r >> (8 + 8*d)) }

func (r tlsRecords) with(d int, t recordTurn) tlsRecords {
	return r&^(0xff<<(8+8*d)) | tlsRecords(t)<<(8+8*d)
}

// begin takes in that side d, the client or not, begins its turn.
func (r tlsRecords) begin(d int, client bool) tlsRecords {
	if client {
		r = r&^0xff | tlsRecords(inc(r.turns()))
	}
	t := r.side(d)
	return r.with(d, min(t.now()+t.before(), turnMax)*turnBefore)
}

// add takes in new data of side d.
func (r tlsRecords) add(d int, b []byte) tlsRecords {
	t := r.side(d)
	for len(b) >= 5 && b[1] == 3 {
		n := int(binary.BigEndian.Uint16(b[3:]))
		switch b[0] {
		case recordHandshake:
			if t&turnCCS != 0 {
				r |= tlsOld // in 1.3 none in the open follows (RFC 8446 D.4)
			}
			t |= turnGreeting
		case recordCCS:
			t |= turnCCS | turnGreeting
		case recordData:
			if t&turnGreeting == 0 && n >= answerTLS && t.now() < turnMax {
				t += turnNow
			}
		}
		if len(b) <= 5+n {
			break
		}
		b = b[5+n:]
	}
	return r.with(d, t)
}

// answered says that side d, in its turn now, has sent more than session tickets: of
// these servers send up to two unasked (RFC 8446 4.6.1), before anything else.
func (r tlsRecords) answered(d int) bool {
	t, tickets := r.side(d), recordTurn(2)
	if r&tlsOld != 0 {
		tickets = 0
	}
	return t.now() > tickets-min(tickets, t.before())
}
