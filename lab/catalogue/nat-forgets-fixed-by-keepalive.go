package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "nat-forgets-fixed-by-keepalive",
	Title: "so_keepalive below the box's timeout: TCP's probes keep the flow known",
	Why: `With so_keepalive=1s:1s:9 at listen, nginx's kernel probes a client's connection that has been idle for a
second: an empty segment, which the client's kernel acknowledges. The box between sees traffic both ways and never
comes to its 2 s: the flow stays known, and the client's next request gets through. Either side may probe, and it
costs two small segments; what counts is that the interval is below the shortest timeout on the way.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "tcp(7), TCP_KEEPIDLE", "RFC 9293, 3.8.4"},

	Fixes:   natForgets.ID,
	Options: natForgets.Options,
	Nginx:   "listen-so-keepalive-1s",
	Backend: "scripted",
	Compose: "flows-2s",
	Play:    natForgets.Play,
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "."},
			{From: nginx, To: client, Flags: "."}, {From: client, To: nginx, Flags: "."},
			{From: nginx, To: client, Flags: "."}, {From: client, To: nginx, Flags: "."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
		},
	},
	Control: control{What: "nobody probes", Nginx: "baseline"},
})
