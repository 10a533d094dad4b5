package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "retry-runs-twice",
	Title: "proxy_next_upstream non_idempotent: one POST of the client, two orders at the back end",
	Why: `A POST is not idempotent, so nginx does not send it again once it may have been sent, unless non_idempotent says
that it may. It is often set against the 502 of stale connections. Here the back end has read the POST on a kept
connection, has done the work and dies before it answers. To nginx this is like a stale connection: "upstream
prematurely closed connection". It sends the POST again, and the client gets its one 200. The order was placed twice.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"RFC 9110, 9.2.2", "ngx_http_upstream_next, src/http/ngx_http_upstream.c"},

	Nginx:   "retry-non-idempotent",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), post("/test", "order")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:      []string{"GET /", "POST /", "POST /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}},
			handshake(nginx, backend), exchange(nginx, backend)),
		Ends: []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end answers the second request too",
		Server: &script.Server{},
	},
})
