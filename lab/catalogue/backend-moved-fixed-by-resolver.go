package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "backend-moved-fixed-by-resolver",
	Title: "resolver and a variable: nginx asks again where the back end is, and finds it",
	Why: `With a variable in proxy_pass nginx resolves the name when a request needs it, with the resolver that it is told,
and remembers the answer for as long as DNS says or valid= does. Docker's DNS says 600 s, so valid= it takes (in whole
seconds of the clock: 1 s lasts up to 2). The request after the move goes to the new address. The price: no upstream {}
and no kept connections to it; from nginx 1.27.3 on "server backend:8080 resolve;" in an upstream with a zone does the
same and keeps them.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve"},

	Fixes: "backend-moved",
	Nginx: "resolve-again",
	Play:  steps{get("/test"), quiet(), move(backend), idle(2500 * millisecond), get("/test")},
	Want: want{
		Ran:    []string{"GET /", "GET /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
	},
	Control: control{What: "nginx resolves the name once", Nginx: "resolve-once"},
})
