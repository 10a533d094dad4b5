package tcp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// vantage gathers what a capture says of where it was taken. Four things tell,
// each by itself no more than a hint:
//
//   - TTL (IPv4) or hop limit (IPv6): the packets of a host beside the tap have
//     passed no router, they have one of the initial values 64, 128 and 255.
//   - The handshake: its round trip is cut in two by the tap, SYN to SYN-ACK is
//     the server's part of the way, SYN-ACK to ACK the client's. The part towards
//     a host beside the tap is what its kernel needs.
//   - The same for data and its acknowledgment, where the capture begins in the
//     middle of connections; the least of several, for acknowledgments may wait
//     (RFC 1122 4.2.3.2).
//   - Segments larger than the receiver's MSS (RFC 9293 3.7.1) are not on the
//     wire: they are seen at their sender before segmentation, or at their
//     receiver after it joined them (Linux: TSO, GRO).
type vantage struct {
	hosts   map[host]*tally
	between int // connections whose handshake shows the tap far from both
	far     int64
	big     int // connections with segments larger than the MSS
}

// host is an address without its port.
type host struct{ hi, lo uint64 }

func (e endpoint) host() host { return host{e.hi, e.lo} }

// tally is what speaks for one host.
type tally struct {
	client, server int   // connections in which the tap was beside it, as that
	ttl, timed     int   // by which evidence
	near, far      int64 // least parts of the handshake's round trip on its side and on the other's, ns
	big            int   // connections with segments larger than the MSS, from or to it
	acks           int   // acknowledgments of data that it sent, where no handshake was seen
	ack            int64 // the fastest of them, ns
}

const (
	maxVantage = 1024 // hosts remembered

	// nearer is how much longer the far part of a round trip is at least, beside
	// farther times the near one: what is less may be a busy host.
	nearer  = int64(200 * time.Microsecond)
	farther = 4

	// ethernetMSS is the MSS of hosts without jumbo frames: 1500 bytes less the
	// two headers.
	ethernetMSS = 1460
)

func (v *vantage) of(h host) *tally {
	t := v.hosts[h]
	if t == nil {
		t = &tally{}
		if len(v.hosts) < maxVantage {
			if v.hosts == nil {
				v.hosts = map[host]*tally{}
			}
			v.hosts[h] = t
		}
	}
	return t
}

// handshake takes in the two parts of a flow's handshake, whose last ACK was
// sent by side c.
func (v *vantage) handshake(f *flow, c int, server, client int64) {
	if server < 0 || client < 0 || f.side[0].home != f.side[1].home { // several taps
		return
	}
	x, near, far := c, client, server
	if server < client {
		x, near, far = 1-c, server, client
	}
	switch {
	case far >= synRTO: // more likely a SYN that the capture lacks
	case far-near >= nearer && far >= farther*near:
		f.flags |= flowBeside0 << x
		t := v.of(f.end[x].host())
		if t.timed++; t.timed == 1 {
			t.near, t.far = near, far
		}
		t.near, t.far = min(t.near, near), min(t.far, far)
	case near >= nearer:
		if v.between++; v.between == 1 || near < v.far {
			v.far = near
		}
	}
}

// acknowledged takes in how long side d took to acknowledge data.
func (v *vantage) acknowledged(f *flow, d int, took int64) {
	if took < 0 {
		return
	}
	t := v.of(f.end[d].host())
	if t.acks++; t.acks == 1 || took < t.ack {
		t.ack = took
	}
}

// oversized takes in that a flow has segments larger than the MSS.
func (v *vantage) oversized(f *flow) {
	v.big++
	v.of(f.end[0].host()).big++
	v.of(f.end[1].host()).big++
}

// tap says beside which side's host a flow was captured, -1 when nothing tells
// or not all say the same, and whether the TTLs say so.
func (st *story) tap() (int, bool) {
	x := -1
	switch a, b := st.hops(0), st.hops(1); {
	case a == 0 && b > 0:
		x = 0
	case b == 0 && a > 0:
		x = 1
	}
	for i := range 2 {
		if st.f.has(flowBeside0 << i) {
			if x == 1-i {
				return -1, false
			}
			return i, x == i
		}
	}
	return x, x >= 0
}

// vote takes in what a conversation that is over says.
func (v *vantage) vote(st *story) {
	x, ttl := st.tap()
	if x < 0 {
		return
	}
	t := v.of(st.f.end[x].host())
	if x == st.c {
		t.client++
	} else {
		t.server++
	}
	if ttl {
		t.ttl++
	}
}

// from says it in words; "" when the capture does not tell, or not of one host.
func (v *vantage) from(name func(host) string) string {
	type candidate struct {
		host
		*tally
	}
	var all []candidate
	votes := 0
	for h, t := range v.hosts {
		all = append(all, candidate{h, t})
		votes += t.client + t.server
	}
	if len(all) == 0 {
		if v.between > 0 {
			return "a point between: " + v.betweenText()
		}
		return ""
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.client+b.server, a.client+a.server), cmp.Compare(b.big, a.big), cmp.Compare(a.ack, b.ack), cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
	})
	best := all[0]
	if n := best.client + best.server; n > 0 {
		if 3*n < 2*(votes+v.between) {
			if v.between > 2*votes {
				return "a point between: " + v.betweenText()
			}
			return ""
		}
		where := "the client's side (" + name(best.host) + ")"
		switch {
		case best.client > 0 && best.server > 0:
			where = name(best.host) + ", the client of some connections and the server of others"
		case best.server > 0:
			where = "the server's side (" + name(best.host) + ")"
		}
		var why []string
		if best.ttl > 0 {
			why = append(why, "its packets had passed no router, the others' had")
		}
		if best.timed > 0 {
			why = append(why, fmt.Sprintf("of the handshake's round trip no more than %s lay on its side, at least %s on the other", span(time.Duration(best.near)), span(time.Duration(best.far))))
		}
		if best.big > 0 && best.big == v.big {
			why = append(why, "segments larger than the MSS show that it was on a host, where offload joins them")
		}
		text := where + ": " + strings.Join(why, "; ")
		if all := votes + v.between; all > 1 {
			text += fmt.Sprintf(" (%d of %d connections that tell)", n, all)
		}
		return text
	}
	if v.between > 0 {
		return "a point between: " + v.betweenText()
	}
	// Only the tap's own host has part in all that is larger than the MSS.
	if best.big == v.big && v.big > 1 && !slices.ContainsFunc(all[1:], func(c candidate) bool { return c.big == v.big }) {
		return fmt.Sprintf("the host %s: all segments larger than the MSS are from or to it, before segmentation or after its receiver joined them", name(best.host))
	}
	// Beside the tap acknowledgments come at once.
	const enough = 3
	var first, second *candidate
	for i := range all {
		c := &all[i]
		if c.acks < enough {
			continue
		}
		switch {
		case first == nil || c.ack < first.ack:
			first, second = c, first
		case second == nil || c.ack < second.ack:
			second = c
		}
	}
	if first != nil && second != nil && second.ack-first.ack >= nearer && second.ack >= farther*first.ack {
		return fmt.Sprintf("the side of %s: it acknowledges data after %s, everybody else not before %s", name(first.host), span(time.Duration(first.ack)), span(time.Duration(second.ack)))
	}
	return ""
}

func (v *vantage) betweenText() string {
	return "neither end answers within less than " + span(time.Duration(v.far))
}
