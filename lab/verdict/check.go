package verdict

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// Check returns every difference between what s declares and what o holds, in
// the order in which a reader wants to know: the client's view, nginx's, the
// wire. Where s declares alternatives (Or) and one of them has no difference,
// there is none, and shown is its number, from 1; 0 is Want itself.
func Check(s scenario.Scenario, o scenario.Observation) (shown int, all []Difference) {
	_, version, _ := strings.Cut(o.Versions[scenario.Nginx], " ")
	wants := append([]scenario.Want{s.WantOf(version)}, s.Or...)
	var first []Difference
	for i, want := range wants {
		s.Want = want
		var all []Difference
		for _, part := range []func(scenario.Scenario, scenario.Observation) []Difference{
			replies, ran, errorLog, info, accessLog, sockets, wire, allResets, ends, counters,
		} {
			all = append(all, part(s, o)...)
		}
		if len(all) == 0 {
			return i, nil
		}
		if i == 0 {
			first = all
		}
	}
	return 0, first
}

// Share returns how the share of plays that showed what s wants, so many of so
// many, differs from what s declares; nil when it does not.
func Share(s scenario.Scenario, shown, plays int) *Difference {
	of := max(plays, s.Runs)
	from, to := wholePlays(s, of)
	if plays >= s.Runs && shown >= from && shown <= to {
		return nil
	}
	return &Difference{What: "share of the plays that show it",
		Want: fmt.Sprintf("%d to %d of %d", from, to, of), Got: fmt.Sprintf("%d of %d", shown, plays)}
}

// wholePlays returns how many of so many plays, from and to, must show what s
// wants.
func wholePlays(s scenario.Scenario, plays int) (from, to int) {
	const tiny = 1e-9 // 0.55 of 20 are 11 plays, and floating point has a little more
	return int(math.Ceil(s.Share[0]*float64(plays) - tiny)), int(math.Floor(s.Share[1]*float64(plays) + tiny))
}

// ran compares what the back ends ran, where that is declared.
func ran(s scenario.Scenario, o scenario.Observation) []Difference {
	if s.Want.Ran == nil {
		return nil
	}
	same := func(s string) string { return s }
	return inOrder("run by the back end", s.Want.Ran, o.Ran, func(w, g string) bool { return w == g }, same, same, nil)
}

// counters finds the declared kernel counters among those that moved.
func counters(s scenario.Scenario, o scenario.Observation) []Difference {
	var all []Difference
	for _, want := range s.Want.Counters {
		if !slices.ContainsFunc(o.Counters[want.Host], func(c scenario.Counter) bool { return c.Name == want.Name }) {
			all = append(all, Difference{What: fmt.Sprintf("counter %s on %s", want.Name, want.Host), Want: "it moved", Got: "it did not"})
		}
	}
	return all
}

// wanted returns the declared replies with the default written out.
func wanted(s scenario.Scenario) []scenario.Reply {
	if s.Want.Replies != nil {
		return s.Want.Replies
	}
	return slices.Repeat([]scenario.Reply{{Status: 200}}, s.Requests())
}

func replies(s scenario.Scenario, o scenario.Observation) []Difference {
	var all []Difference
	want := wanted(s)
	conns := connections(o.Outcomes)
	for i := range max(len(want), len(o.Outcomes)) {
		d := Difference{What: fmt.Sprintf("reply %d", i+1), Want: "none", Got: "none"}
		if i < len(want) {
			d.Want = describeReply(want[i])
		}
		if i < len(o.Outcomes) {
			got := o.Outcomes[i]
			if i < len(want) && matchesReply(want[i], got, conns[i]) {
				continue
			}
			d.Got = describeOutcome(got, conns[i])
			if i < len(want) && want[i].Body != "" {
				d.Got += fmt.Sprintf(", with %q", got.Body)
			}
			if i < len(want) && want[i].Bytes != 0 {
				d.Got += fmt.Sprintf(", %d bytes of body", got.Bytes)
			}
			d.Frames = framesOf(o, got.LocalPort)
		}
		all = append(all, d)
	}
	return all
}

// connections numbers the client's connections by their local ports, in the
// order of first use. 0 is no connection.
func connections(outcomes []scenario.Outcome) []int {
	var ports []int
	numbers := make([]int, len(outcomes))
	for i, o := range outcomes {
		if o.LocalPort == 0 {
			continue
		}
		at := slices.Index(ports, o.LocalPort)
		if at < 0 {
			at = len(ports)
			ports = append(ports, o.LocalPort)
		}
		numbers[i] = at + 1
	}
	return numbers
}

