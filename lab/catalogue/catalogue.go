// Package catalogue has every scenario, each in a file named as its ID. To add
// one, add a file: list, show, run, the reports and the tests find it here.
//
// A scenario is data. It says what is played (Play, with an nginx config of
// nginx/ and a back end of backends/, which may be a script), and everything
// that must be seen. What is not declared must not happen: no line at warn or
// above in nginx's error log, no RST, no connection that does not end in order
// or stay open. Why tells the mechanism in the order in which it happens, in
// the words that its reader meets in logs and man pages. Forced, not tuned:
// between two steps stands an event (Said, Await, Held, Quiet), never a sleep;
// Idle is for time that is the story itself. What varies says so: Or has what
// may be seen as well, Runs and Share how often. Control is the change that
// must turn it red.
//
// Play it with lab run -n 100 ID before you keep it; lab run ID tells the story
// as its readers will see it.
package catalogue

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

// Article names the scenarios that `make lab` shows, wherever a pattern is
// taken.
const Article = "article"

var all []scenario.Scenario

func add(s scenario.Scenario) scenario.Scenario {
	all = append(all, s)
	return s
}

// All returns every scenario: first those of the tour in its order, then the
// others by ID, each fix behind its failure.
func All() []scenario.Scenario {
	failure := map[string]scenario.Scenario{}
	for _, s := range all {
		failure[s.ID] = s
	}
	tour := func(s scenario.Scenario) int { return cmp.Or(s.Article, 1<<30) }
	return slices.SortedFunc(slices.Values(all), func(a, b scenario.Scenario) int {
		of := func(s scenario.Scenario) scenario.Scenario {
			if f, ok := failure[s.Fixes]; ok {
				return f
			}
			return s
		}
		return cmp.Or(cmp.Compare(tour(of(a)), tour(of(b))), cmp.Compare(of(a).ID, of(b).ID),
			cmp.Compare(a.Fixes, b.Fixes), cmp.Compare(tour(a), tour(b)), cmp.Compare(a.ID, b.ID))
	})
}

// Find returns the scenarios that the patterns name, in the order of All: an
// ID, a pattern with * and ?, or "article". No pattern names all.
func Find(patterns ...string) ([]scenario.Scenario, error) {
	if len(patterns) == 0 {
		return All(), nil
	}
	named := map[string]bool{}
	for _, pattern := range patterns {
		ids, err := match(pattern)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			named[id] = true
		}
		if ids == nil {
			return nil, fmt.Errorf("no scenario %q; %s", pattern, cmp.Or(Nearest(pattern), "lab list shows those that there are"))
		}
	}
	return slices.DeleteFunc(All(), func(s scenario.Scenario) bool { return !named[s.ID] }), nil
}

// match returns the IDs that a pattern names.
func match(pattern string) ([]string, error) {
	var ids []string
	for _, s := range all {
		matches, err := path.Match(pattern, s.ID)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		if matches || pattern == Article && s.Article > 0 {
			ids = append(ids, s.ID)
		}
	}
	return ids, nil
}

// Split parts words into the patterns that name scenarios, and the others: a
// text to search for.
func Split(words []string) (patterns []string, text string) {
	var others []string
	for _, word := range words {
		if ids, err := match(word); err == nil && ids != nil {
			patterns = append(patterns, word)
		} else {
			others = append(others, word)
		}
	}
	return patterns, strings.Join(others, " ")
}

// FixesOf returns the scenarios that fix a failure.
func FixesOf(id string) []scenario.Scenario {
	return slices.DeleteFunc(All(), func(s scenario.Scenario) bool { return s.Fixes != id })
}

// Nearest says which IDs, three at most, are like a name; "" when none is.
func Nearest(name string) string {
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return NearestOf(ids, name)
}

// NearestOf says which of some names, three at most, are like another; "" when
// none is.
func NearestOf(names []string, name string) string {
	near := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return distance(name, n) > len(name)/2 })
	if name == "" || len(near) == 0 {
		return ""
	}
	slices.SortFunc(near, func(a, b string) int {
		return cmp.Or(distance(name, a)-distance(name, b), cmp.Compare(a, b))
	})
	return "the nearest: " + strings.Join(near[:min(3, len(near))], ", ")
}

