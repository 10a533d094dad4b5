package tcp

import "math"

// never is the offset of something not seen.
const never = math.MinInt64

// A mark is a moment of a flow: when, and in which frame. The zero mark is
// none. Kept small, for a flow holds several and there may be millions.
type mark struct {
	hi, lo uint32 // time, ns since the Unix epoch
	n      uint32 // frame, counted from the flow's first as 1
}

func (m mark) ok() bool    { return m.n != 0 }
func (m mark) time() int64 { return int64(uint64(m.hi)<<32 | uint64(m.lo)) }

// What the last segment of a side was: what a bare RST may be the answer to.
type talk uint8

const (
	talkNone talk = iota
	talkSYN
	talkACK
	talkData
	talkProbe
	talkFIN
)

// side is one direction of a flow: what one end has sent. Offsets count bytes
// from the side's first sequence number, SYN and FIN as one each, in 64 bits so
// that they do not wrap.
type side struct {
	nxt int64 // one past the highest byte seen (SND.NXT, RFC 9293 3.3.1)
	ack int64 // highest acknowledgment sent, in the peer's offsets
	fin int64 // of the FIN; never without one
	pos int64 // HTTP: next byte to look at
	end int64 // HTTP: end of the body, the chunk or the frame in progress

	data mark // newest data sent for the first time
	turn mark // first data since the other side last sent some
	last mark // last segment of any kind

	base    uint32 // sequence number of offset 0
	stamp   uint32 // newest TSval
	top     uint32 // highest sequence number that a segment began at: above nxt, something is missing
	turnSeq uint32 // first byte of turn
	turnAck uint32 // acknowledgment it carried
	syn     uint32 // frame of the first SYN
	resentN uint32 // frame of the newest retransmission or probe
	ids     [2]uint32
	home    int32 // tap whose frames count; others only when they show something new

	window uint16
	ipID   uint16 // of the newest segment
	syns   uint8  // SYN or SYN-ACK, with its repetitions
	resent uint8  // retransmissions since the peer was last heard
	probes uint8  // keep-alive probes since the peer was last heard
	ttl    uint8
	http   httpState
	talk   talk
	flags  sideFlags
}

type sideFlags uint16

const (
	sideKnown     sideFlags = 1 << iota // base is set
	sideSeen                            // sent something that was captured
	sideAcked                           // sent an acknowledgment
	sideSYN                             // sent SYN without ACK
	sideSYNACK                          // sent SYN with ACK
	sideTTLMixed                        // its segments carried different TTLs
	sideSaidClose                       // announced that it closes, in HTTP/1 or by what ends TLS
	sideTTLTwice                        // at least two segments carried ttl
	sideMissed                          // the capture lacks bytes of it
	sideJump                            // its last IP ID was not the one before plus 1
	sideJumps                           // nor was that one
	sideBig                             // its last segment may have been several, joined by offload
	sideMSS                             // announced an MSS of no more than ethernetMSS
	sideCut                             // the capture holds no more than the beginning of some of its data
	sideHidden                          // the peer acknowledged again what nothing captured asked for: the capture lacks a segment
)

func (s *side) has(f sideFlags) bool { return s.flags&f != 0 }

// off gives the offset of a sequence number, the one nearest to nxt.
func (s *side) off(seq uint32) int64 {
	return s.nxt + int64(int32(seq-s.base-uint32(s.nxt)))
}

type flowFlags uint16

const (
	flowEstablished flowFlags = 1 << iota
	flowMidstream             // its first segment was not a SYN
	flowTwice                 // one tap shows its segments twice
	flowSimultaneous
	flowOverflow // SYN-ACK repeated after the handshake's last ACK
	flowDone     // delivered
	flowTimed    // hsTime is the round trip
	flowOversized
	flowBeside0 // by the handshake the tap is beside side 0
	flowBeside1 // or side 1
	flowMissed  // an acknowledgment covered bytes that the capture lacks
)

// flow is one connection while its segments come in. It holds no pointers but
// more, and is at most 400 bytes.
type flow struct {
	end    [2]endpoint // the lesser one first; side and direction use the same index
	side   [2]side
	start  int64 // time of the first frame
	first  int   // its number
	more   *trouble
	http   exchange
	hsAck  uint32 // frame of the handshake's last ACK
	hsTime uint32 // and when it came, µs after start
	next   uint32 // free list, or chain of the hash table: index+1
	self   uint32 // index in the table
	flags  flowFlags
	closer int8   // side of the first FIN, -1 none
	talker int8   // side that sent data last, -1 none
	rest   uint32 // longest time, ms, after which the client used the connection again
}

