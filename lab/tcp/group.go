package tcp

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Groups gathers conversations that tell the same story: the same cause at the
// same server, closed and reset by the same sides, whoever the clients were. It
// keeps a few examples and the spread of the times, not the conversations.
type Groups struct {
	byKey map[groupKey]*Group
	order []*Group
	told  int // clients told apart, over all groups
}

type groupKey struct {
	cause           Cause
	server          netip.AddrPort
	closedBy, reset Side
	during          During // of an abort: what it cut off
	logged          bool   // nginx's error log speaks of it
	alert           string
	alertBy         Side
	doubt           string
}

// maxGroups bounds what an endless stream can make of different stories; what
// comes beyond is counted with its cause only.
const maxGroups = 1 << 14

// maxTold bounds the clients that are told apart over all groups: beyond it it is
// not counted how many.
const maxTold = 1 << 18

// A Group is a story that one or more conversations share.
type Group struct {
	Cause      Cause          `json:"cause"`
	Client     netip.Addr     `json:"client,omitzero"` // zero where there are several
	Clients    int            `json:"clients"`         // how many, counted up to MaxClients
	Server     netip.AddrPort `json:"server,omitzero"`
	ClientName string         `json:"client_name,omitempty"`
	ServerName string         `json:"server_name,omitempty"`
	ClosedBy   Side           `json:"closed_by"`
	ResetBy    Side           `json:"reset_by"`
	Count      int            `json:"count"`
	Idle       Spread         `json:"idle"`             // seconds without data before the first FIN or RST
	Reuse      Spread         `json:"reuse"`            // seconds from the FIN to the data that came after it
	Unread     int            `json:"unread,omitempty"` // of Count: whether the last answer was whole is not to be seen
	Logged     bool           `json:"logged,omitempty"` // nginx's error log speaks of each
	Alert      string         `json:"alert,omitempty"`  // the fatal TLS alert in each
	Advice     string         `json:"advice,omitempty"`
	Text       string         `json:"text"`     // one paragraph
	Examples   []Conversation `json:"examples"` // the first ones

	clients map[netip.Addr]struct{}
	reasons map[string]int // the kernels', and how often
}

// MaxClients is how many clients of a group are told apart.
const MaxClients = 1 << 10

const groupExamples = 3

// maxReasons bounds the kernels' reasons that are told apart: there are about
// thirty, but a trace is a text.
const maxReasons = 64

