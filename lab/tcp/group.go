package tcp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Groups gathers conversations that tell the same story: the same cause between
// the same hosts, closed and reset by the same sides. It keeps a few examples
// and the spread of the times, not the conversations.
type Groups struct {
	byKey map[groupKey]*Group
	order []*Group
}

type groupKey struct {
	cause           Cause
	client          netip.Addr
	server          netip.AddrPort
	closedBy, reset Side
}

// maxGroups bounds what an endless stream can make of different stories; what
// comes beyond is counted with its cause only.
const maxGroups = 1 << 14

// A Group is a story that one or more conversations share.
type Group struct {
	Cause      Cause          `json:"cause"`
	Client     netip.Addr     `json:"client,omitzero"` // zero in the group that gathers the rest
	Server     netip.AddrPort `json:"server,omitzero"`
	ClientName string         `json:"client_name,omitempty"`
	ServerName string         `json:"server_name,omitempty"`
	ClosedBy   Side           `json:"closed_by"`
	ResetBy    Side           `json:"reset_by"`
	Count      int            `json:"count"`
	Idle       Spread         `json:"idle"`  // seconds without data before the first FIN or RST
	Reuse      Spread         `json:"reuse"` // seconds from the FIN to the data that came after it
	Advice     string         `json:"advice,omitempty"`
	Text       string         `json:"text"`     // one paragraph
	Examples   []Conversation `json:"examples"` // the first ones
}

const groupExamples = 3

// Add takes in one more conversation.
func (g *Groups) Add(c Conversation) {
	k := groupKey{c.Cause, c.Client.Addr(), c.Server, c.ClosedBy, c.ResetBy}
	if g.byKey == nil {
		g.byKey = map[groupKey]*Group{}
	}
	if g.byKey[k] == nil && len(g.byKey) >= maxGroups {
		k = groupKey{cause: c.Cause}
	}
	v := g.byKey[k]
	if v == nil {
		v = &Group{Cause: k.cause, Client: k.client, Server: k.server, ClosedBy: c.ClosedBy, ResetBy: c.ResetBy,
			ClientName: c.ClientName, ServerName: c.ServerName, Advice: c.Advice}
		g.byKey[k] = v
		g.order = append(g.order, v)
	}
	v.Count++
	if c.ClosedBy != None && c.Idle > 0 {
		v.Idle.add(c.Idle)
	}
	if c.Reuse > 0 {
		v.Reuse.add(c.Reuse)
	}
	if len(v.Examples) < groupExamples {
		c.Segments = nil
		v.Examples = append(v.Examples, c)
	}
}

// Healthy says whether a cause needs nobody's attention.
func (c Cause) Healthy() bool {
	switch c {
	case CauseClosed, CauseDiscarded, CauseOpen, CauseHalfClosed:
		return true
	}
	return false
}

// List gives the groups, the sick before the healthy, the many before the few.
func (g *Groups) List() []Group {
	var list []Group
	for _, v := range g.order {
		v.Text = v.text()
		list = append(list, *v)
	}
	slices.SortStableFunc(list, func(a, b Group) int {
		if h := cmp.Compare(btoi(a.Cause.Healthy()), btoi(b.Cause.Healthy())); h != 0 {
			return h
		}
		return cmp.Compare(b.Count, a.Count)
	})
	return list
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (g *Group) text() string {
	if g.Count == 1 {
		return g.Examples[0].Text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d times", g.Cause.Info().Says, g.Count)
	if g.ClosedBy != None && g.Idle.N > 1 {
		fmt.Fprintf(&b, "; the %s closed after %s s idle", g.ClosedBy, g.Idle)
		if v, ok := g.Idle.Timeout(); ok {
			fmt.Fprintf(&b, ": an idle timeout of %s s", seconds(v))
		}
	}
	if g.Reuse.N > 1 {
		fmt.Fprintf(&b, "; data came %s to %s s after that", seconds(g.Reuse.Min), seconds(g.Reuse.Max))
	}
	e := g.Examples[0]
	fmt.Fprintf(&b, ". First: port %d, frames %s.", e.Client.Port(), numbers(e.Frames))
	return b.String()
}

func numbers(ns []int) string {
	var s []string
	for _, n := range ns {
		s = append(s, fmt.Sprint(n))
	}
	return strings.Join(s, ", ")
}

// Spread is the distribution of some seconds. It keeps an even sample of at
// most spreadKeep of them.
type Spread struct {
	N    int       `json:"n"`
	Min  float64   `json:"min"`
	Max  float64   `json:"max"`
	kept []float64 // every step-th
	step int
}

const spreadKeep = 1024

func (s *Spread) add(v float64) {
	if s.N == 0 {
		s.Min, s.Max, s.step = v, v, 1
	}
	if s.N%s.step == 0 {
		if len(s.kept) == spreadKeep {
			for i := range spreadKeep / 2 {
				s.kept[i] = s.kept[2*i]
			}
			s.kept, s.step = s.kept[:spreadKeep/2], 2*s.step
		}
		s.kept = append(s.kept, v)
	}
	s.N++
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}

// Quantile gives the value below which the share q of the sample lies.
func (s Spread) Quantile(q float64) float64 {
	if len(s.kept) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(s.kept))
	return v[int(q*float64(len(v)-1)+0.5)]
}

// Timeout says whether the values look like one timer's: at least three, and
// nine in ten within 2 % or 0.2 s of each other.
func (s Spread) Timeout() (float64, bool) {
	lo, hi := s.Quantile(0.05), s.Quantile(0.95)
	mid := s.Quantile(0.5)
	return mid, s.N >= 3 && mid >= 0.5 && hi-lo <= max(0.02*mid, 0.2)
}

func (s Spread) String() string {
	return fmt.Sprintf("%s (%s to %s, %d samples)", seconds(s.Quantile(0.5)), seconds(s.Min), seconds(s.Max), s.N)
}

func seconds(v float64) string {
	switch {
	case v < 0.01:
		return fmt.Sprintf("%.4f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.1f", v)
}