func (f *flow) has(x flowFlags) bool { return f.flags&x != 0 }

// sides gives side d and its peer.
func (f *flow) sides(d int) (me, peer *side) { return &f.side[d&1], &f.side[d&1^1] }

// trouble is what a flow carries once it begins to end.
type trouble struct {
	ends    [2]closing
	ended   int64  // time from which nothing but stragglers is expected; 0 before
	before  uint32 // requests begun when the first FIN came, and acknowledged by it
	at      During // where in the exchange the first FIN or RST came
	atReply Answer
	talker  int8       // side that had sent data last when the first FIN came
	records tlsRecords // as they were then

	after    lateData
	resets   []reset
	dropped  int   // resets beyond maxResets
	resetAt  int64 // time of the last of all
	icmp     *icmpNote
	alive    mark // segment of a side that had already reset
	alert    tlsAlert
	http2    *http2
	switched mark // the request that was answered with 101
	behind   mark // segment at or after the first FIN or RST that is older than one before it in the file
	holds    []held
	carry    [2][]byte // HTTP: start of a message that is not whole yet
	keep     []Frame
	tapIDs   [2][2]uint32 // segments of each side taken from another tap than its home
	pending  [2]int16     // data segments that came after the side's FIN, not yet answered with RST
}

// closing is what is known of one side's FIN.
type closing struct {
	close   mark   // first FIN
	closeOK mark   // first acknowledgment of it by the peer
	finAck  int64  // acknowledgment that it carried
	finLast uint32 // frame of the newest FIN
	fins    uint8
	gap     bool // the capture lacks what came just before the first, a FIN perhaps
	next    bool // by its IP ID it does not, as far as that tells
	bye     goodbye
}

type icmpNote struct {
	ICMP
	at   mark
	from int8 // side whose segment it quotes
}

// held is a payload that came before an earlier one.
type held struct {
	off  int64
	n    int64
	dir  int8
	data []byte
}

// Bounds on what one flow may pile up.
const (
	maxResets = 64
	maxHeld   = 32
	maxCarry  = 32 << 10
)

func (f *flow) trouble(x *explainer) *trouble {
	if f.more == nil {
		if n := len(x.spare); n > 0 {
			f.more, x.spare = x.spare[n-1], x.spare[:n-1]
		} else {
			f.more = &trouble{talker: -1}
		}
	}
	return f.more
}

// ended is the time from which nothing but stragglers is expected; 0 before.
func (f *flow) ended() int64 {
	if f.more == nil {
		return 0
	}
	return f.more.ended
}

func (f *flow) init(s *segment, d int) {
	f.end[d], f.end[1-d] = s.src, s.dst
	f.start, f.first = s.time, s.number
	f.closer, f.talker = -1, -1
	for i := range f.side {
		f.side[i].fin, f.side[i].home = never, -1
	}
	if s.flags&SYN == 0 {
		f.flags |= flowMidstream
	}
}

func (f *flow) mark(s *segment) mark {
	n := min(s.number-f.first+1, math.MaxUint32)
	return mark{hi: uint32(uint64(s.time) >> 32), lo: uint32(s.time), n: uint32(n)}
}

