package report

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

// picture is a play as it is declared, in the style of a ladder: who asks whom,
// what is done at which host, and what comes of each request.
type picture struct {
	Paper
	scenario  scenario.Scenario
	exchanges []scenario.Exchange
	columns   map[scenario.Host]int
	width     int
	asked     []scenario.Step            // the requests so far
	begun     []int                      // those of them that are under way
	fins      map[int][]scenario.Segment // between client and nginx, by the request after which they come
}

// margin has the number of a step.
const margin = 6

// hosts are the lanes, from left to right.
var hosts = []scenario.Host{scenario.Client, scenario.Nginx, scenario.Backend}

// drawPicture draws the play of a scenario whose defaults are written out.
func drawPicture(p Paper, s scenario.Scenario) {
	g := picture{Paper: p, scenario: s, exchanges: s.Exchanges(), columns: map[scenario.Host]int{}, width: p.Width - margin, fins: fins(s)}
	part := func(h scenario.Host) string {
		if h == scenario.Nginx { // which has room on both sides
			return clip(partOf(s, h), p.Width/3)
		}
		return clip(partOf(s, h), p.Width/4)
	}
	var l ladder
	for _, h := range hosts {
		l.lanes = append(l.lanes, lane{string(h), part(h)})
	}
	for i, at := range l.columns(g.width - 2) {
		g.columns[hosts[i]] = at
	}
	g.titles(bold, func(h scenario.Host) string { return string(h) })
	g.titles(dim, part)
	g.servers()
	for i, step := range s.Play {
		g.step(i+1, step)
	}
	g.finish()
	g.close(len(g.asked))
}

func (g *picture) step(number int, s scenario.Step) {
	switch s.Do {
	case scenario.DoRequest:
		g.close(len(g.asked))
		g.asked = append(g.asked, s)
		g.request(number, s)
		if n := len(g.asked); s.Begin {
			g.begun = append(g.begun, n)
		} else {
			g.outcome(n)
		}
	case scenario.DoFinish:
		g.wait(number, "until what has begun is over")
		g.finish()
	case scenario.DoIdle:
		g.wait(number, fmt.Sprintf("the client rests for %g s", s.For.Seconds()))
	case scenario.DoAwait:
		row := g.row()
		arrow(row, g.column(s.Await.From), g.column(s.Await.To), s.Await.Flags)
		g.print(number, row, "")
		ours := func(f scenario.Segment) bool { return f == s.Await }
		g.fins[len(g.asked)] = slices.DeleteFunc(g.fins[len(g.asked)], ours)
	case scenario.DoQuiet, scenario.DoSaid, scenario.DoHeld, scenario.DoLogged, scenario.DoEnded, scenario.DoSocket:
		g.wait(number, strings.TrimPrefix(s.String(), "wait "))
	default:
		g.at(number, s.Host, "×", deed(s), yellow)
	}
}

// partOf names what runs on a host.
func partOf(s scenario.Scenario, h scenario.Host) string {
	switch h {
	case scenario.Client:
		return strings.Join(append([]string{s.Client}, options(s.Options)...), ", ")
	case scenario.Nginx:
		return s.Nginx + ".conf"
	}
	return s.Backend
}

// options says how a client is set up, as far as it is.
func options(o scenario.Options) []string {
	var all []string
	add := func(set bool, name string, value any) {
		if set {
			all = append(all, fmt.Sprintf("%s %v", name, value))
		}
	}
	add(o.Retry != "", "retry", o.Retry)
	add(o.PoolIdle != 0, "pool idle", o.PoolIdle)
	add(o.Timeout != 0, "timeout", o.Timeout)
	add(o.HTTP2 != "", "HTTP/2", o.HTTP2)
	return all
}

// deed says what a step does at its host, in the few words that fit there.
func deed(s scenario.Step) string {
	switch s.Do {
	case scenario.DoKill:
		return "kill -9; the host stays"
	case scenario.DoKillHost:
		return "the whole host goes"
	case scenario.DoMove:
		return "gets another address"
	case scenario.DoForge:
		return "RST in its name"
	case scenario.DoReload:
		return "reload (SIGHUP)"
	case scenario.DoPause:
		return "SIGSTOP"
	case scenario.DoDestroy:
		return "ss -K"
	}
	return strings.TrimPrefix(s.String(), string(s.Host)+": ")
}

// asks says what a request asks for.
func asks(s scenario.Step) string {
	method, path := s.Method, s.URL
	if u, err := url.Parse(s.URL); err == nil && u.Path != "" {
		path = u.Path
	}
	if s.Script != nil {
		method, path = "", ""
		for _, op := range s.Script {
			if line, _, ok := strings.Cut(string(op.Text), " HTTP/1."); ok && method == "" {
				method, path, _ = strings.Cut(line, " ")
			}
		}
	}
	label := strings.TrimSpace(Printable(method + " " + path))
	if _, port := target(s); port != "" {
		label += " :" + port
	}
	return label
}

