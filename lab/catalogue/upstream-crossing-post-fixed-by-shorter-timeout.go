package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-crossing-post-fixed-by-shorter-timeout",
	Title: "nginx gives an idle connection up before the back end does: no FIN to cross",
	Why: `keepalive_timeout in the upstream is 1 s, less than the time after which the back end closes. When the POST comes,
nginx has closed the idle connection and opens a new one. The back end closes the old one at the same moment as in the
failure, but there is nothing left that its FIN could cross (and no gate, which would wait for a crossing in vain). Between nginx's own timer and nginx's own next request
there is no race: one process does both, and takes no connection from the cache that it has closed.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1"},

	Fixes:   upstreamCrossingPost.ID,
	Nginx:   "upstream-1s",
	Backend: "scripted",
	Server:  upstreamCrossingPost.Server,
	Takes:   second,
	Play:    nginxClosesFirst,
	Want:    onANewConnection,
	Control: control{
		What:  "nginx keeps the connection for its own 60 s, and the back end closes first",
		Nginx: upstreamCrossingPost.Nginx,
		Play:  upstreamCrossingPost.Play,
	},
})

// nginxClosesFirst is the failure's play without its gate: nginx has closed the idle
// connection before the POST comes, which onANewConnection shows.
var (
	nginxClosesFirst = steps{get("/test"), await(nginx, backend, "F."), begin(post("/test", "order")), tell(backend, "close"), await(backend, nginx, "F.")}
	onANewConnection = want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "F."}, {From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend}},
	}
)
