package main

import (
	"fmt"
	"net/netip"
	"slices"

	"rstlab/lab/gate/protocol"
)

// segment is a TCP segment that waits in the kernel's queue for a verdict.
type segment struct {
	id    uint32 // by which the kernel knows it
	ours  bool   // we send it; else we receive it
	ends  ends
	flags byte
	seq   uint32
	data  int // bytes
}

// ends names a connection.
type ends struct{ local, remote netip.AddrPort }

const (
	fin = 1 << iota
	syn
	rst
	psh
)

// verdict is what is done to a segment. The kernel's own numbers
// (include/uapi/linux/netfilter.h) but for hold, which tells the kernel nothing.
type verdict uint32

const (
	drop   verdict = 0
	accept verdict = 1
	hold   verdict = 1 << 31
)

// step is one thing to do: a verdict on a segment and, if it has a kind, the
// event that tells it.
type step struct {
	id    uint32
	do    verdict
	event protocol.Event
}

// gate decides. It knows no clock: a segment that is held waits for another
// segment, however long that takes.
type gate struct {
	order       string
	connections map[ends]*connection
}

// connection is what the gate has seen of a connection that is new, or on which
// something has been held or dropped.
type connection struct {
	new   bool      // made since the gate is in force
	asks  []segment // data of ours that waits for a FIN
	asked []uint32  // the sequence numbers of all that has
	fins  int       // how often the FIN has come
	held  *segment  // the FIN that waits
	over  bool      // the FIN has met its fate; its copies are dropped
	left  bool      // data of ours has left behind the FIN
	rsts  []segment
}

func newGate(order string) (*gate, error) {
	switch order {
	case protocol.FINFirst, protocol.RSTFirst, protocol.FINLost:
		return &gate{order: order, connections: map[ends]*connection{}}, nil
	}
	return nil, fmt.Errorf("-order %q is none of %q, %q and %q", order, protocol.FINFirst, protocol.RSTFirst, protocol.FINLost)
}

// see returns what to do, in this order, now that a segment has come: to it and
// to those that have waited for it.
func (g *gate) see(s segment) []step {
	c := g.connections[s.ends]
	switch {
	case s.flags&syn != 0: // the same ports again, for a new connection
		g.connections[s.ends] = &connection{new: true}
		return []step{{id: s.id, do: accept}}
	case s.ours:
		return g.leaves(s, c)
	case s.flags&(fin|rst) == 0:
		return []step{{id: s.id, do: accept}}
	case c == nil:
		c = &connection{}
		g.connections[s.ends] = c
	}
	if s.flags&rst != 0 {
		return g.reset(s, c)
	}
	c.fins++
	tell := func(do verdict, kind protocol.Kind) []step {
		return []step{s.step(do, protocol.Event{Event: kind, Copies: c.fins})}
	}
	switch {
	case g.order == protocol.FINLost || c.over:
		return tell(drop, protocol.FINDropped)
	case c.held != nil:
		return tell(drop, protocol.FINHeld)
	}
	c.held = &s
	steps := tell(hold, protocol.FINHeld)
	asks := c.asks
	c.asks = nil
	for _, ask := range asks {
		steps = append(steps, g.leave(ask, c)...)
	}
	return steps
}

// leaves is see for a segment of ours.
func (g *gate) leaves(s segment, c *connection) []step {
	if c == nil {
		c = &connection{}
		g.connections[s.ends] = c
	}
	switch {
	case s.data == 0:
		return []step{{id: s.id, do: accept}}
	case slices.Contains(c.asked, s.seq): // the kernel sends again what waited for long, if only for a slow gate
		return []step{{id: s.id, do: drop}}
	case c.fins == 0 && !c.new && !c.over && g.order != protocol.FINLost:
		c.asks, c.asked = append(c.asks, s), append(c.asked, s.seq)
		return []step{s.step(hold, protocol.Event{Event: protocol.RequestHeld})}
	}
	return g.leave(s, c)
}

// leave lets a segment of ours go. Behind the first data may be what has waited
// for it.
func (g *gate) leave(s segment, c *connection) []step {
	if c.fins == 0 || c.left {
		return []step{{id: s.id, do: accept}}
	}
	c.left, c.asked = true, append(c.asked, s.seq)
	steps := []step{s.step(accept, protocol.Event{Event: protocol.RequestLeft})}
	if len(c.rsts) > 0 {
		steps = append(steps, c.release()...)
	}
	return steps
}

// release delivers the FIN that is held and the RSTs behind it. They come at
// once, so that no program can close its end between the two.
func (c *connection) release() []step {
	steps := []step{c.held.step(accept, protocol.Event{Event: protocol.FINReleased, Copies: c.fins})}
	for _, r := range c.rsts {
		steps = append(steps, r.step(accept, protocol.Event{Event: protocol.RST, Did: protocol.Accepted}))
	}
	c.held, c.rsts, c.over = nil, nil, true
	return steps
}

// reset is see for a RST that comes.
func (g *gate) reset(s segment, c *connection) []step {
	if g.order == protocol.FINFirst && c.held != nil {
		c.rsts = append(c.rsts, s)
		if c.left {
			return c.release()
		}
		return []step{s.step(hold, protocol.Event{Event: protocol.RST, Did: protocol.Held})}
	}
	steps := []step{s.step(accept, protocol.Event{Event: protocol.RST, Did: protocol.Accepted})}
	if c.held != nil {
		steps = append(steps, c.held.step(drop, protocol.Event{Event: protocol.FINDropped, Copies: c.fins}))
	}
	for _, ask := range c.asks { // there is no FIN to wait for any more
		steps = append(steps, step{id: ask.id, do: accept})
	}
	c.held, c.asks, c.over = nil, nil, true
	return steps
}

// step returns the step that does this to s and tells it with e.
func (s segment) step(do verdict, e protocol.Event) step {
	e.Local, e.Remote, e.Data = s.ends.local, s.ends.remote, s.data
	return step{id: s.id, do: do, event: e}
}
