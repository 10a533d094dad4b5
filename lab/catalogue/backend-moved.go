package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "backend-moved",
	Title: "the back end's name has another address now, and nginx goes on calling the old one: 504",
	Why: `nginx resolves a name that stands in its config once, when it starts. The back end is made anew, as a container is
in a deployment, and gets another address; its name resolves to that at once, and nginx does not ask. It sends its SYN
to where nobody is any more. As long as the kernel remembers the old neighbour (ARP) nothing comes back at all:
"upstream timed out (110: Connection timed out) while connecting to upstream", 504, here after 1.5 s and by itself after
60; once it has forgotten, "connect() failed (113: No route to host)", 502. Where the address has been given to
another server, that one answers. nginx -s reload heals it: until the next deployment.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass", "RFC 826", "RFC 6298, 2.1"},

	Nginx: "resolve-once",
	Takes: 1500 * millisecond,
	Play:  steps{get("/test"), quiet(), move(backend), idle(2500 * millisecond), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 504}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 504, Upstream: "504"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unanswered"}},
	},
	Control: control{What: "the back end stays where it is", Play: steps{get("/test"), quiet(), idle(2500 * millisecond), get("/test")}},
})
