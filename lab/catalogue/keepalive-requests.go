package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "keepalive-requests",
	Title: "keepalive_requests: the last answer on a connection says so, and nothing is lost",
	Why: `A connection takes so many requests and no more: keepalive_requests, 1000, here 3. nginx knows beforehand which
answer is the last one and says Connection: close in it; FIN follows at once. The client, told in time, does not put the
connection back into its pool: its next request takes a new one. That is how a server should close. A keepalive_timeout
cannot do it, for it ends when there is no answer to say it in. Only what was sent ahead is lost (pipelined-then-closed).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_requests", "RFC 9112, 9.6"},

	Nginx: "keepalive-requests-3",
	Play:  steps{get("/test"), get("/test"), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /", "GET /", "GET /"},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{What: "keepalive_requests stays at 1000", Nginx: "baseline"},
})
