package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var tunnelIdle = add(scenario.Scenario{
	ID:    "tunnel-idle",
	Title: "a WebSocket that is silent for proxy_read_timeout is closed, its next message is lost, and no log above info says so",
	Why: `After 101 nginx is a tunnel: it passes on what comes, either way. proxy_read_timeout, 60 s by itself and here 3 s,
still counts: when nothing has come from either side for so long, nginx closes both connections with FIN, in order.
Who reads all the time, as most WebSocket libraries do, sees a peer that has left. This client does not look before it
has something to say, after 4 s: nginx's kernel answers that with RST, and the message is lost. The line is of level
info, so that nginx's log has nothing by default: "upstream timed out (110: Connection timed out) while proxying
upgraded connection".`,
	Refs: []string{"https://nginx.org/en/docs/http/websocket.html", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 6455, 5.5.2"},

	Client:  "raw",
	Nginx:   "tunnel-read-timeout-3s",
	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"),
		script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Play: steps{
		raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4)),
		idle(4 * second), raw("a", script.Write("ping"), script.Read(4), script.Close()),
	},
	Want: want{
		Replies: []reply{{Status: 101}, {Class: "eof"}},
		Ran:     []string{"GET /"},
		Info:    []string{"upstream timed out (110: Connection timed out) while proxying upgraded connection"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"},
		},
		Resets: []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What:  "the tunnel has 60 s",
		Nginx: "tunnel",
	},
})
