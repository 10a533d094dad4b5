package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "one-stale-fixed-by-max-fails",
	Title: "max_fails=0: a request that met a closed connection is tried again, and nothing is held against the server",
	Why: `The same FIN is lost, the same request meets RST, and nginx passes it to the second server as
before. But with max_fails=0 no failure is counted, nobody is left out, and the next request of the first server's
turn is served by it, on a new connection. The price: a server that is really dead is asked again and again, each
time in vain. The better half of the cure is to keep idle connections for less time than the server does
(keepalive_timeout of the upstream), so that nginx is the one who closes.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout"},

	Fixes:   "one-stale-disables-a-healthy-server",
	Compose: "two-backends",
	Nginx:   "two-backends-max-fails-0",
	Backend: "scripted",
	Server:  oneStale,
	Second:  serve(ops{script.ReadRequest(), script.Answer(200, "second"), script.Again()}),
	Play:    staleOnce,
	Want: want{
		Replies: []reply{{Status: 200, Body: "first"}, {Status: 200, Body: "second"}, {Status: 200, Body: "second"},
			{Status: 200, Body: "second"}, {Status: 200, Body: "first"}},
		Ran:      []string{"GET /", "GET /", "GET /", "GET /", "GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Upstream: "200"}, {Upstream: "200"}, {Upstream: "502, 200"}, {Upstream: "200"}, {Upstream: "200"}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	},
	Control: control{What: "max_fails is 1", Nginx: "two-backends"},
})