func matchesReply(want scenario.Reply, got scenario.Outcome, conn int) bool {
	class, text := "", ""
	if got.Error != nil {
		class, text = got.Error.Class, got.Error.Text
	}
	if want.Class == "" && want.Text == nil && got.Error != nil {
		return false // an error is a deviation, and this one is not declared
	}
	return (want.Status == 0 || want.Status == got.Status) &&
		(want.Class == "" || want.Class == class) &&
		!slices.ContainsFunc(want.Text, func(part string) bool { return !strings.Contains(text, part) }) &&
		strings.Contains(got.Body, want.Body) &&
		(want.Bytes == 0 || max(0, want.Bytes) == got.Bytes) &&
		(want.Conn == 0 || want.Conn == conn)
}

func describeReply(r scenario.Reply) string {
	text := describe(r.Status, r.Class, strings.Join(r.Text, " … "), r.Conn)
	if r.Body != "" {
		text += fmt.Sprintf(", with %q in its body", r.Body)
	}
	if r.Bytes != 0 {
		text += fmt.Sprintf(", %d bytes of body", max(0, r.Bytes))
	}
	return cmp.Or(text, "any that is no error")
}

func describeOutcome(o scenario.Outcome, conn int) string {
	if o.Error == nil {
		return describe(o.Status, "", "", conn)
	}
	return describe(o.Status, o.Error.Class, o.Error.Text, conn)
}

func describe(status int, class, text string, conn int) string {
	var parts []string
	if status != 0 {
		parts = append(parts, strconv.Itoa(status))
	}
	if class != "" || text != "" {
		parts = append(parts, strings.TrimSpace("error "+class))
	}
	if text != "" {
		parts = append(parts, text)
	}
	if conn != 0 {
		parts = append(parts, fmt.Sprintf("on connection %d", conn))
	}
	return strings.Join(parts, " ")
}

// framesOf returns the last frames of the connection from a local port of the
// client.
func framesOf(o scenario.Observation, port int) []int {
	var frames []int
	for _, f := range o.Frames {
		if o.Of(f.Src) == scenario.Client && int(f.Src.Port()) == port || o.Of(f.Dst) == scenario.Client && int(f.Dst.Port()) == port {
			frames = append(frames, f.Number)
		}
	}
	return frames[max(0, len(frames)-4):]
}

// notable matches an nginx error-log line at warn or above; what is below is
// no deviation.
var notable = regexp.MustCompile(`\[(warn|error|crit|alert|emerg)\] `)

// Notable says whether a line of error.log is at warn or above.
func Notable(line string) bool { return notable.MatchString(line) }

func errorLog(s scenario.Scenario, o scenario.Observation) []Difference {
	var got []string
	for _, line := range o.ErrorLog {
		if Notable(line) {
			got = append(got, line)
		}
	}
	return inOrder("nginx error.log", s.Want.ErrorLog, got,
		func(want, got string) bool { return strings.Contains(got, want) },
		func(s string) string { return s }, func(s string) string { return s }, nil)
}

// Informs says whether a line of error.log is one that s declares to be there
// below warn.
func Informs(s scenario.Scenario, line string) bool {
	return !Notable(line) && slices.ContainsFunc(s.Want.Info, func(part string) bool { return strings.Contains(line, part) })
}

// info finds the declared lines below warn in their order. The first that is not
// found is the difference.
func info(s scenario.Scenario, o scenario.Observation) []Difference {
	at := 0
	for i, want := range s.Want.Info {
		found := slices.IndexFunc(o.ErrorLog[at:], func(line string) bool { return !Notable(line) && strings.Contains(line, want) })
		if found < 0 {
			return []Difference{{What: fmt.Sprintf("line %d of %d below warn in nginx error.log", i+1, len(s.Want.Info)), Want: want, Got: "none"}}
		}
		at += found + 1
	}
	return nil
}

// inOrder compares two lists element by element: each wanted one must be
// there, in its place, and nothing else.
func inOrder[W, G any](what string, want []W, got []G, match func(W, G) bool, describeWant func(W) string, describeGot func(G) string, frames func(G) []int) []Difference {
	var all []Difference
	for i := range max(len(want), len(got)) {
		if i < len(want) && i < len(got) && match(want[i], got[i]) {
			continue
		}
		d := Difference{What: what, Want: "none", Got: "none"}
		if len(want) > 1 || len(got) > 1 {
			d.What = fmt.Sprintf("%s %d", what, i+1)
		}
		if i < len(want) {
			d.Want = describeWant(want[i])
		}
		if i < len(got) {
			d.Got = describeGot(got[i])
			if frames != nil {
				d.Frames = frames(got[i])
			}
		}
		all = append(all, d)
	}
	return all
}

