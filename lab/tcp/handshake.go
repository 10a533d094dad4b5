package tcp

import "fmt"

func (st *story) unreachable() *finding {
	if st.f.more == nil || st.f.more.icmp == nil {
		return nil
	}
	e := st.f.more.icmp
	y, x := int(e.from), 1-int(e.from)
	if st.f.has(flowEstablished) && (st.side(x).last.n > e.at.n || st.closer >= 0 && st.side(st.closer).close.n < e.at.n) {
		return nil // a soft error (RFC 1122 4.2.3.9): the connection went on
	}
	if !st.f.has(flowEstablished) && st.side(x).has(sideSeen) {
		return nil
	}
	if st.rst != nil && st.rst.at.n < e.at.n {
		return nil
	}
	from, tail := "a router or filter", "nothing else came back"
	switch n := st.x.name(e.From); {
	case e.From == st.addr[x].Addr():
		from = st.who(x)
	case e.From == st.addr[y].Addr():
		from, tail = st.who(y)+"'s own kernel", fmt.Sprintf("it did not find the way to %s", st.who(x))
	case n != "":
		from = n
	case e.From.IsValid():
		from = e.From.String()
	}
	what := "SYN"
	if st.f.has(flowEstablished) {
		what = "segment"
	}
	return &finding{
		frames: []mark{st.firstOf(y), e.at},
		text:   fmt.Sprintf("%s answered %s's %s with ICMP %q (frame %d); %s.", from, st.who(y), what, e.String(), st.frame(e.at), tail),
		during: pick(!st.f.has(flowEstablished), DuringHandshake),
	}
}

func (st *story) refused() *finding {
	if st.rst == nil || st.rst.kind != ToSYN || st.f.more.alive.ok() || int(st.rst.from) != st.s {
		return nil
	}
	return &finding{
		frames: []mark{st.firstOf(st.c), st.rst.at},
		text: fmt.Sprintf("%s answered %s's SYN (frame %d) with RST (%d) after %s: nothing listens on port %d there, or a filter says so in its name.",
			st.who(st.s), st.who(st.c), st.frame(st.synMark(st.c)), st.frame(st.rst.at), span(st.since(st.rst.at, st.firstOf(st.c))), st.f.end[st.s].port),
		during: DuringHandshake,
	}
}

// rejected wants evidence on the wire that the RST is not its sender's: the
// sender lives on as if nothing had been, or the RST came another way.
func (st *story) rejected() *finding {
	r := st.rst
	if r == nil || st.closer >= 0 && !st.firstRST() {
		return nil
	}
	x := int(r.from)
	alive := st.f.more.alive
	again := r.kind == ToSYN && alive.time()-r.at.time() >= refusedAgain-jitter // it may answer a SYN that the capture lacks
	if alive.ok() && r.at.n > 1 && r.kind != NoConnection && r.kind != ProbeTimeout && !again {
		return &finding{
			frames: []mark{r.at, alive},
			text: fmt.Sprintf("an RST in the name of %s (frame %d) was not its own: %s spoke on after it (%d), as a host that had reset the connection would not.",
				st.who(x), st.frame(r.at), st.who(x), st.frame(alive)),
		}
	}
	me := st.side(x)
	// A program may choose its socket's TTL, a kernel that answers by itself takes
	// its own: a bare RST, where the others' is no common one, tells nothing.
	chosen := r.ack == never && hops(me.ttl) >= farthest
	if me.has(sideTTLTwice) && !me.has(sideTTLMixed) && r.ttl != 0 && hops(me.ttl) != hops(r.ttl) && !chosen {
		return &finding{
			frames: []mark{me.last, r.at},
			text: fmt.Sprintf("an RST in the name of %s (frame %d) came another way than its other segments (TTL %d, theirs %d): a box between sent it.",
				st.who(x), st.frame(r.at), r.ttl, me.ttl),
		}
	}
	return nil
}

// farthest is more routers than are between any two hosts, but for a few.
const farthest = 32

// hops is how many routers a side's segments had passed; -1 unknown.
func (st *story) hops(i int) int {
	if s := st.side(i); s.has(sideSeen) && !s.has(sideTTLMixed) && s.ttl > 0 {
		return hops(s.ttl)
	}
	return -1
}

