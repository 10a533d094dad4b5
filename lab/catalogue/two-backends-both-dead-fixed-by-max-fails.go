package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "two-backends-both-dead-fixed-by-max-fails",
	Title: "max_fails=0: the first request after both back ends are back is served",
	Why: `Both servers restart at the same time, and the request that comes in between gets its 502 as before: nobody is
there. But with max_fails=0 no failure is counted and nobody is left out. The next request is sent to a server
as if nothing had been, and is answered. Who wants dead servers left out all the same can have a larger max_fails,
which only puts the same end off.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails"},

	Fixes:   "two-backends-both-dead",
	Compose: "two-backends",
	Nginx:   "two-backends-max-fails-0",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("second"),
	Play: steps{kill(backend), kill(backend2), get("/test"),
		start(backend), start(backend2), get("/test")},
	Want: want{

		Replies: []reply{{Status: 502}, {Status: 200}},
		Ran:     []string{"GET /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"connect() failed (111: Connection refused) while connecting to upstream"},
		Access: []access{{Status: 502, Upstream: "502, 502"}, {Status: 200, Upstream: "200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}, {From: backend2, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}, {Client: nginx, Server: backend2, Cause: "refused"}},
	},
	Control: control{What: "max_fails is 1", Nginx: "two-backends"},
})
