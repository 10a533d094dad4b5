package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// step takes one step of a play.
func (p *play) step(ctx context.Context, s scenario.Step) error {
	switch s.Do {
	case scenario.DoRequest:
		return p.request(ctx, s)
	case scenario.DoFinish:
		return p.finish(ctx)
	case scenario.DoIdle:
		return p.idle(ctx, s.For)
	case scenario.DoQuiet:
		return p.quiet(ctx, time.Now()) // what is to move may be about to
	case scenario.DoAwait:
		return p.await(ctx, s.Await)
	}
	h, err := p.host(s.Host)
	if err != nil {
		return err
	}
	p.progress.Say(p.scenario.ID, s.String())
	switch s.Do {
	case scenario.DoSaid:
		return p.hears(ctx, h, s)
	case scenario.DoTell:
		return p.tell(ctx, h, s)
	case scenario.DoLogged:
		return p.logged(ctx, h, s)
	case scenario.DoEnded:
		return p.ended(ctx, h, s)
	case scenario.DoKillHost:
		return p.cut(ctx, h)
	case scenario.DoMove:
		return p.move(ctx, h)
	case scenario.DoStart:
		service, err := p.topology.service(s.Host)
		if err != nil {
			return err
		}
		return p.serve(ctx, h, service)
	case scenario.DoKill, scenario.DoReload, scenario.DoPause, scenario.DoSignal:
		return p.signal(ctx, h, s)
	}
	t, err := p.tap(s.Host)
	if err != nil {
		return err
	}
	switch s.Do {
	case scenario.DoSocket:
		return p.shows(ctx, s.Host, s.Event)
	case scenario.DoFilter:
		return t.filter(ctx, p.expand(s.Rule))
	case scenario.DoUnfilter:
		return t.sh(ctx, "nft delete table inet "+table)
	case scenario.DoForge:
		return p.forge(ctx, t, s.Await)
	case scenario.DoDestroy:
		return t.sh(ctx, "ss -HKtn state connected")
	case scenario.DoGate:
		return p.startGate(ctx, t, s)
	case scenario.DoHeld:
		return p.held(ctx, s.Host)
	}
	return fmt.Errorf("unknown step %q", s.Do)
}

// hears waits until a script of a host has said an event.
func (p *play) hears(ctx context.Context, h *host, s scenario.Step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Request, fmt.Errorf("it has not been said for %s", p.engine.Timeouts.Request))
	defer cancel()
	of := p.servers[s.Host]
	if s.Host == scenario.Client {
		of = p.client
	}
	return p.until(ctx, h, of, func() bool {
		at := slices.Index(p.said[s.Host], s.Event)
		if at >= 0 {
			p.said[s.Host] = slices.Delete(p.said[s.Host], at, at+1)
		}
		return at >= 0
	})
}

// logged waits until a line of a server's logs has a part.
func (p *play) logged(ctx context.Context, h *host, s scenario.Step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Request, fmt.Errorf("it has not been logged for %s", p.engine.Timeouts.Request))
	defer cancel()
	is := func() bool {
		for _, lines := range p.logs {
			if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, s.Event) }) {
				return true
			}
		}
		return false
	}
	err := p.until(ctx, h, p.servers[s.Host], is)
	if err == nil || ctx.Err() != nil {
		return err
	}
	// The server has ended. What it wrote to a file last may come after that.
	ctx, cancel = context.WithTimeout(ctx, p.engine.Timeouts.Settle)
	defer cancel()
	if p.until(ctx, h, nil, is) == nil {
		return nil
	}
	return err
}

// ended waits until the server of a host has ended.
func (p *play) ended(ctx context.Context, h *host, s scenario.Step) error {
	server := p.servers[s.Host]
	if server == nil {
		return fmt.Errorf("no server runs on %s", s.Host)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Request, fmt.Errorf("it has not ended for %s", p.engine.Timeouts.Request))
	defer cancel()
	select {
	case <-server.exited:
		return nil
	case <-h.gone:
		return h.goneError()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// move gives a host another address.
func (p *play) move(ctx context.Context, h *host) error {
	if err := p.Bench.move(ctx, h); err != nil {
		return err
	}
	p.seen.Names = p.names()
	return nil
}

// forge sends an RST from the host of a tap, which its kernel knows nothing of.
func (p *play) forge(ctx context.Context, t *tap, s scenario.Segment) error {
	if err := errors.Join(p.fence(ctx), p.observe()); err != nil {
		return err
	}
	for _, last := range slices.Backward(p.seen.Frames) {
		if p.seen.Of(last.Src) != s.To || p.seen.Of(last.Dst) != s.From || !last.Has(tcp.ACK) {
			continue
		}
		packet, err := tcp.ResetFor(last)
		if err != nil {
			return err
		}
		_, err = t.ask(ctx, protocol.Command{Do: protocol.Packet, Data: packet})
		return err
	}
	return fmt.Errorf("no connection between %s and %s has been seen", s.From, s.To)
}

// tell tells the scripts of a host an event.
func (p *play) tell(ctx context.Context, h *host, s scenario.Step) error {
	name := "server"
	if s.Host == scenario.Client {
		name = "client"
	}
	_, err := h.ask(ctx, protocol.Command{Do: protocol.Input, Name: name, Data: fmt.Appendf(nil, "{\"tell\":%q}\n", s.Event)})
	return err
}

// signal signals the server of a host.
func (p *play) signal(ctx context.Context, h *host, s scenario.Step) error {
	server := p.servers[s.Host]
	if server == nil {
		return fmt.Errorf("no server runs on %s", s.Host)
	}
	c := protocol.Command{Do: protocol.Signal, Name: server.name}
	switch s.Do {
	case scenario.DoKill:
		return h.kill(ctx, server)
	case scenario.DoReload:
		c.Signal, c.To = int(unix.SIGHUP), protocol.Leader
	case scenario.DoPause:
		c.Signal = int(unix.SIGSTOP)
	default:
		if c.Signal = int(unix.SignalNum("SIG" + s.Signal)); c.Signal == 0 {
			return fmt.Errorf("there is no signal %s", s.Signal)
		}
		c.To = map[scenario.Whom]protocol.Whom{scenario.Leader: protocol.Leader, scenario.Workers: protocol.Workers}[s.To]
	}
	_, err := h.ask(ctx, c)
	return err
}

// expand replaces the names of hosts in braces by their addresses.
func (p *play) expand(rule string) string {
	for addr, host := range p.seen.Names {
		rule = strings.ReplaceAll(rule, "{"+string(host)+"}", addr.String())
	}
	return rule
}