// target returns the host that a request goes to, and its port where that is
// not HTTP's own.
func target(s scenario.Step) (scenario.Host, string) {
	address := s.URL
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		address = u.Host
	}
	name, port, _ := strings.Cut(address, ":")
	if strings.HasPrefix(name, string(scenario.Backend)) {
		return scenario.Backend, port
	}
	if port == "80" {
		port = ""
	}
	return scenario.Nginx, port
}

// fins returns the FINs that are declared between client and nginx, where the
// declared segments tell behind which request each comes.
func fins(s scenario.Scenario) map[int][]scenario.Segment {
	all := map[int][]scenario.Segment{}
	requests := 0
	for _, segment := range s.Want.Wire {
		switch {
		case segment.From == scenario.Client && segment.To == scenario.Nginx && segment.Flags == "P.":
			requests++
		case segment.From == scenario.Backend || segment.To == scenario.Backend:
		case strings.HasPrefix(segment.Flags, "F"):
			all[requests] = append(all[requests], segment)
		}
	}
	if requests != s.Requests() {
		return map[int][]scenario.Segment{}
	}
	return all
}

// close draws the FINs that come after a request and are not drawn yet.
func (g *picture) close(request int) {
	for _, f := range g.fins[request] {
		row := g.row()
		arrow(row, g.column(f.From), g.column(f.To), f.Flags)
		g.print(0, row, "")
	}
	delete(g.fins, request)
}

func (g *picture) titles(i ink, title func(scenario.Host) string) {
	row := []rune(strings.Repeat(" ", g.width))
	for _, h := range hosts {
		n := utf8.RuneCountInString(title(h))
		put(row, max(0, min(g.columns[h]-n/2, g.width-n)), title(h))
	}
	g.print(0, row, i)
}

// row returns a line with nothing but the lanes.
func (g *picture) row() []rune {
	row := []rune(strings.Repeat(" ", g.width))
	for _, at := range g.columns {
		row[at] = '│'
	}
	return row
}

// print writes a line, with the number of its step where it is the first.
func (g *picture) print(number int, row []rune, i ink) {
	label := strings.Repeat(" ", margin)
	if number > 0 {
		label = g.in(dim, fmt.Sprintf("%4d  ", number))
	}
	text := strings.TrimRight(string(row), " ")
	if i != "" {
		text = g.in(i, text)
	}
	g.line("%s%s", label, text)
}

// wait writes what is waited for.
func (g *picture) wait(number int, text string) {
	g.print(number, []rune(clip("┆ "+text, g.width)), dim)
}

// column is where a host's lane stands: that of the back end for all that an
// overlay of the topology brings.
func (g *picture) column(h scenario.Host) int {
	if at, ok := g.columns[h]; ok {
		return at
	}
	return g.columns[scenario.Backend]
}

// at writes what is at a host behind a mark on its lane: to the right of it,
// to the left of the last one.
func (g *picture) at(number int, h scenario.Host, mark, text string, i ink) {
	at, leg := g.column(h), g.columns[scenario.Nginx]-g.columns[scenario.Client]
	if !slices.Contains(hosts, h) {
		text = string(h) + ": " + text
	}
	for _, line := range wrap(text, leg-5) {
		row := g.row()
		put(row, at, mark)
		if at == g.columns[scenario.Backend] {
			put(row, at-2-utf8.RuneCountInString(line), " "+line)
		} else {
			put(row, at+2, line+" ")
		}
		g.print(number, row, i)
		number, mark = 0, "│"
	}
}

// servers writes what the scripted back ends do with their connections.
func (g *picture) servers() {
	for _, text := range serverDoes(g.scenario.Server) {
		g.at(0, scenario.Backend, "×", text, yellow)
	}
	for _, text := range serverDoes(g.scenario.Second) {
		g.at(0, scenario.Backend2, "×", text, yellow)
	}
}

// serverDoes says what a scripted back end does with its connections, a line
// each.
func serverDoes(s *script.Server) []string {
	if s == nil {
		return nil
	}
	var all []string
	if s.Deaf {
		all = append(all, "listens and never accepts")
	}
	if s.Backlog > 0 {
		all = append(all, fmt.Sprintf("a backlog of %d", s.Backlog))
	}
	if s.Buffer > 0 {
		all = append(all, fmt.Sprintf("a receive buffer of %d bytes", s.Buffer))
	}
	for i, ops := range s.Conns {
		name := "each connection"
		if last := len(s.Conns) - 1; last > 0 {
			name = fmt.Sprintf("connection %d", i+1)
			if i == last {
				name += " on"
			}
		}
		all = append(all, name+": "+does(ops))
	}
	return all
}

// does is a script in words, with the beginnings of what it writes.
func does(ops []script.Op) string {
	var all []string
	for _, op := range ops {
		if op.Do == script.DoWrite && op.Bytes == 0 {
			first, _, more := strings.Cut(string(op.Text), "\r\n")
			first = clip(strings.TrimSuffix(strings.TrimPrefix(first, "HTTP/1.1 "), " HTTP/1.1"), 40)
			if more {
				first += " …"
			}
			all = append(all, "write "+Printable(first))
			continue
		}
		all = append(all, op.String())
	}
	return strings.Join(all, ", ")
}

