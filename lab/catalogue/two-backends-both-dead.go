package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "two-backends-both-dead",
	Title: "both back ends restart at the same time: 502 \"no live upstreams\", though both are back",
	Why: `Both servers are down for a moment, as in a deployment that restarts all at once. One request finds it out: the
first refuses, the second refuses, 502, $upstream_status "502, 502". Each failure is counted, and with max_fails=1
both servers are left out now, for fail_timeout (10 s if nothing else is said). Both come back at once, and nginx
does not ask: "no live upstreams while connecting to upstream", 502 without a single packet to a back end. With one
server in the upstream max_fails does not count, and this cannot happen (backend-restarted).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("second"),
	Play: steps{kill(backend), kill(backend2), get("/test"),
		start(backend), start(backend2), get("/test")},
	Want: want{

		Replies: []reply{{Status: 502}, {Status: 502}},
		Ran:     []string{},
		ErrorLog: []string{
			"connect() failed (111: Connection refused) while connecting to upstream", "upstream server temporarily disabled while connecting to upstream",
			"connect() failed (111: Connection refused) while connecting to upstream", "upstream server temporarily disabled while connecting to upstream",
			"no live upstreams while connecting to upstream",
		},
		Access: []access{{Status: 502, Upstream: "502, 502"}, {Status: 502, Upstream: "502"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}, {From: backend2, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}, {Client: nginx, Server: backend2, Cause: "refused"}},
	},
	Control: control{What: "max_fails is 0", Nginx: "two-backends-max-fails-0"},
})