// add takes in the next segment, sent by side d.
func (f *flow) add(x *explainer, s *segment, d int) {
	me, peer := f.sides(d)
	if s.icmp != nil {
		f.icmp(x, s, d)
		return
	}
	if !me.has(sideKnown) {
		me.base, me.flags = s.seq, me.flags|sideKnown
	} else if s.flags&SYN != 0 && (!me.has(sideSeen) || me.fin == never && me.off(s.seq) == -1 && !me.data.ok()) {
		// An acknowledgment came first, of its own or the peer's, and set the base behind the SYN.
		delta := int64(int32(me.base - s.seq))
		me.base, peer.ack = s.seq, peer.ack+delta
		if me.has(sideSeen) {
			me.nxt += delta
		}
	}
	off := me.off(s.seq)
	if s.flags&SYN != 0 && off != 0 && me.has(sideSeen) && !f.has(flowEstablished|flowMidstream) {
		// What came before was of an older connection: a challenge ACK (RFC 5961 4.2).
		me.base, me.nxt, me.top, me.ack, off = s.seq, 0, s.seq, 0, 0
		peer.ack, me.flags, peer.flags = 0, me.flags&^sideAcked, peer.flags&^sideAcked
	}
	dataOff := off
	if s.flags&SYN != 0 {
		dataOff++
	}
	finOff := dataOff + int64(s.length)
	end := finOff
	if s.length == 0 && s.flags&(SYN|FIN) == 0 && me.has(sideSeen) {
		end = me.nxt // a bare acknowledgment adds nothing
	}
	if s.flags&FIN != 0 {
		end++
	}
	ack := int64(never)
	if s.flags&ACK != 0 {
		if !peer.has(sideKnown) {
			peer.base, peer.flags = s.ack, peer.flags|sideKnown
		}
		ack = peer.off(s.ack)
	}
	if f.copied(x, s, d, off, end, ack) {
		if peer.hears(s) {
			peer.resent, peer.probes = 0, 0
		}
		return
	}
	m := f.mark(s)
	if f.more != nil || s.flags&(FIN|RST) != 0 {
		f.shuffled(x, s, m)
	}
	f.countTTL(me, s)
	if s.flags&RST != 0 {
		f.reset(x, s, d, m, off, ack)
		return
	}
	other := s.flags&SYN != 0 && f.has(flowEstablished)                                 // a connection whose SYN the capture lacks
	overtaken := s.flags&FIN != 0 && f.more != nil && s.time-f.more.resetAt <= promptly // by the RST, perhaps
	if !other && !overtaken {
		f.life(s, d, m, off, end, ack)
	}
	if peer.hears(s) || ack > me.ack {
		peer.resent, peer.probes = 0, 0
	}
	fresh := !me.has(sideSeen)
	me.flags |= sideSeen
	kind := talkACK

	switch {
	case s.flags&SYN != 0:
		kind = talkSYN
		f.syn(me, peer, s, m, d)
	case s.flags&ACK != 0 && peer.has(sideSYNACK) && f.hsAck == 0:
		f.hsAck = m.n
		f.hsTime = uint32(min(max(s.time-f.start, 0)/1000, math.MaxUint32))
		f.flags |= flowEstablished
		if s.flags&^(ECE|CWR) == ACK && s.length == 0 && ack == 1 && me.syns == 1 && peer.syns == 1 {
			f.flags |= flowTimed
			x.vantage.handshake(f, d, peer.last.time()-me.last.time(), s.time-peer.last.time())
		}
	case f.has(flowMidstream) || !peer.has(sideSYN|sideSYNACK) || me.has(sideSYNACK) || s.length > 0:
		f.flags |= flowEstablished
	}

	isNew := s.length > 0 && (finOff > me.nxt || fresh)
	before := me.ack
	if ack != never && (!me.has(sideAcked) || ack > me.ack) {
		me.ack, me.flags = ack, me.flags|sideAcked
		if f.has(flowMidstream) && ack == peer.nxt && peer.data.n > me.last.n {
			x.vantage.acknowledged(f, d, s.time-peer.data.time())
		}
	}
	if s.length > ethernetMSS && peer.has(sideMSS) && !f.has(flowOversized) {
		f.flags |= flowOversized
		x.vantage.oversized(f)
	}
	if ack != never && peer.fin != never && ack > peer.fin && !f.more.ends[1-d].closeOK.ok() {
		f.more.ends[1-d].closeOK = m
	}
	switch {
	case s.flags&(SYN|FIN) != 0:
	case me.fin == never && off == max(me.nxt, peer.ack)-1 && (!fresh || peer.has(sideAcked)) && (s.length == 0 || s.length == 1 && peer.ack >= me.nxt):
		kind = talkProbe
		isNew = false
		if peer.window != 0 { // else it asks for window
			me.probes = inc(me.probes)
			me.resentN = m.n
		}
	case s.length > 0 && !isNew:
		kind = talkData
		me.resent = inc(me.resent)
		me.resentN = m.n
	}
	if isNew {
		kind = talkData
		f.newData(x, s, d, m, dataOff, ack)
	} else if s.length > 0 && kind == talkData && finOff > me.pos {
		f.read(x, s, d, m, dataOff)
	}
	if s.length > 0 && kind == talkData && peer.fin != never && (isNew || dataOff >= f.lateOff(d)) {
		f.trouble(x).pending[1-d]++
	}
	if ack != never && ack > peer.pos {
		f.arrived(x, 1-d, ack)
	}
	me.nxt = max(me.nxt, end)
	if fresh || off > me.off(me.top) {
		me.top = s.seq
	}
	if s.flags&FIN != 0 {
		kind = talkFIN
		first := me.fin == never
		f.fin(x, d, m, finOff, ack)
		if first {
			e := &f.more.ends[d]
			e.gap, e.next = fresh || me.skipped(s), s.ipID != 0 && (s.ipID == me.ipID+1 || me.has(sideBig))
		}
	}
	if kind == talkACK && !fresh && s.flags&^(ECE|CWR) == ACK && off == me.nxt && ack == before && s.window == me.window && me.last.n > peer.last.n {
		peer.flags |= sideHidden
	}
	me.follow(s)
	me.window, me.stamp = s.window, s.stamp
	me.last, me.talk = m, kind
	if t := f.more; t != nil && t.ended == 0 && t.ends[0].closeOK.ok() && t.ends[1].closeOK.ok() {
		t.ended = s.time
	}
}

