package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rstlab/lab/tcp"
)

// Explanation is what there is to say of a capture: short for the healthy,
// exact for the sick.
type Explanation struct {
	Summary  tcp.Summary
	Told     int // connections, after filters
	Early    int // of them, decided early for want of room
	Groups   []tcp.Group
	Timeouts []tcp.Timeout
	// Scenario returns the command that shows a scenario, or "" when there is
	// no such scenario.
	Scenario func(id string) string
}

// Tell writes the explanation.
func (e Explanation) Tell(p Paper) {
	s := e.Summary
	head := fmt.Sprintf("%s, %s", count(s.Frames, "packet"), count(s.Conversations, "connection"))
	if e.Told != s.Conversations {
		head += fmt.Sprintf(" (%d looked at)", e.Told)
	}
	if !s.First.IsZero() {
		head += fmt.Sprintf(", %s to %s", s.First.Format("2006-01-02 15:04:05"), s.Last.Format("15:04:05"))
	}
	p.line("%s", p.in(bold, head))
	if s.Conversations == 0 {
		p.line("no TCP connection in it")
	}
	if e.Early > 0 {
		p.line("%s decided early, those idle for longest first: too many were open at once", count(e.Early, "connection"))
	}
	if s.SeenFrom != "" {
		p.line("%s", p.in(dim, "seen from "+Printable(s.SeenFrom)))
	}
	var healthy []string
	totals, unread := map[tcp.Cause]int{}, 0
	var sick []tcp.Group
	for _, g := range e.Groups {
		if g.Healthy() {
			totals[g.Cause] += g.Count
			unread += g.Unread
			continue
		}
		sick = append(sick, g)
	}
	for _, g := range sick[:min(len(sick), stories)] {
		p.line("")
		e.group(p, g)
	}
	if more := len(sick) - stories; more > 0 {
		p.line("")
		p.line("and %s: --cause, --host and --port look at fewer, --json has all", count(more, "more paragraph"))
	}
	for _, c := range tcp.Causes {
		if n := totals[c.Cause]; n > 0 {
			healthy = append(healthy, fmt.Sprintf("%s %s", thousands(n), c.Cause))
		}
	}
	if len(healthy) > 0 {
		p.line("")
		text := strings.Join(healthy, " · ")
		if unread > 0 {
			text += fmt.Sprintf("; of %s it is not to be seen whether the last answer was whole: TLS, or a tunnel", thousands(unread))
		}
		p.labelled("healthy", text)
	}
	worth := slices.DeleteFunc(slices.Clone(e.Timeouts), func(t tcp.Timeout) bool { return !t.Sharp && t.Late == 0 || t.Idle.N < 3 })
	for i, t := range worth[:min(len(worth), timeouts)] {
		p.labelled(first(i, "timeouts"), Printable(t.Text))
	}
	if more := len(worth) - timeouts; more > 0 {
		p.labelled("", fmt.Sprintf("and %d more: --port and --host look at fewer", more))
	}
}

// How many different stories are told, and how many server endpoints' idle timeouts.
const (
	stories  = 60
	timeouts = 8
)

func (e Explanation) group(p Paper, g tcp.Group) {
	title := p.in(bold, fmt.Sprintf("%s  %s", thousands(g.Count), p.in(red, string(g.Cause))))
	clients := between(g.ClientName, g.Client)
	switch {
	case g.Count == 1:
		clients = between(g.ClientName, g.Examples[0].Client)
	case g.Clients >= tcp.MaxClients:
		clients = fmt.Sprintf("%s clients or more", thousands(g.Clients))
	case g.Clients > 1:
		clients = fmt.Sprintf("%s clients", thousands(g.Clients))
	}
	p.line("%s  %s > %s", title, clients, between(g.ServerName, g.Server))
	p.labelled("", Printable(g.Text))
	for _, c := range g.Examples {
		if c.Contradiction != "" {
			p.labelled("but", Printable(c.Contradiction))
			break
		}
	}
	e.advice(p, g.Advice)
}

// between writes an endpoint of a group: its name where it has one, "any"
// where the group gathers many.
func between[A interface {
	IsValid() bool
	String() string
}](name string, a A) string {
	switch {
	case !a.IsValid():
		return "any"
	case name == "":
		return a.String()
	}
	return Printable(name) + " " + a.String()
}

// advice writes what to do, and the scenario that shows it where there is one.
func (e Explanation) advice(p Paper, advice string) {
	if advice != "" {
		p.labelled("→", Advice(advice, e.Scenario))
	}
}

// Advice is what to do, with the command that shows the scenario which it
// names, where there is one.
func Advice(advice string, command func(id string) string) string {
	text, id, _ := strings.Cut(advice, ": lab show ")
	if show := command(id); show != "" {
		text += ": " + show
	}
	return text
}

// Sick writes one connection as it ends, for who follows a live capture.
func Sick(p Paper, c tcp.Conversation) {
	p.line("%s  %s  %s > %s  %s", p.in(dim, c.End.Format("15:04:05.000")), p.in(red, string(c.Cause)), c.Client, c.Server, Printable(c.Text))
}

// Ladder draws the segments of one connection.
func Ladder(p Paper, c tcp.Conversation) {
	title := func(name string, a netip.AddrPort) string {
		return fmt.Sprintf("%s :%d", Printable(cmp.Or(name, a.Addr().String())), a.Port())
	}
	l := ladder{lanes: []lane{{"client", title(c.ClientName, c.Client)}, {"server", title(c.ServerName, c.Server)}}}
	for _, f := range c.Segments {
		from, to := "client", "server"
		if f.Src == c.Server {
			from, to = to, from
		}
		l.rungs = append(l.rungs, rung{at: f.Time, frame: &f, from: from, to: to})
	}
	l.draw(p)
}

// Clues writes what each line may mean when there is no capture to decide;
// lines that mean the same are one paragraph, and a cause is defined once.
func Clues(p Paper, clues []tcp.Clue) {
	type key struct{ source, means, causes, decide string }
	more := map[key]int{}
	var first []tcp.Clue
	of := func(c tcp.Clue) key { return key{c.Source, c.Means, fmt.Sprint(c.Causes), c.Decide} }
	for _, c := range clues {
		if k := of(c); more[k] == 0 {
			first = append(first, c)
		}
		more[of(c)]++
	}
	defined := map[tcp.Cause]bool{}
	for i, c := range first {
		var causes []string
		for _, cause := range c.Causes {
			text := string(cause)
			if !defined[cause] {
				defined[cause] = true
				text += " (" + cause.Info().Says + ")"
			}
			causes = append(causes, text)
		}
		if i > 0 {
			p.line("")
		}
		p.line("%s", Printable(c.Line))
		if n := more[of(c)] - 1; n > 0 {
			p.labelled("more", fmt.Sprintf("%s like it", count(n, "line")))
		}
		if c.Means != "" {
			p.labelled("means", Printable(c.Means))
		}
		if len(causes) > 0 {
			p.labelled("may be", strings.Join(causes, "; "))
		}
		p.labelled("decide", Printable(c.Decide))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands writes 25642 as 25,642.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Instant reads a moment of a capture: a whole time, or one of the capture's
// first day.
func Instant(s string, day time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			day = day.In(time.Local)
			return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local), nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q: want 15:04:05, or 2006-01-02 15:04:05", s)
}

// SortedCauses returns the names of all causes, for help and completion.
func SortedCauses() []string {
	var names []string
	for _, c := range tcp.Causes {
		names = append(names, string(c.Cause))
	}
	slices.Sort(names)
	return names
}
