// Package scenario has the types of a scenario: what is played, what must be
// seen, and what was seen. It is pure data: a scenario is one Go value in one
// file of lab/catalogue, and list, show, run, the reports and the tests all
// read that value.
package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"rstlab/lab/script"
	"rstlab/lab/tcp"
)

// Host is a host of the bench: a service of docker-compose.yml.
type Host string

const (
	Client  Host = "client"
	Nginx   Host = "nginx"
	Backend Host = "backend"

	Backend2 Host = "backend2" // of compose/two-backends.yml
)

// Scenario is one way in which a connection lives or dies, forced, and what
// must be seen of it. The zero value of every field is the plain case: Go's
// client, nginx/baseline.conf, the Node back end, a clean exchange.
type Scenario struct {
	ID    string   // lower case and hyphens; the name of its file in lab/catalogue
	Title string   // one line: what happens, as its user would say it
	Why   string   // the mechanism, in the order in which it happens
	Refs  []string // RFC sections, nginx directives, kernel functions

	Article int    // its place in the tour that `make lab` gives; 0 is none
	Fixes   string // ID of the failure that this scenario is the fix of

	// Looks is what a user would call it, where the declared replies do not tell:
	// a tunnel that is closed, half a body that counts as whole.
	Looks Symptom

	Client  string  // folder in lab/clients; "" is "go"
	Options Options // how the client is set up
	Nginx   string  // file in nginx/, without .conf; "" is "baseline"
	Backend string  // folder in backends; "" is "node"

	// Server is what the scripted back end does; nil unless Backend is "scripted".
	Server *script.Server
	Second *script.Server // the same of backend2, where Compose brings one

	// Takes is how long the play waits for timers that are not steps of it: of
	// nginx, of a server, of the kernel.
	Takes time.Duration

	Compose string // overlay in compose/, without .yml: a change of the topology

	Play []Step
	Want Want

	// Kernel says that what must be seen cannot be told from the wire alone, but
	// by what the kernel says of each RST it sends, and by its silence.
	Kernel bool

	// Since has what must be seen in Want's place from a version of nginx on;
	// the last that applies rules.
	Since []Since

	// Or has what may be seen as well, where reality varies: each play shows
	// Want or one of these.
	Or []Want

	// Runs is how many plays it takes to tell, where each play shows Want or
	// one of Or by chance: Share is how many of them, from and to, show Want.
	Runs  int
	Share [2]float64

	// Control is the one deliberate change that must make this scenario fail:
	// the proof that its expectations can tell. The tests require one.
	Control Control
}

// Since is what must be seen from a version of nginx on.
type Since struct {
	Version string // 1.29.7
	Want    Want
}

// Options set up a client. An unset option leaves the library's own default.
type Options struct {
	Retry    Switch        // does the client itself retry when a connection fails
	PoolIdle time.Duration // how long its pool keeps an idle connection
	Timeout  time.Duration // for what the library usually limits
	HTTP2    Switch        // HTTP/2, over clear text with prior knowledge where the URL is http
}

// Contract returns what is set, in the words of the clients' contract (package
// clients).
func (o Options) Contract() map[string]any {
	m := map[string]any{}
	if o.Retry != "" {
		m["retry"] = o.Retry == On
	}
	if o.PoolIdle != 0 {
		m["pool_idle_ms"] = o.PoolIdle.Milliseconds()
	}
	if o.Timeout != 0 {
		m["timeout_ms"] = o.Timeout.Milliseconds()
	}
	if o.HTTP2 != "" {
		m["http2"] = o.HTTP2 == On
	}
	return m
}

// Switch is an option that is on, off, or left as the library has it.
type Switch string

const (
	On  Switch = "on"
	Off Switch = "off"
)

// Verb says what a step does.
type Verb string