// hears says whether a segment for a side was captured where the side's own are: what
// only the other end's tap shows need not have arrived.
func (s *side) hears(seg *segment) bool {
	return s.home < 0 || (s.home^seg.tap)&(maxInterfaces-1) == 0
}

// bigSegment is more payload than fits into a packet with a common MTU, by
// less than options take: such a frame may be several packets, with as many IP
// IDs.
const bigSegment = 1200

// follow notes the IP ID. Linux counts them by connection, others by peer or
// over all: then a gap says nothing.
func (s *side) follow(seg *segment) {
	if s.ipID != 0 && seg.ipID != 0 && !s.has(sideBig) {
		jumped := s.has(sideJump)
		s.flags &^= sideJump | sideJumps
		if seg.ipID != s.ipID+1 {
			s.flags |= sideJump
			if jumped {
				s.flags |= sideJumps
			}
		}
	}
	s.ipID, s.flags = seg.ipID, s.flags&^(sideBig|sideHidden)
	if seg.length > bigSegment {
		s.flags |= sideBig
	}
}

// skipped says that, by the IP IDs, the side sent a few segments before this
// one that the capture lacks.
func (s *side) skipped(seg *segment) bool {
	gap := seg.ipID - s.ipID
	return s.ipID != 0 && gap >= 2 && gap <= 4 && !s.has(sideBig|sideJumps)
}

func inc(v uint8) uint8 {
	if v < math.MaxUint8 {
		v++
	}
	return v
}

func (f *flow) countTTL(me *side, s *segment) {
	switch {
	case s.flags&RST != 0, s.tap != me.home:
	case me.ttl == 0:
		me.ttl = s.ttl
	case me.ttl != s.ttl:
		me.flags |= sideTTLMixed
	default:
		me.flags |= sideTTLTwice
	}
}

func (f *flow) syn(me, peer *side, s *segment, m mark, d int) {
	if me.syn == 0 {
		me.syn = m.n
	}
	me.syns = inc(me.syns)
	if s.mss > 0 && s.mss <= ethernetMSS {
		me.flags |= sideMSS
	}
	if s.flags&ACK == 0 {
		me.flags |= sideSYN
		if peer.has(sideSYN) {
			f.flags |= flowSimultaneous
		}
		return
	}
	me.flags |= sideSYNACK
	if peer.has(sideAcked) && me.talk <= talkSYN { // repeated after the last ACK
		f.flags |= flowOverflow
	}
}

