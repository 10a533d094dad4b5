package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-blackhole-fixed-by-second",
	Title: "a second back end answers where the first is silent, after proxy_connect_timeout",
	Why: `The SYNs to the first server are dropped, as in connect-blackhole. When proxy_connect_timeout is over, nginx
passes the request to the next server of the upstream (proxy_next_upstream has "error timeout" by itself), and the
client gets 200, 1.5 s late. $upstream_status tells both tries: "504, 200". From now on nginx leaves the first
server out for fail_timeout, 10 s, so that the second request is as quick as ever.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#fail_timeout"},

	Fixes:   "connect-blackhole",
	Compose: "two-backends",
	Nginx:   "two-backends-connect-timeout",
	Takes:   1500 * millisecond,
	Play:    steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 drop"), get("/test"), get("/test")},
	Want: want{
		Ran: []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream server temporarily disabled while connecting to upstream",
			"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access: []access{{Status: 200, Upstream: "504, 200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"},
			{From: nginx, To: backend2, Flags: "S"}},
		Ends: []end{{Client: nginx, Server: backend, Cause: "unanswered"}},
	},
	Control: control{What: "the second server is not in the upstream", Nginx: "connect-timeout"},
})
