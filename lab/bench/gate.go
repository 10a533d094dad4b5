package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rstlab/lab/agent/protocol"
	gateproto "rstlab/lab/gate/protocol"
	"rstlab/lab/scenario"
)

// gate is lab/gate at work beside a host.
type gate struct {
	*program
	order  scenario.Order
	events []gateproto.Event
}

// startGate has the FINs that come to the tap's host held from now on.
func (p *play) startGate(ctx context.Context, t *tap, s scenario.Step) error {
	t.ruled = true
	g := &gate{order: s.Order}
	var err error
	g.program, err = t.run(ctx, "gate", []string{"/lab/gate", "-order", string(s.Order), "-port", fmt.Sprint(s.GatePort())}, false, func(stream protocol.Stream, line []byte) {
		var e gateproto.Event
		if stream == protocol.Stdout && json.Unmarshal(line, &e) == nil {
			p.heard(func() { g.events = append(g.events, e) })
		}
	})
	if err != nil {
		return err
	}
	p.gates[s.Host] = g
	return p.gateSays(ctx, t, g, func(e gateproto.Event) bool { return e.Event == gateproto.Ready })
}

// held waits until the gate of a host holds a FIN, or the request that is to
// cross it, or has dropped a FIN that was sent again.
func (p *play) held(ctx context.Context, h scenario.Host) error {
	g := p.gates[h]
	if g == nil {
		return fmt.Errorf("there is no gate on %s", h)
	}
	t, err := p.tap(h)
	if err != nil {
		return err
	}
	return p.gateSays(ctx, t, g, func(e gateproto.Event) bool {
		if g.order == scenario.FINLost {
			return e.Event == gateproto.FINDropped && e.Copies > 1
		}
		return e.Event == gateproto.FINHeld || e.Event == gateproto.RequestHeld
	})
}

// gateSays waits for an event of a gate.
func (p *play) gateSays(ctx context.Context, t *tap, g *gate, is func(gateproto.Event) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Request, fmt.Errorf("the gate has not seen it for %s", p.engine.Timeouts.Request))
	defer cancel()
	err := p.until(ctx, t.host, g.program, func() bool { return slices.ContainsFunc(g.events, is) })
	select {
	case <-g.exited:
		if g.exit.Code == 127 {
			return fmt.Errorf("%w: %s", ErrUnsupported, strings.TrimSpace(string(g.errout)))
		}
	default:
	}
	return err
}

// gateOrder is what a gate must have seen on a connection, in this order.
var gateOrder = map[scenario.Order][]gateproto.Kind{
	scenario.FINFirst: {gateproto.FINHeld, gateproto.RequestLeft, gateproto.FINReleased, gateproto.RST},
	scenario.RSTFirst: {gateproto.FINHeld, gateproto.RequestLeft, gateproto.RST},
	scenario.FINLost:  {gateproto.FINDropped, gateproto.RequestLeft, gateproto.RST},
}

// checkGates holds each gate's own log against its order: a run whose gate saw
// another order tells nothing.
func (p *play) checkGates() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for host, g := range p.gates {
		seen := map[string][]gateproto.Kind{} // by connection
		for _, e := range g.events {
			if e.Event != gateproto.Ready && e.Did != gateproto.Held {
				connection := fmt.Sprintf("%s > %s", e.Local, e.Remote)
				if e.Event == gateproto.FINHeld && e.Copies > 1 {
					return fmt.Errorf("the gate on %s, %s: the FIN was sent again before the two had passed each other: the machine was too busy for this order just then", host, connection)
				}
				seen[connection] = append(seen[connection], e.Event)
			}
		}
		forced := false
		for connection, events := range seen {
			if !slices.Contains(events, gateproto.RequestLeft) {
				continue // nothing has crossed here
			}
			if err := ordered(events, gateOrder[g.order]); err != nil {
				return fmt.Errorf("the gate on %s, %s: %w", host, connection, err)
			}
			forced = true
		}
		if !forced {
			return fmt.Errorf("the gate on %s has forced nothing: no request left on a connection whose FIN it held or dropped. %s. With a config or numbers of your own that may be the answer: the two do not meet", host, sawAt(seen))
		}
	}
	return nil
}

// sawAt is what a gate saw of each connection.
func sawAt(seen map[string][]gateproto.Kind) string {
	if len(seen) == 0 {
		return "No FIN came"
	}
	var all []string
	for _, connection := range slices.Sorted(maps.Keys(seen)) {
		var events []string
		for _, kind := range slices.Compact(slices.Clone(seen[connection])) {
			events = append(events, string(kind))
		}
		all = append(all, connection+": "+strings.Join(events, ", "))
	}
	return "It saw " + strings.Join(all, "; ")
}

// ordered says whether the first of each wanted event came in this order.
func ordered(events, want []gateproto.Kind) error {
	at := -1
	for _, w := range want {
		i := slices.Index(events, w)
		if i <= at {
			return fmt.Errorf("want %v in this order, it saw %v", want, events)
		}
		at = i
	}
	return nil
}