// distance is Levenshtein's, less for a name that the ID contains.
func distance(name, id string) int {
	if strings.Contains(id, name) {
		return 0
	}
	row := make([]int, len(id)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(name) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(id) {
			change := corner
			if name[i] != id[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(id)]
}

// The steps of a play, and what a scripted back end does, in short.
var (
	get      = scenario.Get
	post     = scenario.Post
	raw      = scenario.Raw
	begin    = scenario.Begin
	finish   = scenario.Finish
	said     = scenario.Said
	tell     = scenario.Tell
	logged   = scenario.Logged
	ended    = scenario.Ended
	idle     = scenario.Idle
	quiet    = scenario.Quiet
	await    = scenario.Await
	kill     = scenario.Kill
	killHost = scenario.KillHost
	start    = scenario.Start
	reload   = scenario.Reload
	pause    = scenario.Pause
	signal   = scenario.Signal
	filter   = scenario.Filter
	unfilter = scenario.Unfilter
	gate     = scenario.Gate
	held     = scenario.Held
	destroy  = scenario.Destroy
	state    = scenario.State
	move     = scenario.Move
	forge    = scenario.Forge
)

const (
	client   = scenario.Client
	nginx    = scenario.Nginx
	backend  = scenario.Backend
	backend2 = scenario.Backend2

	second      = time.Second
	millisecond = time.Millisecond
)

// The types that a scenario is made of.
type (
	steps   = []scenario.Step
	want    = scenario.Want
	reply   = scenario.Reply
	access  = scenario.Access
	segment = scenario.Segment
	reset   = scenario.Reset
	end     = scenario.End
	socket  = scenario.Socket
	control = scenario.Control
	ops     = []script.Op
)

// patience is how long a client waits for its answer before it leaves or is cut
// off. One that only shuts its writing side, to read on, does that at once: from
// the packets the two are told apart by it. So is, of a protocol that is not read, a
// server that closes an idle connection from one that says no.
var patience = idle(200 * millisecond)

// serve is a scripted back end: what its first, second, ... connection meets;
// the last is also for all that come later.
func serve(conns ...ops) *script.Server { return &script.Server{Conns: conns} }

// partial is a response whose head announces so many bytes, and this much of
// its body.
func partial(announced int, body string) script.Op {
	return script.Write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", announced, body))
}

// getTest is a request as the raw client writes it; postHead is the head of one
// with a body of so many bytes.
const getTest = "GET /test HTTP/1.1\r\nHost: test.foo.com\r\n\r\n"

func postHead(length int) string {
	return fmt.Sprintf("POST /test HTTP/1.1\r\nHost: test.foo.com\r\nContent-Length: %d\r\n\r\n", length)
}

// exchange is one request and its answer on an open connection, as the kernel
// sends them when nothing else is in their way: the request, its ACK, the
// response, its ACK.
func exchange(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: from, To: to, Flags: "P."}, {From: to, To: from, Flags: "."}, {From: to, To: from, Flags: "P."}, {From: from, To: to, Flags: "."}}
}

// handshake is the three-way handshake (RFC 9293, 3.5).
func handshake(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: from, To: to, Flags: "S"}, {From: to, To: from, Flags: "S."}, {From: from, To: to, Flags: "."}}
}

// staleRequest is a request on a connection that its server has closed and
// whose FIN has arrived: FIN, its ACK, the request, RST (RFC 9293, 3.10.7.4).
func staleRequest(from, to scenario.Host) []scenario.Segment {
	return []scenario.Segment{{From: to, To: from, Flags: "F."}, {From: from, To: to, Flags: "."}, {From: from, To: to, Flags: "P."}, {From: to, To: from, Flags: "R"}}
}

// and returns what is wanted, with more RSTs at the end.
func and(w want, more ...reset) want {
	w.Resets = append(slices.Clone(w.Resets), more...)
	return w
}

// closesAfter fills in the scenario of a back end whose own idle timeout is
// shorter than nginx's, so that it is the one that closes. The second request
// is a POST because nginx itself would send a GET again, and nobody would see
// that it was lost. It waits for the FIN of nginx, which has noticed by then.
func closesAfter(idleFor scenario.Span, s scenario.Scenario) scenario.Scenario {
	s.Why += `
nginx keeps an idle connection to its upstream for 60 s, so the back end is the one that
closes. nginx watches its idle connections: it sees the FIN at once, closes too, and the next
request opens a new connection, even a POST, which nginx would not send twice. A FIN that has
arrived is harmless. The danger is the moment of closing: a request that leaves while the FIN
is on its way is lost, and a POST then ends in 502. Let the side that sends requests be the
one that closes: a keepalive_timeout in the upstream that is shorter than the back end's.`
	s.Refs = append(s.Refs, "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1")
	s.Nginx = "upstream-60s"
	s.Play = []scenario.Step{get("/test"), idle(idleFor.From), await(nginx, backend, "F."), post("/test", "once")}
	s.Want = scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:     []string{"GET /", "POST /"},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server", Idle: idleFor},
			{Client: nginx, Server: backend, Cause: "open"},
		},
	}
	s.Control = scenario.Control{What: "the second request comes before the back end has closed",
		Play: []scenario.Step{get("/test"), post("/test", "once")}}
	return s
}

// The first words of a tunnel: the client asks for another protocol, and the
// back end agrees (RFC 9110, 7.8). What follows nginx passes on unread.
const (
	upgrade  = "GET /test HTTP/1.1\r\nHost: test.foo.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
)
