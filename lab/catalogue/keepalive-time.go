package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "keepalive-time",
	Title: "keepalive_time: a connection that is too old gets one more answer, which says that it is the last",
	Why: `keepalive_time, 1 h, here 1 s, is the age from which on nginx wants a connection to end, however busy it is: so
that clients spread over new workers and new servers. It does not close by itself. It waits for the next request,
answers it with Connection: close and sends FIN: the client knows before it could send another. Nothing is lost.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_time", "RFC 9112, 9.6"},

	Nginx: "keepalive-time-1s",
	Play:  steps{get("/test"), idle(2 * second), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{What: "keepalive_time stays at 1 h", Nginx: "baseline"},
})