// hops is how many routers a packet passed, by the initial TTLs in use.
func hops(ttl uint8) int {
	switch {
	case ttl <= 64:
		return 64 - int(ttl)
	case ttl <= 128:
		return 128 - int(ttl)
	}
	return 255 - int(ttl)
}

func (st *story) acceptOverflow() *finding {
	f := st.f
	server := st.side(st.s)
	if !server.has(sideSYNACK) || !f.has(flowEstablished) || server.data.ok() || server.nxt > 1 || server.ack > 1 || server.fin != never {
		return nil
	}
	// A server that defers its accept until data comes (TCP_DEFER_ACCEPT) repeats
	// SYN-ACK too, but not behind data.
	client := st.side(st.c)
	full := f.has(flowOverflow) && server.talk == talkSYN && client.turn.ok() && server.last.n > client.turn.n
	last := mark{n: f.hsAck}
	if r := st.rst; r != nil {
		if int(r.from) != st.s || r.kind != NoConnection || st.closer >= 0 && !st.firstRST() {
			return nil
		}
		// The RST to the last ACK, or, when that was lost, to data sent again.
		if r.off != 1 || client.data.ok() && client.data.n < last.n || !full && (r.at.time()-st.handshakeDone() > overflowWithin || r.at.time()-r.to.time() > synRTO || r.trig != talkACK && r.pressed == 0 && len(f.more.resets) < 2) {
			return nil
		}
		return &finding{
			frames: []mark{{n: server.syn}, last, r.at},
			text: fmt.Sprintf("%s answered the handshake's last ACK (frame %d) with RST (%d): its accept queue was full and tcp_abort_on_overflow is set, or its listener had just been closed, or a filter said so.",
				st.who(st.s), st.frame(last), st.frame(r.at)),
			during: DuringHandshake, basis: Inferred,
		}
	}
	if !full {
		return nil
	}
	return &finding{
		frames: []mark{{n: server.syn}, last, client.turn, server.last},
		text: fmt.Sprintf("%s repeated its SYN-ACK (first in frame %d, last in %d) though %s had acknowledged it (%d) and sent data (%d): its accept queue was full and it dropped both, or a filter did.",
			st.who(st.s), st.frame(mark{n: server.syn}), st.frame(server.last), st.who(st.c), st.frame(last), st.frame(client.turn)),
		during: DuringHandshake, basis: Inferred,
	}
}

// handshakeDone is when the handshake's last ACK came.
func (st *story) handshakeDone() int64 { return st.f.start + int64(st.f.hsTime)*1000 }

// unanswered wants a repetition. One SYN alone, however long the silence after
// it, may also be one whose RST the capture lacks; a connection attempt that was
// given up within the first second (RFC 6298 2.1) leaves no more than that.
func (st *story) unanswered() *finding {
	client, server := st.side(st.c), st.side(st.s)
	if st.f.has(flowEstablished) || st.rst != nil {
		return nil
	}
	switch {
	case client.syns >= 2 && !server.has(sideSeen):
		return &finding{
			frames: []mark{st.synMark(st.c), client.last},
			text: fmt.Sprintf("%s sent SYN %d times in %s (first frame %d, last %d); nothing came back.",
				st.who(st.c), client.syns, span(st.since(client.last, st.firstOf(st.c))), st.frame(st.synMark(st.c)), st.frame(client.last)),
			during: DuringHandshake,
			ended:  st.atEnd && st.silence() < synRTO,
		}
	case server.syns >= 2 && server.has(sideSYNACK) && client.talk == talkSYN:
		return &finding{
			frames: []mark{{n: server.syn}, server.last},
			text: fmt.Sprintf("%s sent SYN-ACK %d times (first frame %d, last %d); %s never acknowledged it.",
				st.who(st.s), server.syns, st.frame(mark{n: server.syn}), st.frame(server.last), st.who(st.c)),
			during: DuringHandshake,
			ended:  st.atEnd && st.silence() < synRTO,
		}
	}
	return nil
}
