package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "backend-restarted-fixed-by-backup",
	Title: "while the back end restarts a second one answers, and the client sees no 502",
	Why: `The same request comes in the same gap, while nobody listens. It is refused, and nginx passes it to the backup: 200,
"502, 200". The first server is back soon, but nginx has left it out for fail_timeout and lets the backup answer
until that is over. The client has seen nothing but 200. Two servers of equal rank do the same, as long as
they are not restarted at the same time (two-backends-both-dead).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#backup",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Fixes:   "backend-restarted",
	Compose: "two-backends",
	Nginx:   "backup-server",
	Play:    steps{get("/test"), quiet(), kill(backend), get("/test"), start(backend), get("/test")},
	Want: want{
		Ran: []string{"GET /", "GET /", "GET /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"upstream server temporarily disabled while connecting to upstream"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}, {Status: 200, Upstream: "200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{What: "the upstream has the one server alone", Nginx: "article"},
})
