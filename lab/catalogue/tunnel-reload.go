package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "tunnel-reload",
	Title: "without worker_shutdown_timeout an open WebSocket outlives a reload of nginx, and with it a worker of the old config",
	Why: `On SIGHUP new workers start and the old ones finish what they are doing. A tunnel is something to finish, however
long it takes: the old worker does not take new connections any more, but goes on passing on what comes, "worker
process is shutting down" in ps. The client notices nothing. The price: with a reload an hour and WebSockets that stay
for days the old workers pile up, each with its memory and the config of its day. Between the two lies a timeout that is
longer than most tunnels live (tunnel-shutdown-timeout-fixed-by-longer).`,
	Refs: []string{"https://nginx.org/en/docs/control.html#reconfiguration", "https://nginx.org/en/docs/http/websocket.html"},

	Fixes:   tunnelShutdownTimeout.ID,
	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  tunnelShutdownTimeout.Server,
	Play:    tunnelShutdownTimeout.Play,
	Want:    outlivesReload,
	Control: control{What: "the old worker has 1 s", Nginx: tunnelShutdownTimeout.Nginx},
})

// outlivesReload is a tunnel that carries messages before a reload and after it.
var outlivesReload = want{
	Replies: []reply{{Status: 101}, {}},
	Ran:     []string{"GET /"},
	Info:    []string{"gracefully shutting down", "exited with code 0"},
	Access:  []access{{Status: 101, Upstream: "101"}},
	Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
		{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."}},
	Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
}
