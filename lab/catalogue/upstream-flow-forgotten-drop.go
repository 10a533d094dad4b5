package catalogue

import "rstlab/lab/scenario"

var upstreamFlowForgottenDrop = add(scenario.Scenario{
	ID:    "upstream-flow-forgotten-drop",
	Title: "a firewall before the back end forgets an idle connection and drops: a wait, then 504, for GET too",
	Why: `Between nginx and the back end is a firewall that knows each flow, and forgets one that has been idle for too
long: here 2 s, elsewhere minutes (4 at an Azure load balancer). It tells neither side. nginx sends a request on the
connection; to the firewall it is a segment of no flow, and it drops it. No RST and no FIN comes, so nginx's kernel
sends it again and again, until proxy_read_timeout, here 1 s: "upstream timed out (110: Connection timed out)". A
connection from the cache that fails is tried once more, one that times out is not: with one server even a GET is 504.
The next request opens a new connection, and all is well.`,
	Refs: []string{"nf_conntrack_tcp_timeout_established, Documentation/networking/nf_conntrack-sysctl.rst",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 5382, 5 (REQ-5)"},

	Nginx:   "upstream-read-timeout-1s",
	Backend: "scripted",
	Compose: "flows-2s",
	Takes:   second,
	Play: steps{
		filter(backend, "input tcp dport 8080 ct state new tcp flags & syn == 0 drop"),
		get("/test"), idle(3 * second), get("/test"), get("/test"),
	},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 504}, {Status: 200}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 504, Upstream: "504"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "vanished"}},
	},
	Control: control{
		What: "the firewall lets pass what it does not know",
		Play: steps{get("/test"), idle(3 * second), get("/test"), get("/test")},
	},
})
