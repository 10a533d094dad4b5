package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-requests",
	Title: "nginx closes a connection to the back end after so many requests: nothing fails",
	Why: `keepalive_requests in the upstream, here 2, is how many requests one connection carries: after the answer to the
last of them nginx closes, and the next request opens a new one. nginx is the one that sends the requests, so its
close can meet none: no request is lost, whatever the number. A limit on the back end's side (max requests per
connection or per worker process) is another matter: there who closes is not who sends.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_requests", "RFC 9112, 9.3.1"},

	Nginx:   "upstream-requests-2",
	Backend: "scripted",
	Play:    steps{get("/test"), post("/test", "order"), get("/test")},
	Want: want{
		Ran: []string{"GET /", "POST /", "GET /"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "F."}, {From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{What: "a connection carries a thousand requests", Nginx: "upstream-60s"},
})
