package report

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Progress shows what goes on while there is nothing to tell yet: on a
// terminal one line, drawn again; elsewhere a line for what has ended, and one
// for each stage that lasts, so that nobody thinks it hangs. The nil Progress
// shows nothing.
type Progress struct {
	paper Paper
	quit  chan struct{}
	once  sync.Once

	mu     sync.Mutex
	topics []*topic
	drawn  bool
}

type topic struct {
	name, doing string
	since       time.Time
	staged      time.Time       // when its stage began
	told        map[string]bool // the stages that have a line
}

// stage is what kind of thing a topic does: its first word. What counts down or
// names one package after the other is one stage.
func stage(doing string) string {
	word, _, _ := strings.Cut(doing, " ")
	return word
}

const (
	redraw = 200 * time.Millisecond
	lasts  = 2 * time.Second // a stage that has a line where lines cannot be drawn again
)

// NewProgress begins to show progress. Close ends it.
func NewProgress(p Paper) *Progress {
	g := &Progress{paper: p, quit: make(chan struct{})}
	go func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				g.mu.Lock()
				g.show()
				g.mu.Unlock()
			case <-g.quit:
				return
			}
		}
	}()
	return g
}

// Say tells what a topic is at.
func (g *Progress) Say(name, doing string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	i := slices.IndexFunc(g.topics, func(t *topic) bool { return t.name == name })
	if i < 0 {
		g.topics = append(g.topics, &topic{name: name, doing: doing, since: now, staged: now, told: map[string]bool{}})
		return
	}
	t := g.topics[i]
	if stage(t.doing) != stage(doing) {
		t.staged = now
	}
	t.doing = doing
}

// Done tells how a topic ended; "" when that is told elsewhere.
func (g *Progress) Done(name, how string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	took := ""
	g.topics = slices.DeleteFunc(g.topics, func(t *topic) bool {
		if t.name == name {
			if d := time.Since(t.since); d > time.Second && !strings.Contains(how, " s") {
				took = fmt.Sprintf(", %.0f s", d.Seconds())
			}
		}
		return t.name == name
	})
	if how != "" {
		g.write("%s: %s%s", name, how, took)
	}
}

// Above runs f, which writes to the same terminal, with the progress out of
// its way.
func (g *Progress) Above(f func()) {
	if g == nil {
		f()
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clear()
	f()
}

// Close ends the progress and leaves a clean line.
func (g *Progress) Close() {
	if g == nil {
		return
	}
	g.once.Do(func() {
		close(g.quit)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.clear()
		g.topics = nil
	})
}

func (g *Progress) write(format string, args ...any) {
	g.clear()
	g.paper.line("%s", g.paper.in(dim, clip(fmt.Sprintf(format, args...), g.paper.Width)))
}

func (g *Progress) clear() {
	if g.drawn {
		fmt.Fprint(g.paper, "\r\x1b[K")
		g.drawn = false
	}
}

func (g *Progress) show() {
	switch {
	case len(g.topics) == 0:
	case g.paper.Live:
		parts := make([]string, len(g.topics))
		for i, t := range g.topics {
			parts[i] = t.name + " ▸ " + t.doing
		}
		g.clear()
		fmt.Fprint(g.paper, g.paper.in(dim, clip(strings.Join(parts, "   "), g.paper.Width-1)))
		g.drawn = true
	default:
		for _, t := range g.topics {
			if s := stage(t.doing); !t.told[s] && time.Since(t.staged) >= lasts {
				t.told[s] = true
				g.write("%s ▸ %s", t.name, t.doing)
			}
		}
	}
}
