package tcp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Timeouts finds, from the gaps alone, the idle timeout that each server
// endpoint seems to have, and which side's clock it is.
type Timeouts struct {
	byKey map[timeoutKey]*Timeout
	reuse map[netip.AddrPort]*Spread // gaps after which a connection was used again in time
}

type timeoutKey struct {
	server netip.AddrPort
	by     Side
}

// A Timeout is the idle time after which one side closes the connections of a
// server endpoint.
type Timeout struct {
	Server     netip.AddrPort `json:"server"`
	ServerName string         `json:"server_name,omitempty"`
	By         Side           `json:"by"`      // who closes first
	Seconds    float64        `json:"seconds"` // median
	Idle       Spread         `json:"idle"`
	Sharp      bool           `json:"sharp"`    // the samples look like one timer's
	Promised   int            `json:"promised"` // seconds in the server's own Keep-Alive header, 0 without
	Near       int            `json:"near"`     // connections that were used again in the last tenth of that time
	Late       int            `json:"late"`     // connections that were used after it: stale
	Text       string         `json:"text"`     // "" when there are too few samples to say anything
}

// Add takes in one more conversation.
func (t *Timeouts) Add(c Conversation) {
	if t.byKey == nil {
		t.byKey, t.reuse = map[timeoutKey]*Timeout{}, map[netip.AddrPort]*Spread{}
	}
	if c.LongestRest > 0 && len(t.reuse) < maxGroups {
		if t.reuse[c.Server] == nil {
			t.reuse[c.Server] = &Spread{}
		}
		t.reuse[c.Server].add(c.LongestRest)
	}
	// Only a close of an idle connection tells of a timer; one that comes at
	// once after an answer was announced or is another story.
	idle := c.During == DuringIdle || c.Protocol != "http/1" && c.During == DuringUnknown
	if c.ClosedBy != Client && c.ClosedBy != Server || !idle || c.Idle < 0.2 || c.Basis == Inferred || c.Cause == CauseUnexplained {
		return
	}
	k := timeoutKey{c.Server, c.ClosedBy}
	v := t.byKey[k]
	if v == nil {
		if len(t.byKey) >= maxGroups {
			return
		}
		v = &Timeout{Server: c.Server, ServerName: c.ServerName, By: c.ClosedBy}
		t.byKey[k] = v
	}
	v.Idle.add(c.Idle)
	v.Promised = max(v.Promised, c.KeepAlive)
	switch c.Cause {
	case CauseStaleIdle, CauseStaleFinLost, CauseStaleCrossing:
		v.Late++
	}
}

// List gives the timeouts, those with the most samples first.
func (t *Timeouts) List() []Timeout {
	var list []Timeout
	for _, v := range t.byKey {
		v.Seconds, v.Sharp = v.Idle.Timeout()
		if r := t.reuse[v.Server]; r != nil && v.Sharp {
			v.Near = int(r.share(0.9*v.Seconds, v.Seconds)*float64(r.N) + 0.5)
		}
		v.Text = v.text()
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b Timeout) int {
		return cmp.Or(cmp.Compare(b.Idle.N, a.Idle.N), a.Server.Compare(b.Server), cmp.Compare(a.By, b.By))
	})
	return list
}

// share is the part of the sample that lies from lo to hi.
func (s Spread) share(lo, hi float64) float64 {
	n := 0
	for _, v := range s.kept {
		if v >= lo && v <= hi {
			n++
		}
	}
	return float64(n) / float64(max(len(s.kept), 1))
}

func (t *Timeout) text() string {
	name := t.Server.String()
	if t.ServerName != "" {
		name = fmt.Sprintf("%s (%s)", t.ServerName, t.Server)
	}
	if !t.Sharp && t.Idle.N < 3 {
		return ""
	}
	var b strings.Builder
	who := "it"
	if t.By == Client {
		who = "its clients"
	}
	if t.Sharp {
		fmt.Fprintf(&b, "%s: idle connections are closed by %s after %s", name, who, t.Idle)
	} else {
		fmt.Fprintf(&b, "%s: no one idle timeout to be seen; connections are closed by %s after %s", name, who, t.Idle)
	}
	if t.Promised > 0 && t.By == Server {
		fmt.Fprintf(&b, "; its Keep-Alive header promises %d s", t.Promised)
	}
	if t.Late > 0 {
		fmt.Fprintf(&b, "; %s came too late", requests(t.Late))
	}
	if t.Near > 0 && t.By == Server {
		fmt.Fprintf(&b, "; %s came in the last tenth of that time, just soon enough", requests(t.Near))
	}
	b.WriteByte('.')
	return b.String()
}

func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}
