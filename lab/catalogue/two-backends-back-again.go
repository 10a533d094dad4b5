package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "two-backends-back-again",
	Title: "a back end that is back gets no request until fail_timeout is over, and then one as a test",
	Why: `The first of two servers is killed, one request finds it dead, and nginx leaves it out. It is started again at
once, but nginx does not look: it thinks of a server that it has left out only when fail_timeout is over (here 1 s,
10 s if nothing else is said), and then tries it with a client's own request. The failure has also taken its weight
away, which comes back with every choice: so the second server gets two more requests, then the first gets its
one. It is served, the count goes back to 0, and both take turns again.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout",
		"ngx_http_upstream_get_peer, src/http/ngx_http_upstream_round_robin.c"},

	Compose: "two-backends",
	Nginx:   "two-backends-fail-timeout-1s",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("second"),
	Play:    steps{kill(backend), get("/test"), start(backend), idle(3 * second), get("/test"), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "second"}, {Status: 200, Body: "second"}, {Status: 200, Body: "second"}, {Status: 200, Body: "first"}},
		Ran:     []string{"GET /", "GET /", "GET /", "GET /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"upstream server temporarily disabled while connecting to upstream"},
		Access: []access{{Status: 200, Upstream: "502, 200"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{What: "fail_timeout is 60 s", Nginx: "two-backends"},
})
