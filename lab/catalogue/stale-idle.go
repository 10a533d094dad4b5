package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var StaleIdle = add(scenario.Scenario{
	ID:    "stale-idle",
	Title: "OkHttp sends a request on a connection that nginx has closed",
	Why: `nginx closes a connection that has been idle for keepalive_timeout, here 5 s: FIN. The
client's kernel acknowledges it, and its socket goes to CLOSE_WAIT; but OkHttp does not look
at an idle connection before it sends a GET on it. nginx's socket is in FIN_WAIT2, which no
process owns any more (Linux keeps it as a small time-wait socket, and says so in its reason),
so its kernel answers the request with RST, and nginx never knows of it: no line in either log. The client reads the end that came first, the FIN:
"unexpected end of stream".`,
	Refs: []string{"RFC 9293, 3.6.1", "RFC 9112, 9.3.1", "tcp_timewait_state_process, net/ipv4/tcp_minisocks.c",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Article: 6,
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Nginx:   "keepalive-5s",
	Play:    []scenario.Step{get("/test"), idle(6 * second), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Class: "eof", Conn: 1, Text: []string{
			"java.io.IOException: unexpected end of stream on Connection{test.foo.com:80, proxy=DIRECT hostAddress=test.foo.com/",
			":80 cipherSuite=none protocol=http/1.1}",
			"java.io.EOFException: \\n not found: limit=0 content=…",
		}}},
		Ran: []string{"GET /"},
		Wire: slices.Concat( // packets 1 to 11 of the article
			handshake(client, nginx), exchange(client, nginx),
			staleRequest(client, nginx)),
		Resets:  []scenario.Reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []scenario.End{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets: []scenario.Socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: scenario.Control{What: "keepalive_timeout stays at 75 s", Nginx: "baseline"},
})
