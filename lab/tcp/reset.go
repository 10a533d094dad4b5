package tcp

import "time"

type reset struct {
	at      mark
	off     int64 // sequence, in the sender's offsets
	ack     int64 // never for a bare RST
	from    int8
	trig    talk // the peer's last segment before it
	to      mark // and when that came
	kind    ResetKind
	ttl     uint8 // at the tap that the side's other segments are from, else 0
	tap     int32 // where it was captured
	resent  uint8 // unanswered retransmissions of its sender before it
	fresh   bool  // came after the peer's last segment
	deaf    bool  // its timestamps show that the peer's last segments did not arrive
	stray   bool  // answers an ACK of an older connection during the handshake (RFC 9293 3.10.7.3), or is older than what the peer has (RFC 5961 3.2)
	gap     bool  // the capture lacks what its sender sent just before
	pressed uint8 // unanswered retransmissions of the peer before it
}

// reset takes in an RST of side d.
func (f *flow) reset(x *explainer, s *segment, d int, m mark, off, ack int64) {
	me, peer := f.sides(d)
	t := f.trouble(x)
	ttl := s.ttl
	if s.tap != me.home {
		ttl = 0 // as another tap saw it: not comparable
	}
	r := reset{at: m, off: off, ack: ack, from: int8(d), trig: peer.talk, to: peer.last, ttl: ttl, tap: s.tap, resent: me.resent, pressed: peer.resent,
		fresh: peer.last.ok() && (!me.last.ok() || peer.last.n > me.last.n)}
	r.deaf = r.fresh && s.echo != 0 && peer.stamp != 0 && int32(peer.stamp-s.echo) > 0
	r.kind = f.resetKind(s, d, &r, ack)
	if r.kind == ToDataAfterClose {
		t.pending[d]--
	}
	r.gap = me.skipped(s) || me.has(sideHidden) || max(off, me.off(me.top)) > me.nxt ||
		s.cut && me.talk == talkProbe || // its timestamps may have told that the answers did not arrive
		r.deaf && peer.talk == talkACK && s.time-peer.last.time() > promptly+int64(f.hsTime)*1000
	r.stray = r.kind == NoConnection && !f.has(flowEstablished) && me.has(sideSYN) && !peer.has(sideSYNACK) ||
		r.kind == Abort && f.closer < 0 && off < peer.ack
	if ack != never {
		if off > me.off(me.top) {
			me.top = s.seq
		}
		if !me.has(sideAcked) || ack > me.ack {
			me.ack, me.flags = ack, me.flags|sideAcked
		}
	}
	if len(t.resets) == 0 {
		if f.closer < 0 {
			if t.http2 != nil {
				f.leftStreams(x, d, m)
			}
			t.at, t.atReply = f.http.during(f), f.http.answer()
			// A request that an RST with ACK does not cover had not arrived.
			if e := &f.http; ack != never && t.at == DuringAwaiting && e.has(httpKnown) && int(e.client) == 1-d && e.reqs == e.done+1 && peer.off(e.reqSeq) >= ack {
				t.at, t.atReply = DuringIdle, AnswerWhole
			}
		}
	}
	t.resetAt = max(t.resetAt, s.time)
	if len(t.resets) < maxResets {
		t.resets = append(t.resets, r)
	} else {
		t.dropped++
	}
	if t.ended == 0 && !r.stray {
		t.ended = s.time
	}
}

// resetKind says what an RST of side d is the answer to, if to anything
// (RFC 9293 3.10.7; Linux: tcp_v4_send_reset answers, tcp_send_active_reset
// acts).
func (f *flow) resetKind(s *segment, d int, r *reset, ack int64) ResetKind {
	me, peer := f.sides(d)
	t := f.more
	earlier, own := len(t.resets) > 0, f.resetBy(d)
	bare := s.flags&ACK == 0
	switch {
	case !f.has(flowEstablished) && !me.has(sideSYN|sideSYNACK) && peer.has(sideSYN) && !bare && s.seq == 0 && ack >= 1 && ack <= peer.nxt:
		return ToSYN // any other sequence would be of a connection that had got further
	case me.fin != never && t.pending[d] > 0:
		return ToDataAfterClose
	case me.fin != never && peer.fin != never, earlier && !own:
		return AfterClose
	case own && bare && peer.talk == talkData && r.fresh:
		return NoConnection
	case own:
		return AfterClose
	case (me.probes > 0 || me.talk == talkProbe && r.deaf) && s.time-me.last.time() >= max(probeInterval, f.roundTrip()):
		return ProbeTimeout
	case me.fin != never && bare:
		return AfterClose
	case bare && r.fresh:
		return NoConnection
	}
	return Abort
}

// probeInterval is the least time that a keep-alive probe is waited for
// (TCP_KEEPINTVL counts whole seconds), a timer's slack off.
const probeInterval = int64(time.Second) - jitter

// roundTrip is at most this: the handshake's, as the capture saw it; 0 without.
func (f *flow) roundTrip() int64 {
	if !f.has(flowTimed) {
		return 0
	}
	return int64(f.hsTime) * 1000
}

// life notes that a side speaks on after its own RST: what its stack would not
// do (RFC 9293 3.5.3: the connection is gone).
func (f *flow) life(s *segment, d int, m mark, off, end, ack int64) {
	if f.more == nil || f.more.alive.ok() {
		return
	}
	for _, r := range f.more.resets {
		if int(r.from) != d || (r.tap^s.tap)&(maxInterfaces-1) != 0 || max(off, end)-r.off > pastNear || ack-f.side[d].ack > pastNear {
			continue // of another connection, or seen elsewhere: sent before it perhaps
		}
		if end > max(f.side[d].nxt, r.off) || ack > f.side[d].ack {
			if f.more.alive = m; !f.more.ends[0].closeOK.ok() || !f.more.ends[1].closeOK.ok() {
				f.more.ended = 0
			}
			return
		}
	}
}

// sideBySide is how far two segments that a host's cores capture at once may be out
// of order in the file.
const sideBySide = int64(20 * time.Microsecond)

// shuffled takes in whether a segment is older than one that the file has before
// it: around the end what comes first decides.
func (f *flow) shuffled(x *explainer, s *segment, m mark) {
	if s.time >= f.seen()-sideBySide || f.side[0].fin != never && f.side[1].fin != never && s.length == 0 {
		return
	}
	t := f.trouble(x)
	if !t.behind.ok() && (s.flags&(FIN|RST) != 0 || f.closer >= 0 || len(t.resets) > 0) {
		t.behind = m
	}
}