func accessLog(s scenario.Scenario, o scenario.Observation) []Difference {
	want := s.Want.Access
	if want == nil {
		for _, r := range wanted(s) {
			if r.Status != 0 {
				want = append(want, scenario.Access{Status: r.Status})
			}
		}
	}
	var got []scenario.Access
	for _, line := range o.AccessLog {
		got = append(got, parseAccess(line))
	}
	return inOrder("nginx access.log", want, got,
		func(w, g scenario.Access) bool {
			return (w.Status == 0 || w.Status == g.Status) && (w.Upstream == "" || w.Upstream == g.Upstream)
		}, describeAccess, describeAccess, nil)
}

// combinedStatus matches the status in nginx's own default log format.
var combinedStatus = regexp.MustCompile(`" (\d{3}) `)

// parseAccess reads a line of the lab's log format (JSON), or the status of a
// line in nginx's default format, which a user's own config may have.
func parseAccess(line string) scenario.Access {
	var a struct {
		Status   string `json:"status"`
		Upstream string `json:"upstream_status"`
	}
	if json.Unmarshal([]byte(line), &a) == nil {
		status, _ := strconv.Atoi(a.Status)
		return scenario.Access{Status: status, Upstream: a.Upstream}
	}
	if m := combinedStatus.FindStringSubmatch(line); m != nil {
		status, _ := strconv.Atoi(m[1])
		return scenario.Access{Status: status}
	}
	return scenario.Access{}
}

func describeAccess(a scenario.Access) string {
	if a.Upstream == "" {
		return fmt.Sprint("status ", a.Status)
	}
	return fmt.Sprintf("status %d, upstream %s", a.Status, a.Upstream)
}

func sockets(s scenario.Scenario, o scenario.Observation) []Difference {
	var all []Difference
	for _, want := range s.Want.Sockets {
		seen := scenario.Shows(o.Sockets, want.Host, want.Before)
		if slices.Contains(seen, want.State) {
			continue
		}
		got := strings.Join(seen, ", ")
		all = append(all, Difference{
			What: fmt.Sprintf("ss on %s %s", want.Host, scenario.When(want.Before)),
			Want: want.State, Got: cmp.Or(got, "no socket"),
		})
	}
	return all
}

// wire finds the declared segments in the capture, in their order. The first
// that is not found is the difference.
func wire(s scenario.Scenario, o scenario.Observation) []Difference {
	at := 0
	for i, want := range s.Want.Wire {
		found := slices.IndexFunc(o.Frames[at:], func(f tcp.Frame) bool {
			return (want.From == "" || want.From == o.Of(f.Src)) &&
				(want.To == "" || want.To == o.Of(f.Dst)) &&
				(want.Flags == "" || want.Flags == f.Flags.String())
		})
		if found >= 0 {
			at += found + 1
			continue
		}
		d := Difference{What: fmt.Sprintf("segment %d of %d", i+1, len(s.Want.Wire)), Want: describeSegment(want), Got: "no more segments"}
		var rest []string
		for _, f := range o.Frames[at:] {
			if !between(s.Want.Wire, o.Of(f.Src), o.Of(f.Dst)) {
				continue // of another leg, of which nothing is declared
			}
			d.Frames = append(d.Frames, f.Number)
			rest = append(rest, describeSegment(scenario.Segment{From: o.Of(f.Src), To: o.Of(f.Dst), Flags: f.Flags.String()}))
		}
		if len(rest) > 6 {
			rest = append(rest[:6], "…")
			d.Frames = d.Frames[:6]
		}
		if len(rest) > 0 {
			d.Got = strings.Join(rest, ", ")
		}
		return []Difference{d}
	}
	return nil
}

// between says whether a pattern speaks of segments between two hosts.
func between(wire []scenario.Segment, a, b scenario.Host) bool {
	return slices.ContainsFunc(wire, func(w scenario.Segment) bool {
		return w.From == "" || w.To == "" || w.From == a && w.To == b || w.From == b && w.To == a
	})
}

