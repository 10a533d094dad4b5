package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-flow-forgotten-fixed-by-socket-keepalive",
	Title: "proxy_socket_keepalive: TCP's probes keep the flow known, and the request gets through",
	Why: `proxy_socket_keepalive on has nginx's kernel probe each connection to the back end that is idle: an empty
segment, which the back end's kernel acknowledges. To the firewall that is traffic, so the flow never comes to its
2 s. The probes must come more often than the firewall forgets: how often is net.ipv4.tcp_keepalive_time of nginx's
host, two hours by itself, here 1 s. nginx has no directive for it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_socket_keepalive",
		"tcp(7), tcp_keepalive_time", "RFC 9293, 3.8.4"},

	Fixes:   upstreamFlowForgottenDrop.ID,
	Nginx:   "upstream-socket-keepalive",
	Backend: "scripted",
	Compose: "flows-2s",
	Play:    upstreamFlowForgottenDrop.Play,
	Want: want{
		Ran: []string{"GET /", "GET /", "GET /"},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "."},
			{From: nginx, To: backend, Flags: "."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "open"}, {Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{What: "nobody probes", Nginx: upstreamFlowForgottenDrop.Nginx},
})
