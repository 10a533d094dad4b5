package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "retry-runs-get-twice",
	Title: "the back end does a GET and dies before it answers: nginx sends it again by itself",
	Why: `nginx sends a GET on a kept connection; the back end does the work and closes without an answer. Every nginx
that keeps connections to its back end does this unless told otherwise: proxy_next_upstream is "error timeout", a GET
is idempotent, and a failure on a connection from the cache adds a try, so that even with a single server there is
another. The request goes over a new connection, and the client gets 200. The back end has run it twice: harmless
where GET changes nothing, and not where it does. $upstream_status "502, 200" and an [error] line are the only signs.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"RFC 9110, 9.2.2", "ngx_http_upstream_next, src/http/ngx_http_upstream.c"},

	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:      []string{"GET /", "GET /", "GET /"},
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