// Add takes in one more conversation.
func (g *Groups) Add(c Conversation) {
	k := groupKey{c.Cause, c.Server, c.ClosedBy, c.ResetBy, DuringUnknown, c.Log != "", c.Alert, c.AlertBy, c.Doubt}
	if c.Cause == CauseAborted {
		k.during = c.During
	}
	if g.byKey == nil {
		g.byKey = map[groupKey]*Group{}
	}
	if g.byKey[k] == nil && len(g.byKey) >= maxGroups {
		k = groupKey{cause: c.Cause, logged: c.Log != ""}
	}
	v := g.byKey[k]
	if v == nil {
		v = &Group{Cause: k.cause, Client: c.Client.Addr(), Server: k.server, ClosedBy: c.ClosedBy, ResetBy: c.ResetBy,
			ClientName: c.ClientName, ServerName: c.ServerName, Logged: k.logged, Alert: k.alert, Advice: c.Advice, clients: map[netip.Addr]struct{}{}, reasons: map[string]int{}}
		g.byKey[k] = v
		g.order = append(g.order, v)
	}
	v.Count++
	if c.Doubt == wholeUnseen {
		v.Unread++
	}
	if v.Client != c.Client.Addr() {
		v.Client, v.ClientName = netip.Addr{}, ""
	}
	if _, known := v.clients[c.Client.Addr()]; !known && len(v.clients) < MaxClients && g.told < maxTold {
		v.clients[c.Client.Addr()] = struct{}{}
		v.Clients = len(v.clients)
		g.told++
	}
	if c.ClosedBy != None && c.Idle > 0 {
		v.Idle.add(c.Idle)
	}
	if c.Reuse > 0 {
		v.Reuse.add(c.Reuse)
	}
	if c.Reason != "" && (len(v.reasons) < maxReasons || v.reasons[c.Reason] > 0) {
		v.reasons[c.Reason]++
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

// Healthy says whether a connection needs nobody's attention: nginx has nothing to
// say of it either, and neither end has sent a TLS alert, or GOAWAY with a reason.
func (c *Conversation) Healthy() bool { return c.Cause.Healthy() && c.Log == "" && c.Alert == "" }

// Healthy says whether the group needs nobody's attention.
func (g *Group) Healthy() bool { return g.Cause.Healthy() && !g.Logged && g.Alert == "" }

// List gives the groups, the sick before the healthy, the many before the few.
func (g *Groups) List() []Group {
	var list []Group
	for _, v := range g.order {
		v.Text = v.text()
		list = append(list, *v)
	}
	slices.SortStableFunc(list, func(a, b Group) int {
		if h := cmp.Compare(btoi(a.Healthy()), btoi(b.Healthy())); h != 0 {
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

// text says what the conversations of the group have in common. The numbers
// take the place of the cause's definition where they say the same.
func (g *Group) text() string {
	if g.Count == 1 {
		return g.Examples[0].Text
	}
	e := g.Examples[0]
	who, other := "the "+string(g.ClosedBy), Client
	if g.ClosedBy == Client {
		other = Server
	}
	if g.ClosedBy == Both {
		who = "both sides"
	}
	timed := g.ClosedBy != None && g.Idle.N > 1 && g.Idle.Quantile(0.5) >= 0.1
	closed := who + " closed"
	if timed {
		closed += " after " + g.Idle.median() + " idle" + g.Idle.around()
	}
	asked := "requests came"
	if e.Protocol != "http/1" {
		asked = "times data came"
	}
	if g.Reuse.N > 1 {
		if lo, hi, unit := extent(g.Reuse.Min, g.Reuse.Max); lo != hi {
			asked += " " + lo + " to " + hi + unit + " after that"
		} else {
			asked += " " + span(seconds(g.Reuse.Min)) + " after that"
		}
	}
	var text string
	switch {
	case g.Cause == CauseStaleIdle:
		text = fmt.Sprintf("%s; %d %s and were answered with RST", closed, g.Count, asked)
	case g.Cause == CauseStaleFinLost:
		text = fmt.Sprintf("%s, but its FIN did not arrive; %d %s and were answered with RST", closed, g.Count, asked)
	case g.Cause == CauseStaleCrossing:
		text = fmt.Sprintf("%s, and each time a request was on its way; %d were answered with RST", closed, g.Count)
	case g.Cause == CauseAborted:
		text = fmt.Sprintf("the %s reset the connection without FIN%s, %d times", g.ResetBy, cutOff[e.During], g.Count)
	case timed && g.Cause == CauseClosed:
		text = fmt.Sprintf("%s, %d times", closed, g.Count)
	case timed && g.Cause == CauseDiscarded:
		text = fmt.Sprintf("%s; the %s threw its end away with RST, %d times, and nothing was lost", closed, g.ResetBy, g.Count)
	case timed && g.Cause == CauseHalfClosed && g.ClosedBy != Both:
		text = fmt.Sprintf("%s and the %s did not, %d times", closed, other, g.Count)
	case g.Cause == CauseUnexplained && timed:
		text = fmt.Sprintf("%s, %d times: %s", strings.Replace(closed, " idle", " without data", 1), g.Count, e.Doubt)
	case g.Cause == CauseUnexplained && g.ClosedBy != None && g.Idle.N == g.Count && g.Idle.Max < 0.1:
		text = fmt.Sprintf("%s right after the last data, %d times: %s", closed, g.Count, e.Doubt)
	case g.Cause == CauseUnexplained && g.ClosedBy != None:
		text = fmt.Sprintf("%s first, %d times: %s", closed, g.Count, e.Doubt)
	case g.Cause == CauseUnexplained:
		text = fmt.Sprintf("%d times: %s", g.Count, e.Doubt)
	case timed:
		text = fmt.Sprintf("%s, %d times, %s after the last data%s", g.Cause.Info().Says, g.Count, g.Idle.median(), g.Idle.around())
	default:
		text = fmt.Sprintf("%s, %d times", g.Cause.Info().Says, g.Count)
	}
	first := fmt.Sprintf("port %d", e.Client.Port())
	if !g.Client.IsValid() {
		first = e.Client.String()
	}
	text = fmt.Sprintf("%s. First: %s", text, first)
	if len(e.Frames) > 0 {
		text += ", frames " + numbers(e.Frames)
	}
	text += "."
	for _, reason := range slices.SortedFunc(maps.Keys(g.reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(g.reasons[b], g.reasons[a]), cmp.Compare(a, b))
	}) {
		times := fmt.Sprintf("%d times", g.reasons[reason])
		if g.reasons[reason] == 1 {
			times = "once"
		}
		text += fmt.Sprintf(" The kernel's reason, %s: %s", times, reason)
		if means := kernelReasons[reason].means; means != "" {
			text += ", " + means
		}
		text += "."
	}
	if g.Alert != "" {
		text += fmt.Sprintf(" The %s had %s.", e.AlertBy, alertText(g.Alert))
	}
	if g.Logged {
		text += fmt.Sprintf(" nginx's error log of it: %q.", e.Log)
	}
	return text
}

// cutOff is what an abort meets.
var cutOff = map[During]string{
	DuringIdle:     " while it was idle",
	DuringRequest:  " inside a request",
	DuringAwaiting: " before a byte of the answer",
	DuringResponse: " inside an answer",
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

// String is the median, and how far the others are from it where they are:
// "60.0 s (59.98 to 60.02 s, 311 samples)".
func (s Spread) String() string {
	if s.N == 0 {
		return "no samples"
	}
	text := s.median()
	if s.N == 1 {
		return text
	}
	lo, hi, unit := extent(s.Min, s.Max)
	if lo == hi {
		return fmt.Sprintf("%s (%d samples)", text, s.N)
	}
	return fmt.Sprintf("%s (%s to %s%s, %d samples)", text, lo, hi, unit, s.N)
}

// median is the value in the middle, as people say it: rounded no further than the
// others reach.
func (s Spread) median() string {
	mid := s.Quantile(0.5)
	rounded := math.Round(mid*10) / 10
	if lo, hi, unit := extent(s.Min, s.Max); lo != hi && unit == " s" && mid >= 1 && (rounded < s.Min || rounded > s.Max) {
		return strconv.FormatFloat(mid, 'f', 2, 64) + unit
	}
	return span(seconds(mid))
}

// around is what follows a median in a sentence: " (59.98 to 60.02, 311
// samples)", with the unit only where it is another.
func (s Spread) around() string {
	lo, hi, unit := extent(s.Min, s.Max)
	if unit == " s" && s.Quantile(0.5) >= 1 {
		unit = ""
	}
	if lo == hi {
		return fmt.Sprintf(" (%d samples)", s.N)
	}
	return fmt.Sprintf(" (%s to %s%s, %d samples)", lo, hi, unit, s.N)
}

// extent writes two times in one unit, as exactly as tells them apart.
func extent(min, max float64) (lo, hi, unit string) {
	unit = " s"
	if max < 1 {
		min, max, unit = min*1000, max*1000, " ms"
	}
	decimals := 2
	if max-min >= 1 {
		decimals = 1
	}
	if max-min >= 100 {
		decimals = 0
	}
	return strconv.FormatFloat(min, 'f', decimals, 64), strconv.FormatFloat(max, 'f', decimals, 64), unit
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }
