package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var streamIdle = add(scenario.Scenario{
	ID:    "stream-idle",
	Title: "a session of stream {} that is silent for proxy_timeout is closed, and no log above info says so",
	Why: `stream {} closes a session when nothing has come from either side for proxy_timeout, 10 minutes by itself and here
1 s: FIN to both, in order. A pool of database connections behind it loses its idle ones so, and finds out with its
next query, here after 2 s: nginx's kernel answers it with RST, and the client reads the end of the connection. The
line is of level info: "connection timed out (110: Connection timed out) while proxying connection"; the access line says
200. TCP keepalive does not help here: its probes are no data.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout"},

	Client:  "raw",
	Nginx:   "stream-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.Read(5), script.Write("world"), script.Read(5), script.Write("again"), script.ReadEnd(), script.Close()}),
	Play:    steps{raw("a", script.Write("hello"), script.Read(5)), idle(2 * second), raw("a", script.Write("hello"), script.Read(5), script.Close())},
	Want: want{
		Replies: []reply{{}, {Class: "eof"}},
		Info:    []string{"connection timed out (110: Connection timed out) while proxying connection"},
		Access:  []access{{Status: 200}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"}},
		Resets: []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What:  "the session has 10 minutes",
		Nginx: "stream",
	},
})
