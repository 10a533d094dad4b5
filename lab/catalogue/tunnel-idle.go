package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-idle",
	Title: "a WebSocket that is silent for proxy_read_timeout is closed, and no log above info says so",
	Why: `After 101 nginx is a tunnel: it passes on what comes, either way. proxy_read_timeout, 60 s by itself and here 1 s,
still counts: when nothing has come from either side for so long, nginx closes both connections with FIN, in order.
Client and back end both see a peer that has left. The line is of level info, so that nginx's log has nothing by
default: "upstream timed out (110: Connection timed out) while proxying upgraded connection". A ping of WebSocket
below the timeout keeps the tunnel open.`,
	Refs:  []string{"https://nginx.org/en/docs/http/websocket.html", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 6455, 5.5.2"},
	Looks: scenario.SymptomEOF,

	Client:  "raw",
	Nginx:   "tunnel-read-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Takes:   second,
	Play:    steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 101}},
		Ran:     []string{"GET /"},
		Info:    []string{"upstream timed out (110: Connection timed out) while proxying upgraded connection"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What:  "the tunnel has 60 s, and the client leaves before",
		Nginx: "tunnel",
		Play:  steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Close())},
	},
})
