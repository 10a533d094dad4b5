package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "retry-runs-get-twice-fixed-by-off",
	Title: "proxy_next_upstream off: the GET runs once, and the client gets 502",
	Why: `proxy_next_upstream off forbids every second try, those on another server too. The client gets the 502 and decides by
itself. The price: every request that meets a connection which the back end has just closed fails as well.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"RFC 9110, 9.2.2", "ngx_http_upstream_next, src/http/ngx_http_upstream.c"},

	Fixes:   "retry-runs-get-twice",
	Nginx:   "retry-off",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: client, Flags: "P."}}),
		Ends: []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "proxy_next_upstream as it is by default", Nginx: "baseline"},
})