// request draws a request, and the tries that nginx makes of it at the back
// end but for the end of the last, which comes with the outcome.
func (g *picture) request(number int, s scenario.Step) {
	if s.Script != nil {
		g.at(number, scenario.Client, "×", fmt.Sprintf("connection %s: %s", s.Conn, does(s.Script)), yellow)
		number = 0
	}
	to, _ := target(s)
	row := g.row()
	arrow(row, g.columns[scenario.Client], g.columns[to], asks(s))
	tries := g.tries(len(g.asked))
	for i := range tries {
		if i > 0 {
			g.print(number, row, "")
			row, number = g.row(), 0
			g.noAnswer(row)
			g.print(0, row, red)
			row = g.row()
		}
		what := ""
		if g.neverConnects() && vain(tries[i]) {
			what = "connect"
		}
		arrow(row, g.columns[scenario.Nginx], g.columns[scenario.Backend], what)
	}
	g.print(number, row, "")
}

// finish draws the outcomes of the requests that are under way.
func (g *picture) finish() {
	for _, n := range g.begun {
		g.outcome(n)
	}
	g.begun = nil
}

// outcome draws what comes of a request: the answers, and what the client says
// of it where it fails.
func (g *picture) outcome(n int) {
	if n > len(g.exchanges) {
		return
	}
	e, row, i := g.exchanges[n-1], g.row(), ink("")
	empty := string(row)
	if e.Symptom().Failed() {
		i = red
	}
	if tries := g.tries(n); len(tries) > 0 {
		if last := tries[len(tries)-1]; vain(last) {
			g.noAnswer(row)
		} else {
			arrow(row, g.columns[scenario.Backend], g.columns[scenario.Nginx], last)
		}
	}
	to, _ := target(g.asked[n-1])
	switch {
	case e.Reply.Status != 0:
		arrow(row, g.columns[to], g.columns[scenario.Client], fmt.Sprint(e.Reply.Status))
	case g.reset(to, e):
		g.close(n)
		arrow(row, g.columns[to], g.columns[scenario.Client], "R")
	case e.Reply.Class != "":
		g.close(n)
	}
	if string(row) != empty {
		g.print(0, row, i)
	}
	if e.Reply.Class != "" {
		g.at(0, scenario.Client, "│", "✗ "+string(scenario.OfClass(e.Reply.Class)), red)
	}
}

// tries returns the upstream status of each try that nginx made of a request.
func (g *picture) tries(n int) []string {
	if n > len(g.exchanges) {
		return nil
	}
	e := g.exchanges[n-1]
	if to, _ := target(g.asked[n-1]); to != scenario.Nginx {
		return nil
	}
	switch {
	case e.Access.Upstream != "":
		return statuses(e.Access.Upstream)
	case e.Reply.Class == "" && e.Reply.Status > 0 && e.Reply.Status < 400:
		return []string{fmt.Sprint(e.Reply.Status)}
	}
	return nil
}

// statuses are those of $upstream_status: "502, 200", one a try.
func statuses(upstream string) []string {
	return strings.FieldsFunc(upstream, func(r rune) bool { return strings.ContainsRune(", :", r) })
}

// vain says whether nginx had no answer of a try: it logs a status of its own.
func vain(status string) bool { return slices.Contains([]string{"502", "504", "-"}, status) }

// noAnswer draws the end of a try in vain: with RST where as many are declared
// as there are such tries.
func (g *picture) noAnswer(row []rune) {
	if g.vainTries() == g.resets(scenario.Backend, scenario.Nginx) {
		arrow(row, g.columns[scenario.Backend], g.columns[scenario.Nginx], "R")
		return
	}
	put(row, g.columns[scenario.Backend]-2, "✗")
}

// vainTries is how many tries nginx had no answer of.
func (g *picture) vainTries() int {
	n := 0
	for _, e := range g.exchanges {
		for _, status := range statuses(e.Access.Upstream) {
			if vain(status) {
				n++
			}
		}
	}
	return n
}

// neverConnects says that no try in vain got as far as a connection: nginx logs as
// many that ended while it was connecting.
func (g *picture) neverConnects() bool {
	n := 0
	for _, line := range g.scenario.Want.ErrorLog {
		if strings.Contains(line, "while connecting to upstream") {
			n++
		}
	}
	return n > 0 && n == g.vainTries()
}

// reset says whether a request that failed was answered with RST: where as
// many are declared as there are such requests.
func (g *picture) reset(by scenario.Host, e scenario.Exchange) bool {
	broken := func(e scenario.Exchange) bool {
		return e.Reply.Status == 0 && slices.Contains([]string{"reset", "eof", "refused"}, e.Reply.Class)
	}
	n := 0
	for _, other := range g.exchanges {
		if broken(other) {
			n++
		}
	}
	return broken(e) && n == g.resets(by, scenario.Client)
}

func (g *picture) resets(from, to scenario.Host) int {
	n := 0
	for _, r := range g.scenario.Want.Resets {
		if r.From == from && r.To == to {
			n++
		}
	}
	return n
}
