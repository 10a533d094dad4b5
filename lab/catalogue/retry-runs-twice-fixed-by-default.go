package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "retry-runs-twice-fixed-by-default",
	Title: "without non_idempotent the POST runs once, and the client is told that something went wrong",
	Why: `By default nginx does not send a POST a second time. The client gets 502: nobody but the back end can know whether
the work was done, and only the client, by an idempotency key or by asking, can find out. A 502 is honest here.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"RFC 9110, 9.2.2", "ngx_http_upstream_next, src/http/ngx_http_upstream.c"},

	Fixes:   "retry-runs-twice",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), post("/test", "order")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}},
		Ran:      []string{"GET /", "POST /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: client, Flags: "P."}}),
		Ends: []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "proxy_next_upstream has non_idempotent", Nginx: "retry-non-idempotent"},
})
