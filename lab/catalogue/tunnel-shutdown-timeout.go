package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var tunnelShutdownTimeout = add(scenario.Scenario{
	ID:    "tunnel-shutdown-timeout",
	Title: "worker_shutdown_timeout: a reload of nginx closes every WebSocket after so long",
	Why: `worker_shutdown_timeout, here 1 s, is how long an old worker may go on after a reload. Then it closes what it still
has: FIN to both sides of the tunnel, in order, with nothing in the log above info. This client does not look, and its
next message meets RST and is lost. The timeout is there so that old workers do not pile up (tunnel-reload); in return
all clients are cut off at the same moment, and come back together.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout", "https://nginx.org/en/docs/http/websocket.html"},

	Client:  "raw",
	Nginx:   "tunnel-shutdown-timeout-1s",
	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"),
		script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Play: steps{
		raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4)),
		reload(nginx), logged("gracefully shutting down"), idle(2 * second),
		raw("a", script.Write("ping"), script.Read(4), script.Close()), logged("exited with code 0"),
	},
	Want: want{
		Replies: []reply{{Status: 101}, {Class: "eof"}},
		Ran:     []string{"GET /"},
		Info:    []string{"gracefully shutting down", "exited with code 0"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"}},
		Resets: []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{What: "the old worker may take its time", Nginx: "tunnel"},
})
