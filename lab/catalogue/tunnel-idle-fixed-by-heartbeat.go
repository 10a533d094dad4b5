package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-idle-fixed-by-heartbeat",
	Title: "a ping more often than proxy_read_timeout: the tunnel is never idle, and the message gets through",
	Why: `proxy_read_timeout is 3 s as in the failure, but the client says "ping" every 500 ms, and the back end "pong": what
comes from either side starts nginx's timer anew. After 4 s the tunnel is open, and the message gets through. This is
what the ping of WebSocket is for (RFC 6455, 5.5.2), and it also tells each side that the other is there. TCP keepalive
does not help: its probes are no data, and nginx never sees them.`,
	Refs: []string{"https://nginx.org/en/docs/http/websocket.html", "RFC 6455, 5.5.2", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout"},

	Fixes:   tunnelIdle.ID,
	Client:  "raw",
	Nginx:   tunnelIdle.Nginx,
	Backend: "scripted",
	Server: serve(slices.Concat(ops{script.ReadRequest(), script.Write(switched)},
		slices.Repeat(ops{script.Read(4), script.Write("pong")}, 10), ops{script.ReadEnd(), script.Close()})),
	Play: steps{
		raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4)),
		raw("a", slices.Repeat(ops{script.Rest(500 * millisecond), script.Write("ping"), script.Read(4)}, 8)...),
		raw("a", script.Write("ping"), script.Read(4), script.Close()),
	},
	Want: want{
		Replies: []reply{{Status: 101}, {}, {}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: slices.Concat(slices.Repeat([]segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}}, 11),
			[]segment{{From: client, To: nginx, Flags: "F."}}),
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{What: "nobody says anything for 4 s", Server: tunnelIdle.Server, Play: tunnelIdle.Play},
})
