package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "h2-max-requests",
	Title: "HTTP/2: keepalive_requests ends a connection with GOAWAY, and no request is lost",
	Why: `keepalive_requests, 1000 by itself and here 2, counts the streams of an HTTP/2 connection. With the last of them
nginx sends GOAWAY, answers what is under way, and both sides close. A client that has many streams open at a time, as gRPC
clients do, sees its connection end after a thousand calls; it opens a new one, and nothing fails.`,
	Refs: []string{"RFC 9113, 6.8", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_requests"},

	Options: scenario.Options{HTTP2: scenario.On},
	Nginx:   "http2-requests-2",
	Backend: "scripted",
	Play:    steps{get("/test"), get("/test"), await(nginx, client, "F."), quiet(), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Wire:    []segment{{From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "closed"}, {Client: client, Server: nginx, Cause: "open"}},
	},
	Control: control{
		What:  "a connection carries a thousand requests",
		Nginx: "http2",
		Play:  steps{get("/test"), get("/test"), get("/test")},
	},
})
