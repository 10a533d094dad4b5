package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
)

// clientReady is a client's first word.
type clientReady struct{ Client, Version, Runtime string }

// startClient starts the client and tells it its options (package clients).
func (p *play) startClient(ctx context.Context) error {
	h := p.hosts[string(scenario.Client)]
	argv, err := p.program(ctx, scenario.Client)
	if err != nil {
		return err
	}
	p.client, err = h.run(ctx, "client", argv, false, func(s protocol.Stream, line []byte) {
		if s == protocol.Stdout {
			p.heard(func() { p.clientLine(line) })
		}
	})
	if err != nil {
		return err
	}
	if err := p.say(ctx, p.scenario.Options.Contract()); err != nil {
		return err
	}
	if err := p.hear(ctx, p.engine.Timeouts.Listen, func() bool { return p.ready != nil }); err != nil {
		return err
	}
	p.heard(func() { p.seen.Versions[scenario.Client] = p.ready.Client + " " + p.ready.Version })
	return nil
}

// clientLine takes a line that the client has written: its first word, what a
// script of it says, or an outcome.
func (p *play) clientLine(line []byte) {
	var l struct {
		clientReady
		scenario.Outcome
		Said string
	}
	err := json.Unmarshal(line, &l)
	switch {
	case err != nil:
		p.broken = fmt.Errorf("the client broke its contract (go doc ./lab/clients): %w: %.200s", err, line)
	case p.ready == nil:
		p.ready = &l.clientReady
	case l.Said != "":
		p.said[scenario.Client] = append(p.said[scenario.Client], l.Said)
	case !p.begun[l.N]:
		p.broken = fmt.Errorf("the client broke its contract: it told of request %d, which it was not asked for", l.N)
	default:
		delete(p.begun, l.N)
		p.lastOutcome = time.Now()
		at, _ := slices.BinarySearchFunc(p.seen.Outcomes, l.N, func(o scenario.Outcome, n int) int { return o.N - n })
		p.seen.Outcomes = slices.Insert(p.seen.Outcomes, at, l.Outcome)
	}
}

func (p *play) say(ctx context.Context, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = p.hosts[string(scenario.Client)].ask(ctx, protocol.Command{Do: protocol.Input, Name: "client", Data: append(line, '\n')})
	select {
	case <-p.client.exited: // that says more than a pipe that nobody reads
		return p.clientEnded()
	default:
		return err
	}
}

// clientEnded says how the client ended, which it must not do by itself.
func (p *play) clientEnded() error {
	if p.client.exit.Code == 127 {
		return fmt.Errorf("%w by client %s: %s", ErrUnsupported, p.scenario.Client, strings.TrimSpace(string(p.client.errout)))
	}
	return p.hosts[string(scenario.Client)].ended(p.client)
}

// hear waits until something that the client tells makes is true.
func (p *play) hear(ctx context.Context, timeout time.Duration, is func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the client said nothing for %s; --timeout waits longer", timeout))
	defer cancel()
	err := p.until(ctx, p.hosts[string(scenario.Client)], p.client, func() bool { return p.broken != nil || is() })
	select {
	case <-p.client.exited:
		if err != nil {
			return p.clientEnded()
		}
	default:
	}
	return errors.Join(err, p.broken)
}

// request has the client make a request and, unless it only begins it, hears
// what came of it.
func (p *play) request(ctx context.Context, s scenario.Step) error {
	p.asked++
	n := p.asked
	if err := p.sockets(ctx, n); err != nil {
		return err
	}
	p.progress.Say(p.scenario.ID, fmt.Sprintf("request %d: %s", n, s))
	line := map[string]any{"n": n, "url": s.URL}
	if s.Script != nil {
		line["conn"], line["script"] = s.Conn, s.Script
	} else {
		line["method"] = s.Method
	}
	if s.Header != nil {
		headers := map[string]string{}
		for _, h := range s.Header {
			name, value, _ := strings.Cut(h, ":")
			headers[name] = strings.TrimSpace(value)
		}
		line["headers"] = headers
	}
	if s.Body != "" {
		line["body"] = s.Body
	}
	p.heard(func() { p.begun[n] = true })
	if err := p.say(ctx, line); err != nil || s.Begin {
		return err
	}
	return p.hear(ctx, p.engine.Timeouts.Request, func() bool { return !p.begun[n] })
}

// finish waits for the outcomes of the requests that have begun.
func (p *play) finish(ctx context.Context) error {
	return p.hear(ctx, p.engine.Timeouts.Request, func() bool { return len(p.begun) == 0 })
}
