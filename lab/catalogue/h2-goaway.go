package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "h2-goaway",
	Title: "HTTP/2: nginx says GOAWAY before it closes an idle connection, and the client just reconnects",
	Why: `keepalive_timeout, here 1 s, is over: in HTTP/2 nginx sends GOAWAY with the number of the last stream that it has
seen, and FIN behind it. The client need not guess: a stream above that number was never run, and may be sent again,
a POST too. Go's client takes the connection out of its pool and makes a new one. What HTTP/1.1 cannot say, a FIN
alone being all it has, is said here: the failure of stale-idle does not exist.`,
	Refs: []string{"RFC 9113, 6.8", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout", "https://nginx.org/en/docs/http/ngx_http_v2_module.html"},

	Options: scenario.Options{HTTP2: scenario.On},
	Nginx:   "http2-keepalive-1s",
	Backend: "scripted",
	Takes:   second,
	Play:    steps{get("/test"), await(nginx, client, "F."), quiet(), post("/test", "order")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "POST /"},
		Wire:    []segment{{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}},
	},
	Control: control{
		What:  "keepalive_timeout stays at 75 s",
		Nginx: "http2",
		Play:  steps{get("/test"), post("/test", "order")},
	},
})