const (
	DoRequest  Verb = "request"
	DoIdle     Verb = "idle"
	DoQuiet    Verb = "quiet"
	DoKill     Verb = "kill"
	DoKillHost Verb = "kill-host"
	DoStart    Verb = "start"
	DoReload   Verb = "reload"
	DoPause    Verb = "pause"
	DoAwait    Verb = "await"
	DoFinish   Verb = "finish"
	DoSaid     Verb = "said"
	DoTell     Verb = "tell"
	DoLogged   Verb = "logged"
	DoEnded    Verb = "ended"
	DoSignal   Verb = "signal"
	DoFilter   Verb = "filter"
	DoUnfilter Verb = "unfilter"
	DoGate     Verb = "gate"
	DoHeld     Verb = "held"
	DoDestroy  Verb = "destroy"
	DoSocket   Verb = "socket"
	DoMove     Verb = "move"
	DoForge    Verb = "forge"
)

// Whom a signal goes to.
type Whom string

const (
	All     Whom = ""        // every process of the server
	Leader  Whom = "leader"  // its first process alone: nginx's master
	Workers Whom = "workers" // the others: nginx's workers
)

// Order is the order in which a gate lets a FIN, the request that crosses it
// and the RST through, at the host that receives the FIN.
type Order string

const (
	// FINFirst holds the FIN until the request has left, and delivers it before
	// the RST that answers the request: FIN and request have crossed. A request
	// on a connection from before the gate that is there first waits for the FIN
	// (so does RSTFirst): begin it, and only then have the server close, or a
	// slow machine gives the server the time to send its FIN again.
	FINFirst Order = "FIN first"
	// RSTFirst holds the FIN until the RST has been delivered. On a network
	// that takes a lost or a reordered FIN: this one is forced.
	RSTFirst Order = "RST first"
	// FINLost drops the FIN and every copy of it; the request leaves after the
	// first retransmission.
	FINLost Order = "FIN lost"
)

// Step is one step of a play. Make it with one of the functions below.
type Step struct {
	Do     Verb
	Method string        // DoRequest
	URL    string        // DoRequest: whole; of a socket: host:port
	Header []string      // DoRequest: "Name: value"
	Body   string        // DoRequest
	Conn   string        // DoRequest of a socket: its name; one that is open is used again
	Script []script.Op   // DoRequest of a socket
	Begin  bool          // DoRequest: do not wait for the outcome; DoFinish does
	Event  string        // DoSaid, DoTell; DoLogged: a part of the line; DoSocket: the state
	Signal string        // DoSignal: HUP, TERM, ...
	To     Whom          // DoSignal
	Rule   string        // DoFilter
	Order  Order         // DoGate
	Host   Host          // whose server, or which host
	Await  Segment       // DoAwait
	For    time.Duration // DoIdle
}

// Site is the name by which the clients know nginx (server_name).
const Site = "http://test.foo.com"

// Get requests a path of Site, or a whole URL, and waits for the outcome.
func Get(url string) Step {
	if url[0] == '/' {
		url = Site + url
	}
	return Step{Do: DoRequest, Method: "GET", URL: url}
}

// Post sends a body and waits for the outcome.
func Post(url, body string) Step {
	s := Get(url)
	s.Method, s.Body = "POST", body
	return s
}

// With returns the request with headers, each "Name: value".
func (s Step) With(header ...string) Step {
	s.Header = header
	return s
}

// Raw has the raw client play a script on the connection of this name, made
// to nginx's port 80 if it is not open. What the script reads last is the
// outcome. Without a script it only connects.
func Raw(name string, ops ...script.Op) Step {
	return Step{Do: DoRequest, Conn: name, URL: "test.foo.com:80", Script: append([]script.Op{}, ops...)}
}

// At returns the request to another host and port.
func (s Step) At(hostport string) Step {
	s.URL = hostport
	return s
}

// Begin starts a request and goes on to the next step while it is under way.
// Finish waits for it, and so does the end of the play.
func Begin(s Step) Step {
	s.Begin = true
	return s
}

// Finish waits for the outcomes of all requests that have begun.
func Finish() Step { return Step{Do: DoFinish} }

