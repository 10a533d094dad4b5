package catalogue

import "rstlab/lab/scenario"

var BackendPaused = add(scenario.Scenario{
	ID:    "backend-paused",
	Title: "a back end that hangs is acknowledged by its kernel: 504, and no RST",
	Why: `The process is stopped (SIGSTOP; a long pause of a garbage collector or a deadlock look
the same), its kernel is not: it acknowledges the request, so to TCP all is well. Nothing
comes back, and only a timer of nginx ends it: proxy_read_timeout, here 1 s: "upstream timed
out (110)" while reading the response header, 504. nginx closes its connection with FIN. The
request may still run when the process wakes up: nobody waits for its answer.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 9110, 15.6.5"},

	Nginx: "read-timeout-1s",
	Play:  []scenario.Step{get("/test"), quiet(), pause(backend), get("/test")},
	Want: scenario.Want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 504, Conn: 1}},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading response header from upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 504, Upstream: "504"}},
		Wire: []scenario.Segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "."},
		},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: scenario.Control{What: "the back end is not paused",
		Play: []scenario.Step{get("/test"), quiet(), get("/test")}},
})
