package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-socket-keepalive",
	Title: "the back end's host vanishes while a connection rests: TCP's probes find out, and no request does",
	Why: `The whole host of the back end is unreachable from one moment to the next, while nginx keeps an idle connection
to it. Nothing is said on the wire. With proxy_socket_keepalive on nginx's kernel probes the connection
(net.ipv4.tcp_keepalive_time, here 1 s), and after tcp_keepalive_probes without an answer, here 2, it gives it up:
RST into the void, and ETIMEDOUT for nginx, which takes the connection out of its cache without a line in a log.
When the host is back, the next request opens a new connection. Without the probes it would have gone out on the
dead one, and have waited for proxy_read_timeout.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_socket_keepalive",
		"tcp_keepalive_timer, net/ipv4/tcp_timer.c", "RFC 9293, 3.8.4"},

	Nginx:   "upstream-socket-keepalive",
	Backend: "scripted",
	Compose: "keepalive-probes",
	Takes:   3 * second,
	Play: steps{
		get("/test"), filter(backend, "input tcp dport 8080 drop"), filter(backend, "output tcp sport 8080 drop"),
		await(nginx, backend, "R."), unfilter(backend), get("/test"),
	},
	Want: want{
		Ran: []string{"GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "."}, {From: nginx, To: backend, Flags: "."}, {From: nginx, To: backend, Flags: "R."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Resets: []reset{{From: nginx, To: backend, Kind: "probe-timeout"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "keepalive-timeout"}},
	},
	Control: control{
		What:  "nobody probes, and the host comes back",
		Nginx: "upstream-60s",
		Play: steps{
			get("/test"), filter(backend, "input tcp dport 8080 drop"), filter(backend, "output tcp sport 8080 drop"),
			unfilter(backend), get("/test"),
		},
	},
})