func (f *flow) newData(x *explainer, s *segment, d int, m mark, off, ack int64) {
	me, peer := f.sides(d)
	late := peer.fin != never && (f.more == nil || !f.more.after.at.ok() || int(f.more.after.from) != d)
	// What the server answers came in time.
	if int(f.talker) == 1-d && me.data.ok() && (peer.has(sideSYN) || f.http.has(httpKnown) && int(f.http.client) == 1-d) {
		f.rest = max(f.rest, uint32(min(max(peer.turn.time()-me.data.time(), 0)/1e6, math.MaxUint32)))
	}
	var client, bye bool // which is no word of the exchange
	says := http2Unfed
	switch f.http.proto {
	case protoUnknown:
		switch {
		case s.looks == looksHTTP2 || s.looks == looksSettings:
			says = f.read(x, s, d, m, off)
		case f.has(flowMidstream) && eachFrame(s.payload, func(*frame) {}):
			f.begun(x)
		}
	case protoTLS:
		c, _ := f.client()
		client, bye = c == d, closeNotify(s.payload)
	case protoHTTP2:
		says = f.read(x, s, d, m, off)
		bye = says == http2Nothing
	}
	reset := f.more != nil && f.more.ended != 0 // so this was on its way
	late = late || says == http2Head && peer.fin != never && f.more.after.kind == lateGoodbye
	if bye || f.leaving(s, d, client) {
		f.trouble(x).ends[d].bye.say(m, me.data)
	}
	if (int(f.talker) != d || late) && !bye && !reset {
		if f.http.proto == protoTLS {
			f.http.heads = uint32(f.http.records().begin(client))
			if client {
				f.http.reqSeq = uint32(f.turnTLS().begin())
			}
		}
		f.talker = int8(d)
		me.turn, me.turnSeq, me.turnAck = m, me.base+uint32(off), s.ack
	}
	if s.time < peer.data.time()-sideBySide && (f.http.has(reqLost|respLost|httpCut) || f.has(flowMissed) || f.more != nil && len(f.more.holds) > 0) {
		f.http.flags |= httpUneven // the file has an answer before its request, perhaps
	}
	me.data = m
	if int32(len(s.payload)) < s.length {
		me.flags |= sideCut
	}
	if f.http.proto == protoTLS {
		f.dataTLS(x, s, d, m, off, ack, client, bye)
	}
	if late {
		f.trouble(x).after = lateData{at: m, off: off, ack: ack, from: int8(d), fins: f.more.ends[1-d].fins, kind: f.lateKind(d, off, s.payload, bye, says)}
	}
	if f.http.proto == protoTunnel && sniff(s.payload) == looksTLS {
		f.http.proto, f.http.heads, f.http.reqSeq = protoTLS, 0, 0
	}
	if says == http2Unfed {
		f.feed(x, d, off, s.payload, int64(s.length))
	}
}

// fin takes in a FIN of side d at offset off.
func (f *flow) fin(x *explainer, d int, m mark, off, ack int64) {
	me, peer := f.sides(d)
	t := f.trouble(x)
	e := &t.ends[d]
	e.finLast = m.n
	if me.fin != never {
		if off == me.fin {
			e.fins = inc(e.fins)
			me.resent, me.resentN = inc(me.resent), m.n
		}
		return
	}
	me.fin, e.close, e.fins = off, m, 1
	if e.finAck = ack; ack == never {
		e.finAck = me.ack
	}
	if peer.fin != never {
		return
	}
	f.closer = int8(d)
	t.before = f.http.reqs
	if t.before > 0 && f.http.has(httpKnown) && int(f.http.client) == 1-d && peer.off(f.http.reqSeq) >= e.finAck {
		t.before--
	}
	if t.http2 != nil {
		f.leftStreams(x, d, m)
		f.closedStreams(x, d)
	}
	t.talker, t.records = f.talker, f.http.records()
	t.at, t.atReply = f.http.during(f), f.http.answer()
	// Data that the FIN does not acknowledge is on its way: the two cross.
	if peer.data.ok() && peer.nxt > e.finAck && me.has(sideAcked) {
		turn := peer.off(peer.turnSeq)
		t.after = lateData{at: peer.turn, off: turn, ack: me.off(peer.turnAck), from: int8(1 - d), kind: f.crossKind(1-d, e.finAck)}
		if turn < e.finAck {
			t.after = lateData{at: peer.data, off: e.finAck, ack: peer.ack, from: int8(1 - d), kind: lateRest}
		}
		t.pending[d]++
	}
}

func (f *flow) icmp(x *explainer, s *segment, d int) {
	t := f.trouble(x)
	if t.icmp == nil {
		t.icmp = &icmpNote{ICMP: *s.icmp, at: f.mark(s), from: int8(d)}
	}
}
