package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "tunnel-idle-fixed-by-read-timeout",
	Title: "proxy_read_timeout longer than the tunnel is ever silent: the message gets through",
	Why: `proxy_read_timeout is nginx's own 60 s, more than the 2 s for which nothing is said: nginx is still there, and passes
the message on. The time is for the longest silence, not for the tunnel's life: each byte, from either side, starts it
anew. Where nobody knows how long the longest silence is, a heartbeat does the same from the other end: a ping of
WebSocket, from client or back end, more often than the timeout.`,
	Refs: []string{"https://nginx.org/en/docs/http/websocket.html", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 6455, 5.5.2"},

	Fixes:   tunnelIdle.ID,
	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  tunnelIdle.Server,
	Play:    tunnelIdle.Play,
	Want: want{
		Replies: []reply{{Status: 101}, {}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{What: "the tunnel has 1 s", Nginx: tunnelIdle.Nginx},
})
