package matrix

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	besides   = 500 * time.Millisecond // what a play takes beside its waits
	startCost = 5 * time.Second        // what another bench must save at least
	leastTime = 25 * time.Second       // in which all may be done, though none waits for so long
)

// cores is how many benches are started at a time.
var cores = runtime.NumCPU()

// agenda hands the cells out to benches. To start a bench costs more than a
// play, so the cells of one shape are played by as few benches as it takes to be
// done when the cell that waits longest is; where they fall behind, a bench that
// has nothing left to do makes room for one of theirs.
type agenda struct {
	mu      sync.Mutex
	shapes  []*shape
	done    time.Time     // when all should be
	changed chan struct{} // closed and made anew when there may be something for who waits

	// fresh are the cells for which a bench is being started: no more at a time
	// than there are cores, for that is work, and so the first are done first.
	fresh map[int]bool
}

// shape is the cells that benches of one shape can play.
type shape struct {
	cells   []int         // left, in order
	left    time.Duration // that one bench would take for them
	benches int           // that take from them
}

// newAgenda takes the cells in their order; shapeOf tells which go together.
func newAgenda(cells []cell, order []int, shapeOf func(cell) string) *agenda {
	a := &agenda{changed: make(chan struct{}), fresh: map[int]bool{}}
	of := map[string]*shape{}
	longest := leastTime
	for _, i := range order {
		name := shapeOf(cells[i])
		s := of[name]
		if s == nil {
			s = &shape{}
			of[name] = s
			a.shapes = append(a.shapes, s)
		}
		s.cells = append(s.cells, i)
		s.left += cells[i].takes()
		longest = max(longest, cells[i].scenario.Waits())
	}
	a.done = time.Now().Add(longest)
	return a
}

// next gives a bench of a shape (nil: of none yet) its next cell and the shape
// which that is of. With no cell for it, but some left, it returns what to wait
// for; with none left, nothing.
func (a *agenda) next(mine *shape, cells []cell) (*shape, int, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := mine == nil || len(mine.cells) == 0
	if fresh {
		if mine != nil {
			mine.benches--
		}
		if mine = a.neediest(); mine == nil || len(a.fresh) == cores {
			if !slices.ContainsFunc(a.shapes, func(s *shape) bool { return len(s.cells) > 0 }) {
				return nil, 0, nil
			}
			return nil, 0, a.changed
		}
		mine.benches++
	}
	i := mine.cells[0]
	mine.cells = mine.cells[1:]
	mine.left -= cells[i].takes()
	if fresh {
		a.fresh[i] = true
	}
	a.wake()
	return mine, i, nil
}

// stands tells that the bench for a cell stands, or could not be started.
func (a *agenda) stands(i int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.fresh, i)
	a.wake()
}

func (a *agenda) wake() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// over says whether nothing is left for the benches of a shape.
func (a *agenda) over(s *shape) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(s.cells) == 0
}

// neediest returns the first shape that nobody plays, or else the one whose
// benches will be the last to be done, if that is too late.
func (a *agenda) neediest() *shape {
	late := max(time.Until(a.done), startCost)
	var most *shape
	for _, s := range a.shapes {
		switch {
		case len(s.cells) == 0:
		case s.benches == 0:
			return s
		default:
			if left := s.left / time.Duration(s.benches); left > late {
				most, late = s, left
			}
		}
	}
	return most
}

func (c cell) takes() time.Duration { return c.scenario.Waits() + besides }