func describeSegment(s scenario.Segment) string {
	return fmt.Sprintf("%s > %s %s", cmp.Or(s.From, "any"), cmp.Or(s.To, "any"), cmp.Or(s.Flags, "any"))
}

// harmless says whether an RST came after both sides had closed in order, and so
// ended nothing: whether a kernel has cause to send one then depends on how its
// segments were scheduled.
func harmless(o scenario.Observation, r Reset) bool {
	return slices.ContainsFunc(o.Conversations, func(c tcp.Conversation) bool {
		if !slices.ContainsFunc(c.Resets, func(of tcp.Reset) bool { return of.Frame == r.Frame }) {
			return false
		}
		return c.Cause == tcp.CauseClosed && c.LateReset || r.Kind == tcp.AfterClose && bothClosed(c, r.Frame)
	})
}

// bothClosed says whether both sides had sent their FIN before a frame.
func bothClosed(c tcp.Conversation, frame int) bool {
	closed := map[netip.AddrPort]bool{}
	for _, f := range c.Segments {
		if f.Number < frame && f.Has(tcp.FIN) {
			closed[f.Src] = true
		}
	}
	return len(closed) == 2
}

// resets returns every RST that was captured, in the order of time.
func resets(o scenario.Observation) []Reset {
	all := []Reset{}
	for _, c := range o.Conversations {
		client, server := o.Of(c.Client), o.Of(c.Server)
		for _, r := range c.Resets {
			reset := Reset{From: server, To: client, Kind: r.Kind, Frame: r.Frame}
			if r.From == tcp.Client {
				reset.From, reset.To = client, server
			}
			all = append(all, reset)
		}
	}
	slices.SortFunc(all, func(a, b Reset) int { return a.Frame - b.Frame })
	return all
}

// allResets compares the RSTs: one that is not declared must be harmless.
func allResets(s scenario.Scenario, o scenario.Observation) []Difference {
	same := func(w scenario.Reset, g Reset) bool {
		return (w.From == "" || w.From == g.From) && (w.To == "" || w.To == g.To) && (w.Kind == "" || w.Kind == g.Kind)
	}
	got := slices.DeleteFunc(resets(o), func(g Reset) bool {
		return harmless(o, g) && !slices.ContainsFunc(s.Want.Resets, func(w scenario.Reset) bool { return same(w, g) })
	})
	return inOrder("RST", s.Want.Resets, got, same,
		func(w scenario.Reset) string { return describeReset(w.From, w.To, w.Kind) },
		func(g Reset) string { return describeReset(g.From, g.To, g.Kind) },
		func(g Reset) []int { return []int{g.Frame} })
}

func describeReset(from, to scenario.Host, kind tcp.ResetKind) string {
	return fmt.Sprintf("%s > %s R, %s", cmp.Or(from, "any"), cmp.Or(to, "any"), cmp.Or(kind, "any kind"))
}

