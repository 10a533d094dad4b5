package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-fin-lost",
	Title: "nginx's FIN is lost on the way, and the next request meets RST: \"Connection reset\", and no EOF",
	Why: `nginx closes an idle connection: its keepalive_timeout has passed, or, as here, it is reloaded. The FIN is lost,
and so is its first repetition 0.2 s later; a firewall between the two that has forgotten the connection does the same
with every one. To the client the connection is as good as new: no look at it can show otherwise, and it sends a
request. nginx's socket has no owner any more and waits in FIN_WAIT1 for the FIN's acknowledgement: its kernel answers
data with RST. As no FIN came before it, the client reads ECONNRESET, "Connection reset", where stale-idle and
stale-crossing read EOF. One failure, two texts.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "RFC 9112, 9.3.1", "tcp_rcv_state_process, net/ipv4/tcp_input.c (TCPAbortOnData)",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    finLost,
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Class: "reset", Text: []string{"Connection reset"}, Conn: 1}},
		Ran:      []string{"GET /"},
		Wire:     slices.Concat(exchange(client, nginx), lost),
		Resets:   []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "stale-fin-lost", ClosedBy: "server"}},
		Sockets:  []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-1"}, {Before: 2, Host: client, State: "ESTAB"}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:TCPAbortOnData"}},
	},
	Control: control{
		What: "the FIN is not lost",
		Play: steps{get("/test"), reload(nginx), await(nginx, client, "F."), quiet(), get("/test")},
	},
})

// finLost is a request on a connection whose FIN was sent twice and got lost
// both times.
var finLost = steps{get("/test"), gate(client, scenario.FINLost), reload(nginx), held(client), get("/test")}

// lost is what the wire shows of it.
var lost = []segment{{From: nginx, To: client, Flags: "F."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"}}