// Said waits until a script of this host has said so (script.Say).
func Said(h Host, event string) Step { return Step{Do: DoSaid, Host: h, Event: event} }

// Tell tells the scripts of a host what they wait for (script.Wait).
func Tell(h Host, event string) Step { return Step{Do: DoTell, Host: h, Event: event} }

// Logged waits until nginx has written a line with this part in one of its logs:
// what it knows and the wire does not show.
func Logged(part string) Step { return Step{Do: DoLogged, Host: Nginx, Event: part} }

// Ended waits until the server of a host has ended, and its kernel has closed what
// it left open.
func Ended(h Host) Step { return Step{Do: DoEnded, Host: h} }

// Signal sends a signal, HUP, TERM, ..., to processes of a host's server.
func Signal(h Host, signal string, to Whom) Step {
	return Step{Do: DoSignal, Host: h, Signal: signal, To: to}
}

// Filter adds a rule to the firewall of a host, in the words of nft(8): its
// chain, input or output, then the rule. The names of hosts in braces are
// replaced by their addresses: "input ip saddr {nginx} tcp dport 8080 drop".
func Filter(h Host, rule string) Step { return Step{Do: DoFilter, Host: h, Rule: rule} }

// Unfilter removes every rule that Filter has added on a host.
func Unfilter(h Host) Step { return Step{Do: DoUnfilter, Host: h} }

// Gate has the FINs and RSTs that come to a host from a server's port, on
// every connection from now on, held and let through in this order.
func Gate(h Host, order Order) Step { return Step{Do: DoGate, Host: h, Order: order} }

// GatePort is the port of the peer whose FIN a gate holds: the client's is nginx,
// nginx's the back end.
func (s Step) GatePort() int {
	if s.Host == Nginx {
		return 8080
	}
	return 80
}

// Held waits until the gate of a host holds a FIN or the request that is to
// cross it; with FINLost, until it has dropped a FIN that was sent again.
func Held(h Host) Step { return Step{Do: DoHeld, Host: h} }

// Destroy has the kernel of a host throw its TCP connections away, as ss -K
// does (tcp_abort).
func Destroy(h Host) Step { return Step{Do: DoDestroy, Host: h} }

// State waits until ss shows a TCP socket of a host in this state.
func State(h Host, state string) Step { return Step{Do: DoSocket, Host: h, Event: state} }

// Move gives a host another address, as a container gets that is made anew: its
// name resolves to that from now on, and nobody is at the old one.
func Move(h Host) Step { return Step{Do: DoMove, Host: h} }

// Forge sends a host an RST in the name of another, as a box between does that
// wants a connection gone: of their newest connection, with the sequence number
// that is expected next (RFC 9293, 3.10.7.4).
func Forge(from, to Host) Step {
	return Step{Do: DoForge, Host: from, Await: Segment{From: from, To: to, Flags: "R."}}
}

// Idle lets the client rest for so long, its connections in its pool.
func Idle(d time.Duration) Step { return Step{Do: DoIdle, For: d} }

// Quiet waits until nothing moves on the wire any more: the exchange before is
// over, its last ACK and FIN have been sent.
func Quiet() Step { return Step{Do: DoQuiet} }

// Kill ends the server process of a host by SIGKILL. The host's kernel stays:
// it closes the process's sockets and answers whoever calls.
func Kill(h Host) Step { return Step{Do: DoKill, Host: h} }

// KillHost ends a whole host as a loss of power does: its network goes first,
// so that not even the FINs of its dying processes get out.
func KillHost(h Host) Step { return Step{Do: DoKillHost, Host: h} }

// Start starts the server process of a host again, and waits until it listens.
func Start(h Host) Step { return Step{Do: DoStart, Host: h} }

// Reload has a server read its config again: SIGHUP to its first process, as
// `nginx -s reload` sends it. Await the segment that shows what it did.
func Reload(h Host) Step { return Step{Do: DoReload, Host: h} }