// ends matches each declared end with one connection. The others must have
// ended in order or still be open.
func ends(s scenario.Scenario, o scenario.Observation) []Difference {
	var all []Difference
	left := slices.Clone(o.Conversations)
	var missing []scenario.End
	for _, want := range s.Want.Ends {
		at := slices.IndexFunc(left, func(c tcp.Conversation) bool {
			return (want.Client == "" || want.Client == o.Of(c.Client)) &&
				(want.Server == "" || want.Server == o.Of(c.Server)) &&
				(want.Cause == "" || want.Cause == c.Cause || want.Cause == tcp.CauseOpen && openWhenPlayed(o, c)) &&
				(want.ClosedBy == "" || want.ClosedBy == c.ClosedBy) &&
				(want.Idle == scenario.Span{} || want.Idle.From <= idle(c) && idle(c) <= want.Idle.To)
		})
		if at < 0 {
			missing = append(missing, want)
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	left = slices.DeleteFunc(left, func(c tcp.Conversation) bool {
		return len(missing) == 0 && (c.Cause == tcp.CauseClosed || c.Cause == tcp.CauseOpen || openWhenPlayed(o, c))
	})
	for i := range max(len(missing), len(left)) {
		d := Difference{What: "connection", Want: "closed in order or open", Got: "none such"}
		if i < len(missing) {
			d.Want = describeEnd(missing[i])
		} else if slices.Contains([]tcp.Cause{tcp.CauseClosed, tcp.CauseOpen}, left[i].Cause) {
			continue
		}
		if i < len(left) {
			c := left[i]
			got := scenario.End{Client: o.Of(c.Client), Server: o.Of(c.Server), Cause: c.Cause, ClosedBy: c.ClosedBy}
			if i < len(missing) && missing[i].Idle != (scenario.Span{}) {
				got.Idle = scenario.Span{From: idle(c), To: idle(c)}
			}
			d.Got = describeEnd(got)
			d.Frames = c.Frames
		}
		all = append(all, d)
	}
	return all
}

// idleTimer is less than any server's own idle timeout in the catalogue.
const idleTimer = time.Second

// openWhenPlayed says whether a connection was open when the play was over, and its
// server's or client's idle timer ran out while the last of it was recorded: a slow
// machine gives it the time, perhaps for no more than the first FIN.
func openWhenPlayed(o scenario.Observation, c tcp.Conversation) bool {
	fin := slices.IndexFunc(c.Segments, func(f tcp.Frame) bool { return f.Has(tcp.FIN) })
	closing := c.Cause == tcp.CauseClosed || c.Cause == tcp.CauseHalfClosed && c.CaptureEnded
	return closing && fin >= 0 && c.Segments[fin].Time.After(o.Played) && idle(c) >= idleTimer
}

// idle is how long nothing was said on a connection before it was closed.
func idle(c tcp.Conversation) time.Duration {
	return time.Duration(c.Idle * float64(time.Second)).Round(time.Millisecond)
}

func describeEnd(e scenario.End) string {
	text := fmt.Sprintf("%s > %s %s", cmp.Or(e.Client, "any"), cmp.Or(e.Server, "any"), cmp.Or(e.Cause, "any cause"))
	if e.ClosedBy != "" && e.ClosedBy != tcp.None {
		text += ", closed by the " + string(e.ClosedBy)
	}
	if e.Idle != (scenario.Span{}) {
		text += fmt.Sprintf(", after %s of silence", e.Idle)
	}
	return text
}

// Declared returns what a scenario declares, a line each, in the notation in
// which Check tells a difference.
func Declared(s scenario.Scenario) []string {
	all := declared(s)
	indented := func(want scenario.Want) {
		s.Want = want
		for _, line := range declared(s) {
			all = append(all, "  "+line)
		}
	}
	if s.Runs > 0 {
		from, to := wholePlays(s, s.Runs)
		all = append(all, fmt.Sprintf("in %d to %d of %d plays", from, to, s.Runs))
	}
	for _, or := range s.Or {
		all = append(all, "or else, where it varies:")
		indented(or)
	}
	for _, since := range s.Since {
		all = append(all, "from nginx "+since.Version+" on:")
		indented(since.Want)
	}
	return all
}

func declared(s scenario.Scenario) []string {
	var all []string
	for i, r := range wanted(s) {
		all = append(all, fmt.Sprintf("reply %d: %s", i+1, describeReply(r)))
	}
	if s.Want.Ran != nil {
		all = append(all, fmt.Sprintf("run by the back end, %d in all: %s", len(s.Want.Ran), strings.Join(s.Want.Ran, ", ")))
	}
	if len(s.Want.ErrorLog) == 0 {
		all = append(all, "nginx error.log: nothing at warn or above")
	}
	for _, line := range s.Want.ErrorLog {
		all = append(all, "nginx error.log: "+line)
	}
	for _, line := range s.Want.Info {
		all = append(all, "nginx error.log, below warn: "+line)
	}
	for _, a := range s.Want.Access {
		all = append(all, "nginx access.log: "+describeAccess(a))
	}
	for _, so := range s.Want.Sockets {
		all = append(all, fmt.Sprintf("ss on %s %s: %s", so.Host, scenario.When(so.Before), so.State))
	}
	if len(s.Want.Wire) > 0 {
		var wire []string
		for _, segment := range s.Want.Wire {
			wire = append(wire, describeSegment(segment))
		}
		all = append(all, "on the wire, in this order: "+strings.Join(wire, ", "))
	}
	if len(s.Want.Resets) == 0 {
		all = append(all, "no RST")
	}
	for _, r := range s.Want.Resets {
		all = append(all, "RST: "+describeReset(r.From, r.To, r.Kind))
	}
	for _, e := range s.Want.Ends {
		all = append(all, "connection: "+describeEnd(e))
	}
	for _, c := range s.Want.Counters {
		all = append(all, fmt.Sprintf("counter %s on %s: it moved", c.Name, c.Host))
	}
	return all
}
