package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-post-fixed-by-shorter-timeout",
	Title: "nginx gives an idle connection up before the back end does: there is no FIN to lose",
	Why: `keepalive_timeout in the upstream is below the back end's own idle timeout: here 1 s. nginx closes first. Who
sends the requests and closes too never sends one on a connection that it has closed, whatever becomes of its FIN:
the race is gone, not made rarer. When the back end's own time comes it finds the connection closed already. The
POST goes out on a new connection.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1"},

	Fixes:   upstreamStalePost.ID,
	Nginx:   "upstream-1s",
	Backend: "scripted",
	Server:  upstreamStalePost.Server,
	Takes:   second,
	Play:    steps{get("/test"), await(nginx, backend, "F."), tell(backend, "close"), await(backend, nginx, "F."), post("/test", "order")},
	Want: want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend}},
	},
	Control: control{
		What:  "nginx keeps the connection for its own 60 s, and the back end closes first",
		Nginx: upstreamStalePost.Nginx,
		Play:  upstreamStalePost.Play,
	},
})