// Pause stops the server processes of a host by SIGSTOP: they keep their
// sockets, and their kernel goes on acknowledging.
func Pause(h Host) Step { return Step{Do: DoPause, Host: h} }

// Await waits until a segment has been captured since the step before.
func Await(from, to Host, flags string) Step {
	return Step{Do: DoAwait, Await: Segment{From: from, To: to, Flags: flags}}
}

func (s Step) String() string {
	switch s.Do {
	case DoRequest:
		return "client: " + s.request()
	case DoIdle:
		return fmt.Sprintf("client: rest for %s", s.For)
	case DoQuiet:
		return "wait until nothing moves on the wire"
	case DoKill:
		return fmt.Sprintf("%s: kill -9 the server process; the host stays", s.Host)
	case DoStart:
		return fmt.Sprintf("%s: start the server again", s.Host)
	case DoReload:
		return fmt.Sprintf("%s: reload the config (SIGHUP)", s.Host)
	case DoPause:
		return fmt.Sprintf("%s: stop the server processes (SIGSTOP); their sockets stay", s.Host)
	case DoAwait:
		return fmt.Sprintf("wait until %s > %s %s has been seen", s.Await.From, s.Await.To, s.Await.Flags)
	case DoFinish:
		return "wait for what the client has begun"
	case DoSaid:
		return fmt.Sprintf("wait until %s says %q", s.Host, s.Event)
	case DoTell:
		return fmt.Sprintf("%s: go on (%q)", s.Host, s.Event)
	case DoLogged:
		return fmt.Sprintf("wait until %s logs %q", s.Host, s.Event)
	case DoEnded:
		return fmt.Sprintf("wait until the server of %s has ended", s.Host)
	case DoSignal:
		whom := map[Whom]string{All: "every process of the server", Leader: "its first process", Workers: "its workers"}[s.To]
		return fmt.Sprintf("%s: SIG%s to %s", s.Host, s.Signal, whom)
	case DoFilter:
		return fmt.Sprintf("%s: firewall: %s", s.Host, s.Rule)
	case DoUnfilter:
		return fmt.Sprintf("%s: firewall: no rules any more", s.Host)
	case DoGate:
		return fmt.Sprintf("%s: hold what a server closes: %s", s.Host, s.Order)
	case DoHeld:
		return fmt.Sprintf("wait until FIN or request is held at %s", s.Host)
	case DoDestroy:
		return fmt.Sprintf("%s: ss -K: the kernel throws its connections away", s.Host)
	case DoSocket:
		return fmt.Sprintf("wait until ss shows %s at %s", s.Event, s.Host)
	case DoMove:
		return fmt.Sprintf("%s: the host gets another address, and its name with it", s.Host)
	case DoForge:
		return fmt.Sprintf("%s: a box between sends %s an RST in its name", s.Host, s.Await.To)
	case DoKillHost:
		return fmt.Sprintf("%s: the whole host goes, as if its power were cut", s.Host)
	}
	return string(s.Do)
}

// request says what a DoRequest asks for.
func (s Step) request() string {
	text := s.Method + " " + s.URL
	if s.Script != nil {
		text = fmt.Sprintf("connection %s to %s:", s.Conn, s.URL)
		for _, op := range s.Script {
			text += " " + op.String()
		}
	}
	if s.Begin {
		text += " (and goes on)"
	}
	return text
}

// Want is what must be seen. The zero Want is a clean exchange: every reply
// 200, nothing at warn or above in nginx's error log, an access line for each
// reply, no RST, every connection closed in order or still open. Every
// deviation is declared. An unset field of a pattern matches anything.
type Want struct {
	Replies  []Reply   // one a request, in order; none: all 200
	ErrorLog []string  // one a line at warn or above, in order: a part of its text
	Info     []string  // parts of lines below warn that must be in the error log, in this order; others may lie between
	Access   []Access  // one a line, in order; none: one for each reply that has a status, with that status
	Wire     []Segment // segments that must be on the wire, in this order; others may lie between
	Resets   []Reset   // every RST, in order, and no others but those that came after an orderly close and ended nothing
	Ends     []End     // each matches one connection; the others ended in order or are open
	Sockets  []Socket  // what ss must show, and when
	Ran      []string  // the requests that the back ends ran, in order, "POST /"; none: not asked
	Counters []Counts  // kernel counters that must have moved
}

