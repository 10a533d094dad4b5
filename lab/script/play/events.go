package play

import (
	"errors"
	"sync"
)

// Events is what the conductor has told the scripts of a program.
type Events struct {
	mu    sync.Mutex
	told  map[string]int
	ended bool
	heard sync.Cond
}

// NewEvents returns the events of a program that has been told none.
func NewEvents() *Events {
	e := &Events{told: map[string]int{}}
	e.heard.L = &e.mu
	return e
}

// Tell tells an event.
func (e *Events) Tell(event string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told[event]++
	e.heard.Broadcast()
}

// End says that nothing more will be told: whoever waits has failed.
func (e *Events) End() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	e.heard.Broadcast()
}

var errNeverTold = errors.New("wait: the event was never told")

// wait waits until the event has been told so many times.
func (e *Events) wait(event string, times int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.told[event] < times {
		if e.ended {
			return errNeverTold
		}
		e.heard.Wait()
	}
	return nil
}
