package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rstlab/lab/scenario"
)

// until waits until something that was heard makes is true, for as long as a
// program (which may be nil) lives. Is is called with everything that is
// heard held still.
func (p *play) until(ctx context.Context, h *host, of *program, is func() bool) error {
	var exited <-chan struct{}
	if of != nil {
		exited = of.exited
	}
	for last := false; ; {
		p.mu.Lock()
		now, news := is(), p.news
		p.mu.Unlock()
		switch {
		case now:
			return nil
		case last:
			return h.ended(of)
		}
		select {
		case <-news:
		case <-exited:
			last = true // its last word came before its end
		case <-h.gone:
			return h.goneError()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// idle waits until the client has rested for d since its last outcome, or
// since now where it is not at rest.
func (p *play) idle(ctx context.Context, d time.Duration) error {
	p.mu.Lock()
	since := p.lastOutcome
	if since.IsZero() || len(p.begun) > 0 {
		since = time.Now()
	}
	p.mu.Unlock()
	until := since.Add(d)
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		p.progress.Say(p.scenario.ID, fmt.Sprintf("the client rests: %.0f s to go", left.Seconds()))
		if err := await(ctx, min(left, time.Second), nil); err != nil {
			return err
		}
	}
}

// socketsAgain is how soon ss is asked again where it does not show yet what is
// waited for: the kernel tells nobody when a socket changes its state.
const socketsAgain = 10 * time.Millisecond

// shows waits until ss shows a socket of a host in a state.
func (p *play) shows(ctx context.Context, h scenario.Host, state string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Listen, fmt.Errorf("ss has not shown it for %s", p.engine.Timeouts.Listen))
	defer cancel()
	for {
		shots, err := p.snapshots(ctx, 0)
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		if slices.Contains(scenario.Shows(shots, h, 0), state) {
			return nil
		}
		if await(ctx, socketsAgain, nil) != nil {
			return context.Cause(ctx)
		}
	}
}

// quietTries is how often a machine that is busy is asked for silence, before its
// word is taken.
const quietTries = 50

// quiet waits until no segment has come for Timeouts.Quiet, at least since then. A
// machine too busy to bring a fence through well within that says nothing about
// silence.
func (p *play) quiet(ctx context.Context, since time.Time) error {
	for tries := 0; ; {
		asked := time.Now()
		if err := p.fence(ctx); err != nil {
			return err
		}
		if tries < quietTries && time.Since(asked) > p.engine.Timeouts.Quiet/2 {
			tries++
			continue
		}
		_, last, changed := p.capture.state()
		if last.Before(since) {
			last = since
		}
		left := time.Until(last.Add(p.engine.Timeouts.Quiet))
		if left <= 0 {
			return nil
		}
		if err := await(ctx, left, changed); err != nil {
			return err
		}
	}
}

// await waits until a segment has been captured after the frames that were
// there when the step before began.
func (p *play) await(ctx context.Context, want scenario.Segment) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.engine.Timeouts.Listen, fmt.Errorf("it has not been seen for %s", p.engine.Timeouts.Listen))
	defer cancel()
	for {
		_, _, changed := p.capture.state()
		if err := p.observe(); err != nil {
			return err
		}
		for _, f := range p.seen.Frames {
			if f.Time.After(p.before) && p.seen.Of(f.Src) == want.From && p.seen.Of(f.Dst) == want.To && f.Flags.String() == want.Flags {
				return nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// settle waits until what was seen is settled and the wire is quiet, or the
// time for that is over.
func (p *play) settle(ctx context.Context, settled func(scenario.Observation) bool) error {
	giveUp := time.Now().Add(p.engine.Timeouts.Settle)
	for {
		if err := p.quiet(ctx, time.Time{}); err != nil {
			return err
		}
		if err := p.observe(); err != nil {
			return err
		}
		if p.scenario.Kernel {
			p.askKernel(ctx)
		}
		if p.scenario.Want.Counters != nil {
			var err error
			if p.seen.Counters, err = p.counters(ctx); err != nil {
				return err
			}
		}
		if settled(p.seen) || time.Now().After(giveUp) {
			return nil
		}
		_, _, changed := p.capture.state()
		if err := await(ctx, p.engine.Timeouts.Quiet, changed); err != nil { // a log line may still come
			return err
		}
	}
}

// await waits for an event, at most for d.
func await(ctx context.Context, d time.Duration, event <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-event:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