// Counts is a pattern for a kernel counter that has moved.
type Counts struct {
	Host Host
	Name string // TcpExt:ListenOverflows
}

// Reply is a pattern for the outcome of one request, as the client told it.
type Reply struct {
	Status int
	Class  string   // of the error: reset, eof, timeout, refused, unreachable, other
	Text   []string // parts of the client's own words
	Body   string   // a part of the body's first 200 bytes
	Bytes  int      // of the body, as far as it came; -1 is none
	Conn   int      // which of the client's connections carried it: 1 is its first, 2 the next new one
}

// Access is a pattern for a line of nginx's access log.
type Access struct {
	Status   int
	Upstream string // $upstream_status
}

// Segment is a pattern for a captured segment. Flags are tcpdump's letters.
type Segment struct {
	From, To Host
	Flags    string
}

// Reset is a pattern for a captured RST.
type Reset struct {
	From, To Host
	Kind     tcp.ResetKind
}

// End is a pattern for a connection and how it ended.
type End struct {
	Client, Server Host
	Cause          tcp.Cause
	ClosedBy       tcp.Side
	Idle           Span // how long nothing was said on it before it was closed
}

// Span is a pattern for a length of time: from, to.
type Span struct{ From, To time.Duration }

func (s Span) String() string {
	if s.From == s.To {
		return s.From.String()
	}
	return fmt.Sprintf("%s to %s", s.From, s.To)
}

// Socket is a pattern for a TCP socket of a host, as ss names its state, seen
// just before the request with this number; 0 is the end of the play.
type Socket struct {
	Before int
	Host   Host
	State  string
}

// Control is a deliberate change to a scenario: what is set replaces, the rest
// stays. Applied, the scenario must not be as declared.
type Control struct {
	What    string // in words, for the reader of the test
	Nginx   string
	Options *Options
	Server  *script.Server
	Second  *script.Server
	Play    []Step
}

// Apply returns the scenario with the change made, under an ID of its own.
func (c Control) Apply(s Scenario) Scenario {
	s.ID += "+control"
	if c.Nginx != "" {
		s.Nginx = c.Nginx
	}
	if c.Options != nil {
		s.Options = *c.Options
	}
	if c.Server != nil {
		s.Server = c.Server
	}
	if c.Second != nil {
		s.Second = c.Second
	}
	if c.Play != nil {
		s.Play = c.Play
	}
	return s
}

// Filled returns the scenario with its defaults written out.
func (s Scenario) Filled() Scenario {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&s.Client, "go")
	fill(&s.Nginx, "baseline")
	fill(&s.Backend, "node")
	return s
}

// Requests returns how many requests the play makes.
func (s Scenario) Requests() int {
	n := 0
	for _, step := range s.Play {
		if step.Do == DoRequest {
			n++
		}
	}
	return n
}

// WantOf returns what must be seen with an nginx of this version.
func (s Scenario) WantOf(version string) Want {
	want := s.Want
	for _, since := range s.Since {
		if !older(version, since.Version) {
			want = since.Want
		}
	}
	return want
}

// older says whether version a comes before version b, number by number.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		n, _ := strconv.Atoi(x[i])
		m, _ := strconv.Atoi(y[i])
		if n != m {
			return n < m
		}
	}
	return len(x) < len(y)
}

// Waits returns the time that the play spends resting: its cost, but for the
// seconds that a bench needs.
func (s Scenario) Waits() time.Duration {
	var d time.Duration
	for _, step := range s.Play {
		d += step.For
		for _, op := range step.Script {
			d += op.For
		}
	}
	return d + s.Takes
}
