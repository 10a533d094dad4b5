package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var BackendContainerKilled = add(scenario.Scenario{
	ID:    "backend-container-killed",
	Title: "the back end's whole host is gone: silence in place of RST",
	Why: `Where a process dies, its kernel says so (backend-process-killed): RST, 502, within a
millisecond. Where the host itself goes, nobody is left to say anything: nginx's SYN is sent
again after a second, and stays unanswered until a timer ends it. Here that is
proxy_connect_timeout, 1.5 s: "upstream timed out (110)", and the client gets 504. Left at
its 60 s the client would wait: a 502 in a moment means a dead process, a long wait a dead
host or a filter that drops. From 1.29.7 on nginx keeps its connections to the back end by
itself: the request then goes into a kept one, is sent again and again, and no connection
timer applies; proxy_read_timeout ends the wait, after its 60 s.`,
	Refs: []string{"RFC 9293, 3.8.3", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout"},

	Article: 5,
	Nginx:   "article-connect-timeout",
	Play:    []scenario.Step{get("/test"), quiet(), killHost(backend), get("/test")},
	// On a slow machine nginx's FIN may come when the host is gone already.
	Want: hostGone(end{Client: nginx, Server: backend, Cause: "closed"}),
	Or:   []want{hostGone(end{Client: nginx, Server: backend, Cause: "half-closed"})},
	Since: []scenario.Since{{Version: "1.29.7", Want: want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 504, Conn: 1}},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading response header from upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 504, Upstream: "504"}},
		Wire: slices.Concat(handshake(client, nginx), handshake(nginx, backend), []scenario.Segment{
			{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: backend, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
		}),
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "vanished"},
		},
	}}},
	Control: scenario.Control{What: "only the process is killed, its host stays",
		Play: []scenario.Step{get("/test"), quiet(), kill(backend), get("/test")}},
})

// hostGone is a host that went after one exchange, whose connection had got so far.
func hostGone(first end) want {
	return want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 504, Conn: 1}},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 504, Upstream: "504"}},
		Wire: slices.Concat(handshake(client, nginx), handshake(nginx, backend), []scenario.Segment{
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"},
		}),
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			first,
			{Client: nginx, Server: backend, Cause: "unanswered"},
		},
	}
}
