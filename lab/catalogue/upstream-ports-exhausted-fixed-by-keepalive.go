package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-ports-exhausted-fixed-by-keepalive",
	Title: "kept connections to the back end need one port, and none is ever in TIME_WAIT",
	Why: `The same two ports, the same three requests; but the upstream has keepalive, and nginx sends no "Connection: close"
to the back end (proxy_http_version 1.1 and an empty Connection header). The first request connects, the others go over
the same connection, and nothing is closed, so nothing is in TIME_WAIT. nginx needs as many ports as it has requests
to the back end at the same moment, not as many as it has in a minute.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive", "RFC 9293, 3.6.1"},

	Fixes:   "upstream-ports-exhausted",
	Compose: "two-ports",
	Nginx:   "baseline",
	Backend: "scripted",
	Server:  &script.Server{},
	Play:    steps{get("/test"), quiet(), get("/test"), quiet(), get("/test")},
	Want: want{
		Ran:    []string{"GET /", "GET /", "GET /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
	},
	Control: control{What: "nginx connects for every request", Nginx: "no-upstream-block"},
})
