package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "nat-forgets-rst-fixed-by-keepalive",
	Title: "so_keepalive below the box's timeout: the flow stays known, and there is nothing to answer with RST",
	Why: `With so_keepalive=1s:1s:9 at listen, nginx's kernel probes a client's connection that has been idle for a
second: an empty segment, which the client's kernel acknowledges. To the box that is traffic both ways, so the flow
never comes to its 2 s: the POST passes on the old connection. For a POST this is worth more than a second try: it is
sent once and runs once.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "tcp(7), TCP_KEEPIDLE", "RFC 9293, 3.8.4"},

	Fixes:   natForgetsRST.ID,
	Nginx:   "listen-so-keepalive-1s",
	Backend: "scripted",
	Compose: "flows-2s",
	Play:    natForgetsRST.Play,
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:     []string{"GET /", "POST /"},
		Wire: []segment{
			{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "."},
			{From: nginx, To: client, Flags: "."}, {From: client, To: nginx, Flags: "."},
			{From: nginx, To: client, Flags: "."}, {From: client, To: nginx, Flags: "."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
		},
	},
	Control: control{What: "nobody probes", Nginx: "baseline"},
})
