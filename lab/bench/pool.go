package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Pool keeps benches that stand between two plays, because to start one costs
// more than all else that the lab does: hosts, network and taps stay, what ran
// in them and what they remember does not (Bench.Reset).
type Pool struct {
	engine *Engine
	images map[string]string
	keep   bool // the benches stand on when this process has ended

	mu       sync.Mutex
	free     []*Bench // the one that was used last is the last
	most     int      // benches that may stand, in use or not
	all      int
	crowded  bool          // the engine had no room for another network
	returned chan struct{} // closed and made anew when a bench is given back
}

// NewPool returns an empty pool of at most so many benches.
func (e *Engine) NewPool(images map[string]string, keep bool, most int) *Pool {
	return &Pool{engine: e, images: images, keep: keep, most: most, returned: make(chan struct{})}
}

// Get returns a clean bench for a topology: one that stands, or else a new one.
// Where the engine has no room for another network it waits until one of the
// pool's is given back.
func (p *Pool) Get(ctx context.Context, t *Topology) (*Bench, error) {
	for {
		b, old := p.take(t.Shape(p.images))
		if b != nil {
			b.topology = t
			return b, nil
		}
		if old != nil {
			old.Remove()
		}
		b, err := p.engine.Stand(ctx, t, p.images, p.keep)
		if err == nil {
			return b, nil
		}
		p.mu.Lock()
		p.all--
		others, returned := p.all, p.returned
		p.crowded = p.crowded || errors.Is(err, errNoSubnet)
		p.mu.Unlock()
		if !errors.Is(err, errNoSubnet) || others == 0 {
			return nil, err
		}
		select {
		case <-returned:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take takes a free bench of a shape, or else counts one that is to be made and
// returns a bench that must make room for it, if any.
func (p *Pool) take(shape string) (b, old *Bench) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range slices.Backward(p.free) {
		if b.topology.Shape(p.images) == shape {
			p.free = slices.Delete(p.free, i, i+1)
			return b, nil
		}
	}
	if (p.all >= p.most || p.crowded) && len(p.free) > 0 {
		old, p.free = p.free[0], p.free[1:]
		p.all--
	}
	p.all++
	return nil, old
}

// Put gives a bench back. One that cannot be shown clean is removed.
func (p *Pool) Put(ctx context.Context, b *Bench) {
	if b.Reset(ctx) != nil {
		p.Remove(b)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, b)
	p.wake()
}

// Remove removes a bench that is not to be played on again.
func (p *Pool) Remove(b *Bench) {
	b.Remove()
	p.Leave()
}

// Leave lets a bench out of the pool's hands: it is gone, or stands on.
func (p *Pool) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	p.wake()
}

// wake tells who waits for room that there may be some.
func (p *Pool) wake() {
	close(p.returned)
	p.returned = make(chan struct{})
}

// Close removes the benches that stand.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all together
	for _, b := range p.free {
		all.do(func() error { b.Remove(); return nil })
	}
	_ = all.wait() // Remove has no error
	p.free = nil
}

// Shape is all of a topology that its containers are made of: what a play
// brings along, nginx's config, is none of it. Plays of one shape can share a
// bench.
func (t *Topology) Shape(images map[string]string) string {
	var shape string
	for _, s := range t.services {
		shape += fmt.Sprintln(s.name, images[s.image], s.aliases, s.shares, s.capAdd, s.capDrop, s.sysctls)
	}
	return shape
}
