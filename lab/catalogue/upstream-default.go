package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-default",
	Title: "a config that says nothing of connections to the back end: a new one a request, or, from 1.29.7 on, kept ones",
	Why: `An upstream block with a server and no more. Before 1.29.7 nginx asks the back end in HTTP/1.0 with "Connection:
close" and closes when it has read the answer: each request has a connection of its own. From 1.29.7 on it asks in
HTTP/1.1 and keeps idle connections for 60 s, 32 of each worker. Nobody has changed the config; after the update
every failure of kept connections to a back end is possible (upstream-default-post).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive", "https://nginx.org/en/CHANGES", "RFC 9112, 9.3"},

	Nginx:   "upstream-default",
	Backend: "scripted",
	Play:    steps{get("/test"), get("/test")},
	Want: want{
		Ran: []string{"GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."},
		},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"},
		},
	},
	Since: []scenario.Since{{Version: "1.29.7", Want: want{
		Ran: []string{"GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "open"}, {Client: nginx, Server: backend, Cause: "open"}},
	}}},
	Control: control{
		What:  "nginx is told to keep its connections, whatever its version",
		Nginx: "upstream-60s",
	},
})
