package tcp

import "fmt"

func (st *story) keepaliveTimeout() *finding {
	r := st.rst
	if r == nil || r.kind != ProbeTimeout || !st.firstRST() {
		return nil
	}
	x := int(r.from)
	me := st.side(x)
	if me.probes < 2 && !r.deaf {
		return nil // one probe is not given up so soon: a timer of the program's own, perhaps
	}
	if r.deaf {
		return &finding{
			frames: []mark{{n: me.resentN}, r.at},
			text: fmt.Sprintf("%s's keep-alive probes (last in frame %d) were answered, but as its timestamps show the answers did not arrive; it gave %s up with RST (%d).",
				st.who(x), st.frame(mark{n: me.resentN}), st.who(1-x), st.frame(r.at)),
		}
	}
	return &finding{
		frames: []mark{{n: me.resentN}, r.at},
		text: fmt.Sprintf("%s's keep-alive probes (%d, last in frame %d) stayed without answer; it gave %s up with RST (%d).",
			st.who(x), me.probes, st.frame(mark{n: me.resentN}), st.who(1-x), st.frame(r.at)),
	}
}

func (st *story) vanished() *finding {
	parted := st.fin(0) != never && st.fin(1) != never && (st.inferredAny() || st.side(0).closeOK.ok() || st.side(1).closeOK.ok())
	if parted || !st.f.has(flowEstablished) || st.oneWay() {
		return nil
	}
	for y := range st.ends {
		me, peer := st.side(y), st.side(1-y)
		resent := me.resent
		if r := st.rst; r != nil {
			if int(r.from) != y || r.kind != Abort || r.resent < 2 {
				continue
			}
			resent = r.resent
		}
		what, first := st.unheard(y)
		if what == "" || resent < 2 || peer.last.n > me.resentN {
			continue
		}
		// A server that never said more than SYN-ACK may only be full: then it
		// repeats that after 1 and 3 s.
		if peer.nxt <= 1 && peer.ack <= 1 && peer.has(sideSYNACK) && st.f.latest()-st.handshakeDone() < 4*synRTO {
			continue
		}
		// Loss is got over by then.
		if st.rst == nil && st.x.now-first.time() < synRTO+st.f.roundTrip() {
			continue
		}
		// Who repeats goes on, each time after twice as long: a stop before long
		// has a reason that the capture lacks. Later it may be that the next hop
		// is not to be found (ARP), then nothing is sent.
		lasted := me.last.time() - first.time()
		if st.rst == nil && resent < 4 && st.x.now-me.last.time() > 2*lasted+synRTO {
			continue
		}
		last := mark{n: me.resentN}
		why := fmt.Sprintf("%s had gone silent after frame %d%s", st.who(1-y), st.frame(peer.last), st.ifBeside(1-y, ", though all that came as far as the tap on its side"))
		if peer.last.n > first.n && me.home != peer.home {
			why = fmt.Sprintf("what %s sent (last in %d) did not arrive either, the path between the two was dead", st.who(1-y), st.frame(peer.last))
		}
		return &finding{
			frames: []mark{peer.last, first, last},
			text: fmt.Sprintf("%s sent its %s (frame %d) %d more times (last in %d) and got no answer: %s.",
				st.who(y), what, st.frame(first), resent, st.frame(last), why),
			ended: st.atEnd && st.silence() < 2*(st.f.latest()-first.time()),
		}
	}
	return nil
}

// unheard gives what side y sent and its peer has not acknowledged, "" for nothing,
// and where that begins.
func (st *story) unheard(y int) (what string, first mark) {
	me, peer := st.side(y), st.side(1-y)
	if !(me.data.ok() && peer.ack < me.nxt || me.fin != never && !me.closeOK.ok()) {
		return "", mark{}
	}
	switch {
	case me.fin != never && peer.ack >= me.fin || !me.data.ok():
		return "FIN", me.close
	case me.turn.ok() && peer.ack <= me.turnOff:
		return "data", me.turn
	}
	return "data", me.data
}

// hushed gives the side whose last word was neither acknowledged nor sent again,
// though it would have been by now, and what that was; "" for none. What came then
// the capture lacks.
func (st *story) hushed() (y int, what string) {
	if st.rst != nil || st.oneWay() || st.fin(0) != never && st.fin(1) != never {
		return 0, ""
	}
	for y := range st.ends {
		me := st.side(y)
		what, first := st.unheard(y)
		if what == "" && me.probes > 0 {
			what, first = "keep-alive probe", mark{n: me.resentN, hi: me.last.hi, lo: me.last.lo}
		}
		if what != "" && st.silence() > 2*(me.last.time()-first.time())+2*synRTO+st.f.roundTrip() {
			return y, what
		}
	}
	return 0, ""
}
