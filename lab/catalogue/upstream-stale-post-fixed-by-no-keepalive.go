package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-post-fixed-by-no-keepalive",
	Title: "a connection a request: nothing is idle, so nothing is stale",
	Why: `Without an upstream block nginx keeps no connection to a back end, in any version: it closes as soon as it has
read the response, and says so before, "Connection: close". A request never meets an old connection. The price is a
handshake a request, and a port of nginx's in TIME-WAIT for a minute after each.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive", "RFC 9112, 9.6"},

	Fixes:   upstreamStalePost.ID,
	Nginx:   "upstream-keepalive-off",
	Backend: "scripted",
	Server:  upstreamStalePost.Server,
	Play:    steps{get("/test"), await(nginx, backend, "F."), tell(backend, "close"), await(backend, nginx, "F."), post("/test", "order")},
	Want: want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "F."},
		},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"},
		},
	},
	Control: control{
		What:  "nginx keeps the connection",
		Nginx: upstreamStalePost.Nginx,
		Play:  upstreamStalePost.Play,
	},
})
