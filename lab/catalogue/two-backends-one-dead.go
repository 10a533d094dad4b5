package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "two-backends-one-dead",
	Title: "one of two back ends is dead: the first request pays with a second try, the next do not even ask it",
	Why: `nginx connects to the first server and is refused (RST). The request has not been sent to anybody, so it goes to
the next server: 200, and $upstream_status has both tries, "502, 200". The failure is counted, and with max_fails=1,
nginx's own default, the first is already the last: "upstream server temporarily disabled" (a warn), and for
fail_timeout, 10 s if nothing else is said, all requests go to the second server. No client sees an error.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("second"),
	Play:    steps{kill(backend), get("/test"), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "second"}, {Status: 200, Body: "second"}, {Status: 200, Body: "second"}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"upstream server temporarily disabled while connecting to upstream"},
		Access: []access{{Status: 200, Upstream: "502, 200"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire:   []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: backend2, Flags: "S"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{What: "the back end is left alone", Play: steps{get("/test"), get("/test"), get("/test")}},
})

// named is a back end that answers with its name.
func named(name string) *script.Server {
	return serve(ops{script.ReadRequest(), script.Answer(200, name), script.Again()})
}
