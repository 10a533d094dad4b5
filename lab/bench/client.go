package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
)

// startClient starts the client and tells it its options (package clients).
func (p *play) startClient(ctx context.Context) error {
	h := p.hosts[string(scenario.Client)]
	argv, err := p.program(ctx, scenario.Client)
	if err != nil {
		return err
	}
	p.client, err = h.run(ctx, "client", argv, false, func(s protocol.Stream, line []byte) {
		if s == protocol.Stdout {
			p.lines <- string(line)
		}
	})
	if err != nil {
		return err
	}
	var ready struct {
		Client, Version, Runtime string
	}
	if err := p.say(ctx, clientOptions(p.scenario.Options)); err != nil {
		return err
	}
	if err := p.hear(ctx, p.engine.Timeouts.Listen, &ready); err != nil {
		return err
	}
	p.is(scenario.Client, ready.Client+" "+ready.Version)
	return nil
}

// clientOptions is the first line of the contract: what is not set stays the
// library's own.
func clientOptions(o scenario.Options) map[string]any {
	m := map[string]any{}
	if o.Retry != "" {
		m["retry"] = o.Retry == scenario.On
	}
	if o.PoolIdle != 0 {
		m["pool_idle_ms"] = o.PoolIdle.Milliseconds()
	}
	return m
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

// hear reads the client's next line.
func (p *play) hear(ctx context.Context, timeout time.Duration, into any) error {
	h := p.hosts[string(scenario.Client)]
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the client said nothing for %s; --timeout waits longer", timeout))
	defer cancel()
	for exited := p.client.exited; ; {
		select {
		case line := <-p.lines:
			if err := json.Unmarshal([]byte(line), into); err != nil {
				return fmt.Errorf("the client broke its contract (go doc ./lab/clients): %w: %.200s", err, line)
			}
			return nil
		case <-exited:
			if len(p.lines) > 0 { // its last word came before its end
				exited = nil
				continue
			}
			return p.clientEnded()
		case <-h.gone:
			return h.goneError()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// request has the client make a request and hears what came of it.
func (p *play) request(ctx context.Context, s scenario.Step) error {
	n := len(p.seen.Outcomes) + 1
	if err := p.sockets(ctx, n); err != nil {
		return err
	}
	p.progress.Say(p.scenario.ID, fmt.Sprintf("request %d: %s %s", n, s.Method, s.URL))
	if err := p.say(ctx, map[string]any{"n": n, "method": s.Method, "url": s.URL}); err != nil {
		return err
	}
	var outcome scenario.Outcome
	if err := p.hear(ctx, p.engine.Timeouts.Request, &outcome); err != nil {
		return err
	}
	p.lastOutcome = time.Now()
	if outcome.N != n {
		return fmt.Errorf("the client broke its contract: asked for request %d, it told of %d", n, outcome.N)
	}
	p.seen.Outcomes = append(p.seen.Outcomes, outcome)
	return nil
}
