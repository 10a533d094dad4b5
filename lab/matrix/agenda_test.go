package matrix

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rstlab/lab/scenario"
)

// TestAgenda: who waits longest comes first; no more benches start at a time than
// there are cores; a shape has as many as it takes to be done with the longest;
// every cell is handed out once.
func TestAgenda(t *testing.T) {
	of := func(compose string, wait time.Duration) cell {
		return cell{scenario: scenario.Scenario{Compose: compose, Takes: wait}}
	}
	cells := []cell{of("a", time.Minute), of("b", time.Second), of("b", time.Second), of("c", 50*time.Second), of("c", 50*time.Second), of("c", 0)}
	a := newAgenda(cells, []int{0, 3, 4, 1, 2, 5}, func(c cell) string { return c.scenario.Compose })
	defer func(n int) { cores = n }(cores)
	cores = 2

	first, i, _ := a.next(nil, cells)
	assert.Equal(t, 0, i)
	c, i, _ := a.next(nil, cells)
	assert.Equal(t, 3, i)
	_, _, wait := a.next(nil, cells)
	assert.NotNil(t, wait, "two benches are being started")
	a.stands(0)
	assert.True(t, closed(wait))
	assert.True(t, a.over(first))
	assert.False(t, a.over(c))

	b, i, _ := a.next(nil, cells)
	assert.Equal(t, 1, i, "nobody plays those of b yet")
	a.stands(1)
	again, i, _ := a.next(b, cells)
	assert.Same(t, b, again)
	assert.Equal(t, 2, i)
	a.stands(3)
	_, _, wait = a.next(b, cells)
	assert.NotNil(t, wait, "one bench is enough for the 50 s of c that are left")
	c.left += time.Hour
	other, i, _ := a.next(nil, cells)
	assert.Same(t, c, other)
	assert.Equal(t, 4, i)
	a.stands(4)
	_, i, _ = a.next(c, cells)
	assert.Equal(t, 5, i)
	none, _, wait := a.next(c, cells)
	assert.Nil(t, none)
	assert.Nil(t, wait, "nothing is left")
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
